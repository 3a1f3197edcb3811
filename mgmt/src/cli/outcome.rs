//! How a command ends: exit codes 0 done, 1 the answer is no, 2 usage, 3 could not ask. Scripts rely on them.

use std::fmt;
use std::io;
use std::process::ExitCode;

/// A command that ran to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// What was asked for is done, or true.
    Done,
    /// The answer is no, and has been printed: denied, not verified, card numbers found.
    No,
}

/// A command that could not do what was asked. Texts say what is wrong and what to do, never a secret.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The answer is no, and this is why.
    No(String),
    /// The command line asks for something that does not exist or does not fit together.
    Usage(String),
    /// The question could not be asked: unreachable, unreadable, not logged in.
    CouldNotAsk(String),
    /// Whoever read our output has gone: nothing to say, nobody to say it to.
    ReaderGone,
}

/// What every command returns.
pub(crate) type Answer = Result<Outcome, Failure>;

impl Outcome {
    /// [`Outcome::No`] where `no` holds.
    pub(crate) fn no_if(no: bool) -> Self {
        if no { Self::No } else { Self::Done }
    }
}

impl Failure {
    /// The exit code.
    pub(crate) fn code(&self) -> u8 {
        match self {
            Self::ReaderGone => 0,
            Self::No(_) => 1,
            Self::Usage(_) => 2,
            Self::CouldNotAsk(_) => 3,
        }
    }

    /// A file or folder that cannot be read.
    pub(crate) fn unreadable(path: &std::path::Path, error: &io::Error) -> Self {
        Self::CouldNotAsk(format!("cannot read {}: {error}", path.display()))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::No(text) | Self::Usage(text) | Self::CouldNotAsk(text) => out.write_str(text),
            Self::ReaderGone => Ok(()),
        }
    }
}

/// Errors of writing to standard output; reading errors are told with their path by [`Failure::unreadable`].
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::ReaderGone,
            _ => Self::CouldNotAsk(format!("cannot write the answer: {error}")),
        }
    }
}

impl From<serde_json::Error> for Failure {
    fn from(error: serde_json::Error) -> Self {
        io::Error::from(error).into()
    }
}

/// Ends the program: a failure's text goes to standard error on one line.
pub(crate) fn exit(answer: Answer) -> ExitCode {
    match answer {
        Ok(Outcome::Done) => ExitCode::SUCCESS,
        Ok(Outcome::No) => ExitCode::from(1),
        Err(failure) => {
            if !matches!(failure, Failure::ReaderGone) {
                super::output::complain(&failure.to_string());
            }
            ExitCode::from(failure.code())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_failure_has_the_code_of_the_contract() {
        assert_eq!(Failure::No(String::new()).code(), 1);
        assert_eq!(Failure::Usage(String::new()).code(), 2);
        assert_eq!(Failure::CouldNotAsk(String::new()).code(), 3);
        assert_eq!(Failure::ReaderGone.code(), 0);
    }

    #[test]
    fn a_broken_pipe_is_no_complaint() {
        let gone = Failure::from(io::Error::from(io::ErrorKind::BrokenPipe));
        assert!(matches!(gone, Failure::ReaderGone));
        let full = Failure::from(io::Error::from(io::ErrorKind::StorageFull));
        assert_eq!(full.code(), 3);
    }
}
