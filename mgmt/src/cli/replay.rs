//! Shows a recorded session as the job saw it. PostgreSQL's and MySQL's answers are read into rows; those of other
//! protocols are told by their length alone. The recorded bytes may end inside a message (a head was kept): what is whole is shown.

mod mysql;

use std::io::{self, Write};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mgmt::api::types::{Command, SessionDetail};

use super::outcome::Failure;
use super::output::{self, printable};
use super::sessions::print_head;

/// Prints the whole session.
pub(crate) fn print(detail: &SessionDetail) -> Result<(), Failure> {
    print_head(detail)?;
    let mut out = io::BufWriter::new(io::stdout().lock());
    for command in &detail.commands {
        print_command(&mut out, &detail.session.protocol, command)?;
    }
    out.flush()?;
    drop(out);
    if detail.truncated {
        output::complain("more was recorded than one answer holds: see pangate audit export");
    }
    Ok(())
}

fn print_command(out: &mut impl Write, protocol: &str, command: &Command) -> Result<(), Failure> {
    let at = output::utc_of_ms(command.at_ms);
    writeln!(out, "\n-- {} {} at {at}: {} {}", command.number, command.kind, command.decision, command.rule)?;
    for line in command.statement.lines() {
        writeln!(out, "{}", printable(line))?;
    }
    for line in command.parameters.lines() {
        writeln!(out, "-- parameter: {}", printable(line))?;
    }
    if let Some(ticket) = &command.ticket {
        let by = command.reviewers.join(", ");
        let why = printable(&command.reason);
        writeln!(out, "-- ticket {ticket}: {} by {}: {why}", command.ruling, printable(&by))?;
    }
    let bytes = STANDARD.decode(&command.response).map_err(|_| {
        Failure::CouldNotAsk(format!("the answer of command {} is not base64", command.number))
    })?;
    match protocol {
        "postgres" => print_postgres(out, &bytes)?,
        "mysql" => mysql::print(out, &command.kind, &bytes)?,
        _ if bytes.is_empty() => {}
        _ => writeln!(out, "-- {} bytes of {protocol}", bytes.len())?,
    }
    if (bytes.len() as u64) < command.bytes {
        writeln!(out, "-- {} of {} bytes were kept", bytes.len(), command.bytes)?;
    }
    writeln!(out, "-- {}: {} rows", printable(&command.outcome), command.rows)?;
    Ok(())
}

/// Shows the whole messages at the front of `bytes`.
fn print_postgres(out: &mut impl Write, mut bytes: &[u8]) -> io::Result<()> {
    while let Some((kind, body, rest)) = split_message(bytes) {
        bytes = rest;
        match kind {
            b'T' => writeln!(out, "{}", column_names(body).join("\t"))?,
            b'D' => writeln!(out, "{}", cells(body).join("\t"))?,
            b'd' => writeln!(out, "{}", shown(body.strip_suffix(b"\n").unwrap_or(body)))?,
            b'C' => writeln!(out, "-- {}", shown(until_zero(body).0))?,
            b'E' | b'N' => writeln!(out, "-- {}", notice(body))?,
            _ => {}
        }
    }
    Ok(())
}

/// Type, body and what follows; `None` where no whole message is left.
fn split_message(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (kind, rest) = bytes.split_first()?;
    let (length, rest) = rest.split_first_chunk::<4>()?;
    let length = usize::try_from(u32::from_be_bytes(*length)).ok()?.checked_sub(4)?;
    let (body, rest) = rest.split_at_checked(length)?;
    Some((*kind, body, rest))
}

/// RowDescription: each name is followed by 18 bytes on its type and origin.
fn column_names(body: &[u8]) -> Vec<String> {
    let mut names = Vec::new();
    let mut rest = body.get(2..).unwrap_or_default();
    while !rest.is_empty() {
        let (name, after) = until_zero(rest);
        names.push(shown(name));
        rest = after.get(18..).unwrap_or_default();
    }
    names
}

/// DataRow: a length before each value, -1 for NULL.
fn cells(body: &[u8]) -> Vec<String> {
    let mut cells = Vec::new();
    let mut rest = body.get(2..).unwrap_or_default();
    while let Some((length, after)) = rest.split_first_chunk::<4>() {
        let length = i32::from_be_bytes(*length);
        let value = usize::try_from(length).ok().map(|length| after.split_at_checked(length));
        match value {
            None => {
                cells.push("NULL".to_owned());
                rest = after;
            }
            Some(Some((value, after))) => {
                cells.push(shown(value));
                rest = after;
            }
            Some(None) => break,
        }
    }
    cells
}

/// ErrorResponse or NoticeResponse: severity, SQLSTATE, message.
fn notice(body: &[u8]) -> String {
    let mut parts = Vec::new();
    let mut rest = body;
    while let Some((field, after)) = rest.split_first() {
        if *field == 0 {
            break;
        }
        let (value, after) = until_zero(after);
        if matches!(field, b'V' | b'C' | b'M' | b'D' | b'H') {
            parts.push(shown(value));
        }
        rest = after;
    }
    parts.join(": ")
}

fn until_zero(bytes: &[u8]) -> (&[u8], &[u8]) {
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    let (text, rest) = bytes.split_at_checked(end).unwrap_or((bytes, &[]));
    (text, rest.get(1..).unwrap_or_default())
}

/// Text as it is, what is none (binary formats) as `\x` and hex.
fn shown(value: &[u8]) -> String {
    match std::str::from_utf8(value) {
        Ok(text) if !text.contains('\0') => printable(text).into_owned(),
        _ => value.iter().fold("\\x".to_owned(), |hex, byte| format!("{hex}{byte:02x}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(kind: u8, body: &[u8]) -> Vec<u8> {
        [&[kind][..], &u32::try_from(body.len() + 4).unwrap().to_be_bytes(), body].concat()
    }

    fn replay(bytes: &[u8]) -> String {
        let mut out = Vec::new();
        print_postgres(&mut out, bytes).unwrap();
        String::from_utf8(out).unwrap()
    }

    fn answer() -> Vec<u8> {
        let columns = [b"\0\x02id\0".as_slice(), &[1; 18], b"pan\0", &[0; 18]].concat();
        let row = [b"\0\x03".as_slice(), b"\0\0\0\x017", b"\0\0\0\x02\0\x09", b"\xff\xff\xff\xff"].concat();
        [
            message(b'T', &columns),
            message(b'D', &row),
            message(b'N', b"SNOTICE\0VNOTICE\0C00000\0Mwait\x1b\0\0"),
            message(b'C', b"SELECT 1\0"),
            message(b'Z', b"I"),
        ]
        .concat()
    }

    #[test]
    fn rows_notices_and_tags_are_shown() {
        let shown = "id\tpan\n7\t\\x0009\tNULL\n-- NOTICE: 00000: wait\\u{1b}\n-- SELECT 1\n";
        assert_eq!(replay(&answer()), shown);
    }

    #[test]
    fn any_cut_shows_what_is_whole() {
        let (whole, bytes) = (replay(&answer()), answer());
        for end in 0..bytes.len() {
            assert!(whole.starts_with(&replay(&bytes[..end])), "cut at {end}");
        }
    }

    #[test]
    fn bytes_that_are_no_messages_end_the_show() {
        for bad in [&b"D\0\0\0\x03"[..], b"D\xff\xff\xff\xff", &message(b'D', b"\0\x01\0\0\0\x09x"), b"\0"] {
            assert!(replay(bad).trim().is_empty());
        }
    }
}
