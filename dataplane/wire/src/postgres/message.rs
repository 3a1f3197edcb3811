//! Views of message bodies: fields borrow from the bytes in hand. A view exists only of a message that is well formed
//! to its last byte. Leaves out what the fields mean for the session.

use crate::ask::Parameters;
use crate::cursor::Cursor;
use crate::{Error, Side};

/// Parse: name, text, parameter types.
pub(crate) struct Parse<'a> {
    pub(crate) name: &'a [u8],
    pub(crate) text: &'a [u8],
}

impl<'a> Parse<'a> {
    pub(crate) fn read(body: &'a [u8]) -> Result<Self, Error> {
        let mut cursor = Cursor::new(Side::Client, body);
        let name = cursor.text("Parse: the statement's name has no end")?;
        let text = cursor.text("Parse: the text has no end")?;
        let types = usize::from(cursor.u16("Parse: no count of parameter types")?);
        cursor.take(types * 4, "Parse: parameter types are missing")?;
        cursor.end("Parse: bytes after the parameter types")?;
        Ok(Self { name, text })
    }
}

/// Bind: portal, statement, parameters, result formats.
pub(crate) struct Bind<'a> {
    pub(crate) portal: &'a [u8],
    pub(crate) statement: &'a [u8],
    pub(crate) parameters: Parameters<'a>,
    /// Format codes, int16 each: none (all text), one (for all), or one a column.
    pub(crate) results: &'a [u8],
}

impl<'a> Bind<'a> {
    pub(crate) fn read(body: &'a [u8]) -> Result<Self, Error> {
        let mut cursor = Cursor::new(Side::Client, body);
        let portal = cursor.text("Bind: the portal's name has no end")?;
        let statement = cursor.text("Bind: the statement's name has no end")?;
        let formats = read_formats(&mut cursor)?;
        let count = cursor.u16("Bind: no count of parameters")?;
        if formats.len() > 2 && formats.len() != usize::from(count) * 2 {
            return Err(cursor.malformed("Bind: as many formats as parameters are due"));
        }
        let framed = cursor.rest();
        let start = cursor.offset();
        for _ in 0..count {
            if let Some(length) = cursor.length("Bind: a parameter's length is missing or negative")? {
                cursor.take(length, "Bind: a parameter is cut short")?;
            }
        }
        let framed = framed.get(..cursor.offset() - start).unwrap_or_default();
        let results = read_formats(&mut cursor)?;
        cursor.end("Bind: bytes after the result formats")?;
        Ok(Self {
            portal,
            statement,
            parameters: Parameters { framed, formats, count: count.into() },
            results,
        })
    }
}

fn read_formats<'a>(cursor: &mut Cursor<'a>) -> Result<&'a [u8], Error> {
    let count = usize::from(cursor.u16("Bind: no count of formats")?);
    let formats = cursor.take(count * 2, "Bind: formats are missing")?;
    if formats.chunks_exact(2).any(|code| code != [0, 0] && code != [0, 1]) {
        return Err(cursor.malformed("Bind: a format is neither text nor binary"));
    }
    Ok(formats)
}

/// What Describe and Close name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Named<'a> {
    Statement(&'a [u8]),
    Portal(&'a [u8]),
}

impl<'a> Named<'a> {
    pub(crate) fn read(body: &'a [u8]) -> Result<Self, Error> {
        let mut cursor = Cursor::new(Side::Client, body);
        let kind = cursor.u8("no kind of what is described or closed")?;
        let name = cursor.text("a name has no end")?;
        cursor.end("bytes after the name")?;
        match kind {
            b'S' => Ok(Self::Statement(name)),
            b'P' => Ok(Self::Portal(name)),
            _ => Err(cursor.malformed("neither a statement nor a portal is named")),
        }
    }
}

/// Execute: the portal (and a row limit, which only the target needs).
pub(crate) fn read_execute(body: &[u8]) -> Result<&[u8], Error> {
    let mut cursor = Cursor::new(Side::Client, body);
    let portal = cursor.text("Execute: the portal's name has no end")?;
    cursor.u32("Execute: no row limit")?;
    cursor.end("Execute: bytes after the row limit")?;
    Ok(portal)
}

/// A body that is one text (Query, CopyFail, PasswordMessage).
pub(crate) fn read_text(side: Side, body: &[u8]) -> Result<&[u8], Error> {
    let mut cursor = Cursor::new(side, body);
    let text = cursor.text("a text has no end")?;
    cursor.end("bytes after the text's end")?;
    Ok(text)
}

/// ParameterStatus: name and value.
pub(crate) fn read_setting(body: &[u8]) -> Result<(&[u8], &[u8]), Error> {
    let mut cursor = Cursor::new(Side::Server, body);
    let name = cursor.text("ParameterStatus: the name has no end")?;
    let value = cursor.text("ParameterStatus: the value has no end")?;
    cursor.end("ParameterStatus: bytes after the value")?;
    Ok((name, value))
}

/// What an ErrorResponse or NoticeResponse is, its fields checked to the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Report {
    pub(crate) sqlstate: [u8; 5],
    /// It ends the session.
    pub(crate) fatal: bool,
}

