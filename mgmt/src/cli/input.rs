//! Arguments that may stand on standard input instead.

use std::io::Read as _;

use super::outcome::Failure;

/// Bytes of a statement at the most: what the gateway takes.
const STATEMENT_BYTES_MAX: u64 = 16 << 20;

/// The statement of an argument: itself, or for `-` standard input.
pub(crate) fn statement(argument: &str) -> Result<String, Failure> {
    if argument != "-" {
        return Ok(argument.to_owned());
    }
    let mut text = String::new();
    let read = std::io::stdin().lock().take(STATEMENT_BYTES_MAX + 1).read_to_string(&mut text);
    let read = read.map_err(|error| Failure::CouldNotAsk(format!("cannot read standard input: {error}")))?;
    if read as u64 > STATEMENT_BYTES_MAX {
        return Err(Failure::Usage("the statement on standard input is too long".to_owned()));
    }
    Ok(text)
}
