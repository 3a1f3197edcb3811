//! The caller's identity token: from a command, a file or the environment, read anew whenever it is needed, since CI
//! tokens live for minutes. Never printed.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use zeroize::Zeroizing;

use super::outcome::Failure;

/// Bytes of a token at the most; the gateway takes no longer password either.
const TOKEN_BYTES_MAX: usize = 64 * 1024;
/// The variable that holds the token itself.
pub(crate) const VARIABLE: &str = "PANGATE_TOKEN";

/// Where the token comes from.
#[derive(Clone, Debug)]
pub(crate) enum Source {
    /// A shell command that prints it.
    Command(String),
    /// A file that holds it.
    File(PathBuf),
    /// The environment.
    Environment,
}

/// A token: prints nothing of itself.
pub(crate) struct Token(Zeroizing<String>);

impl Token {
    /// Takes what was read, without the white space around it. Header and password alike need visible ASCII.
    fn parse(raw: &[u8], origin: &str) -> Result<Self, Failure> {
        if raw.len() > TOKEN_BYTES_MAX {
            return Err(Failure::CouldNotAsk(format!("{origin} is longer than a token can be")));
        }
        let text = raw.trim_ascii();
        if text.is_empty() {
            return Err(Failure::CouldNotAsk(format!("{origin} is empty: it must hold the identity token")));
        }
        match std::str::from_utf8(text) {
            Ok(text) if text.bytes().all(|byte| byte.is_ascii_graphic()) => {
                Ok(Self(Zeroizing::new(text.to_owned())))
            }
            _ => Err(Failure::CouldNotAsk(format!("{origin} holds something else than one token"))),
        }
    }

    /// The token, for the wire alone.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl Source {
    /// The most explicit one given.
    pub(crate) fn choose(command: Option<String>, file: Option<PathBuf>) -> Self {
        match (command, file) {
            (Some(command), _) => Self::Command(command),
            (None, Some(file)) => Self::File(file),
            (None, None) => Self::Environment,
        }
    }

    /// Reads the token as it is now.
    pub(crate) fn read(&self) -> Result<Token, Failure> {
        match self {
            Self::Command(command) => run(command),
            Self::File(path) => {
                let raw = std::fs::read(path).map_err(|error| Failure::unreadable(path, &error))?;
                Token::parse(&Zeroizing::new(raw), &path.display().to_string())
            }
            Self::Environment => match std::env::var(VARIABLE) {
                Ok(raw) => Token::parse(Zeroizing::new(raw).as_bytes(), VARIABLE),
                Err(_) => Err(Failure::CouldNotAsk(format!(
                    "no identity token: set {VARIABLE}, or give --token-file or --token-command"
                ))),
            },
        }
    }
}

/// The command's own complaints go to our standard error.
fn run(command: &str) -> Result<Token, Failure> {
    let output = Command::new("sh")
        .args(["-c", command])
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| Failure::CouldNotAsk(format!("cannot run the token command: {error}")))?;
    let raw = Zeroizing::new(output.stdout);
    if !output.status.success() {
        return Err(Failure::CouldNotAsk(format!("the token command failed: {}", output.status)));
    }
    Token::parse(&raw, "what the token command printed")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_taken_without_its_newline() {
        assert_eq!(Token::parse(b" abc.def.ghi\n", "x").unwrap().expose(), "abc.def.ghi");
    }

    #[test]
    fn what_is_no_token_is_refused_unseen() {
        for raw in [&b""[..], b" \n", b"two words", b"a\x00b", b"\xff\xfe", &[b'a'; TOKEN_BYTES_MAX + 1]] {
            let failure = Token::parse(raw, "the file").err().unwrap();
            assert_eq!(failure.code(), 3);
            assert!(!failure.to_string().contains("two words"));
        }
    }

    #[test]
    fn a_command_is_run_anew_each_time() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("n");
        let source = Source::Command(format!("echo x >> {0}; wc -l < {0}", file.display()));
        assert_eq!(source.read().unwrap().expose(), "1");
        assert_eq!(source.read().unwrap().expose(), "2");
        assert_eq!(Source::Command("exit 3".to_owned()).read().err().unwrap().code(), 3);
    }

    #[test]
    fn the_most_explicit_source_wins() {
        let both = Source::choose(Some("c".to_owned()), Some("f".into()));
        assert!(matches!(both, Source::Command(_)));
        assert!(matches!(Source::choose(None, Some("f".into())), Source::File(_)));
        assert!(matches!(Source::choose(None, None), Source::Environment));
    }
}
