//! The signed list of an instance's logs: without it, a log that is gone altogether would not be missed. A signed
//! note of one name a line. Leaves out how far each log has come: that is in its checkpoint.

use crate::note::{NOTE_BYTES_MAX, NoteError, SignerKey, VerifierKey};

/// Name of the file in the evidence folder.
pub const FILE: &str = "logs";

/// No log's origin, since it holds spaces.
const FIRST_LINE: &str = "pangate evidence logs v1";

/// The signed list.
pub fn sign(logs: &[String], key: &SignerKey) -> Result<String, NoteError> {
    let mut text = format!("{FIRST_LINE}\n");
    for log in logs {
        if !is_log_name(log) {
            return Err(NoteError::Malformed);
        }
        text.push_str(log);
        text.push('\n');
    }
    let note = key.sign(&text)?;
    if note.len() > NOTE_BYTES_MAX { Err(NoteError::TooLarge) } else { Ok(note) }
}

/// The names in a list that `key` has signed.
pub fn open(note: &[u8], key: &VerifierKey) -> Result<Vec<String>, NoteError> {
    let note = std::str::from_utf8(note).map_err(|_| NoteError::Malformed)?;
    let mut lines = key.open_sole(note)?.lines();
    if lines.next() != Some(FIRST_LINE) {
        return Err(NoteError::Malformed);
    }
    let logs: Vec<String> = lines.map(str::to_owned).collect();
    if logs.iter().all(|log| is_log_name(log)) { Ok(logs) } else { Err(NoteError::Malformed) }
}

/// Whether a log may be called so: a file name of letters, digits, dots, dashes, not beginning with a dot.
pub fn is_log_name(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    !name.is_empty() && name.len() <= 64 && !name.starts_with('.') && name.bytes().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_opens_as_it_was_signed_and_not_otherwise() {
        let key = SignerKey::from_seed("example.com/key", &[1; 32]).unwrap();
        let logs = vec!["0".to_owned(), "1".to_owned()];
        let note = sign(&logs, &key).unwrap();
        assert_eq!(open(note.as_bytes(), key.verifier()), Ok(logs));
        assert_eq!(
            open(note.replace("\n1\n", "\n").as_bytes(), key.verifier()),
            Err(NoteError::BadSignature)
        );
        assert_eq!(open(&[0xff], key.verifier()), Err(NoteError::Malformed));
        let other = key.sign("something else\n").unwrap();
        assert_eq!(open(other.as_bytes(), key.verifier()), Err(NoteError::Malformed));
        assert_eq!(sign(&["../x".to_owned()], &key), Err(NoteError::Malformed));
        assert_eq!(sign(&vec!["x".repeat(60); 400], &key), Err(NoteError::TooLarge));
    }
}