impl Report {
    pub(crate) fn read(body: &[u8]) -> Result<Self, Error> {
        let mut cursor = Cursor::new(Side::Server, body);
        let mut report = Self { sqlstate: *b"XX000", fatal: false };
        loop {
            let field = cursor.u8("an error's fields have no end")?;
            if field == 0 {
                break;
            }
            let text = cursor.text("an error's field has no end")?;
            match (field, text.first_chunk::<5>()) {
                (b'V', _) => report.fatal = matches!(text, b"FATAL" | b"PANIC"),
                (b'C', Some(code)) if text.len() == 5 && code.iter().all(u8::is_ascii_alphanumeric) => {
                    report.sqlstate = *code;
                }
                (b'C', _) => return Err(cursor.malformed("an error's code is no SQLSTATE")),
                _ => {}
            }
        }
        cursor.end("bytes after an error's fields")?;
        Ok(report)
    }
}

/// The head of CopyInResponse and CopyOutResponse: whether the data are binary.
pub(crate) fn read_copy(body: &[u8]) -> Result<bool, Error> {
    let mut cursor = Cursor::new(Side::Server, body);
    let binary = match cursor.u8("COPY: no format")? {
        0 => false,
        1 => true,
        _ => return Err(cursor.malformed("COPY: a format that is neither text nor binary")),
    };
    let columns = usize::from(cursor.u16("COPY: no count of columns")?);
    let formats = cursor.take(columns * 2, "COPY: columns' formats are missing")?;
    cursor.end("COPY: bytes after the columns' formats")?;
    if !binary && formats.iter().any(|byte| *byte != 0) {
        return Err(cursor.malformed("COPY: a binary column in a text format"));
    }
    Ok(binary)
}

/// The number at the end of a command's tag (`UPDATE 3`, `INSERT 0 1`), or 0.
pub(crate) fn rows_of_tag(tag: &[u8]) -> u64 {
    let digits = tag.rsplit(|byte| *byte == b' ').next().unwrap_or_default();
    core::str::from_utf8(digits).ok().and_then(|digits| digits.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bind_gives_parameters_as_they_came() {
        let body = b"p\0s\0\0\x01\0\x01\0\x02\0\0\0\x02ab\xff\xff\xff\xff\0\x01\0\x00";
        let bind = Bind::read(body).unwrap();
        assert_eq!((bind.portal, bind.statement), (&b"p"[..], &b"s"[..]));
        let values: alloc::vec::Vec<_> = bind.parameters.iter().map(|p| (p.value, p.binary)).collect();
        assert_eq!(values, [(Some(&b"ab"[..]), true), (None, true)]);
        assert_eq!(bind.results, [0, 0]);
        for cut in 0..body.len() {
            assert!(Bind::read(&body[..cut]).is_err(), "{cut}");
        }
        assert!(Bind::read(b"p\0s\0\0\0\0\0\0\0x").is_err());
        assert!(Bind::read(b"\0\0\0\0\0\0\0\x01\0\x02").is_err(), "format 2");
        assert!(Bind::read(b"\0\0\0\x02\0\0\0\0\0\0\0\0").is_err(), "two formats, no parameter");
    }

    #[test]
    fn the_others_refuse_what_is_cut_or_too_long() {
        assert!(Parse::read(b"s\0select 1\0\0\x01\0\0\0\x17").is_ok());
        assert!(Parse::read(b"s\0select 1\0\0\x01\0\0\0").is_err());
        assert!(Parse::read(b"s\0select 1\0\0\0x").is_err());
        assert_eq!(Named::read(b"Ss\0"), Ok(Named::Statement(b"s")));
        assert_eq!(Named::read(b"P\0"), Ok(Named::Portal(b"")));
        assert!(Named::read(b"X\0").is_err());
        assert_eq!(read_execute(b"p\0\0\0\0\0"), Ok(&b"p"[..]));
        assert!(read_execute(b"p\0\0\0\0").is_err());
        assert!(read_text(Side::Client, b"a\0b\0").is_err());
        let report = Report { sqlstate: *b"42601", fatal: true };
        assert_eq!(Report::read(b"SFATAL\0VFATAL\0C42601\0Mno\0\0"), Ok(report));
        assert!(Report::read(b"SERROR\0C42601\0Mno\0").is_err());
        assert!(Report::read(b"C4260\0\0").is_err());
        assert!(Report::read(b"C42601\0\0x").is_err());
        assert_eq!(read_copy(b"\0\0\x01\0\0"), Ok(false));
        assert_eq!(read_copy(b"\x01\0\x01\0\x01"), Ok(true));
        assert!(read_copy(b"\0\0\x01\0\x01").is_err());
        assert_eq!(read_setting(b"a\0b\0"), Ok((&b"a"[..], &b"b"[..])));
        assert!(read_setting(b"a\0b\0c").is_err());
        assert_eq!(rows_of_tag(b"INSERT 0 17"), 17);
        assert_eq!(rows_of_tag(b"BEGIN"), 0);
    }
}
