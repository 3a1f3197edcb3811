//! A record's binary form: tag byte, then the fields in the order given here. Numbers are varints (LEB128, shortest
//! form only), times 8 bytes, session and ticket numbers 16 bytes, digests 32, texts and bytes a varint length and
//! themselves; all little-endian. One record has one form: what decodes encodes to the same bytes again.
//! Leaves out compression, sealing and hashing (segment.rs).

use crate::record::{Record, SessionId, TicketId, Time};

/// Bytes of one encoded record at the most.
pub const RECORD_BYTES_MAX: usize = 16 << 20;

/// Why bytes are no record. Offsets count from the record's first byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// The bytes end inside a field.
    #[error("record ends inside a field at offset {0}")]
    Truncated(usize),
    /// The first byte names no kind of record.
    #[error("unknown kind of record {0}")]
    UnknownTag(u8),
    /// A number longer than 64 bits or not in its shortest form.
    #[error("bad number at offset {0}")]
    BadNumber(usize),
    /// A text is not UTF-8.
    #[error("text at offset {0} is not UTF-8")]
    BadText(usize),
    /// Bytes after the last field.
    #[error("{0} bytes after the record's end")]
    Trailing(usize),
    /// Longer than [`RECORD_BYTES_MAX`].
    #[error("record of {0} bytes is too large")]
    TooLarge(usize),
}

/// The layout in one place: encoding and decoding are made from the same list and cannot differ in order.
macro_rules! layout {
    ($($tag:literal => $variant:ident { $($field:ident),* })*) => {
        impl<'a> Record<'a> {
            /// Appends the record's binary form.
            pub fn encode(&self, out: &mut Vec<u8>) {
                match self {
                    $(Self::$variant { $($field),* } => {
                        out.push($tag);
                        $($field.put(out);)*
                    })*
                }
            }

            /// Reads one record, which must fill `bytes`. Texts and bytes are borrowed.
            pub fn decode(bytes: &'a [u8]) -> Result<Self, DecodeError> {
                if bytes.len() > RECORD_BYTES_MAX {
                    return Err(DecodeError::TooLarge(bytes.len()));
                }
                let mut reader = Reader { bytes, at: 0 };
                let [tag] = reader.array()?;
                let record = match tag {
                    $($tag => Self::$variant { $($field: Field::take(&mut reader)?),* },)*
                    _ => return Err(DecodeError::UnknownTag(tag)),
                };
                match bytes.len() - reader.at {
                    0 => Ok(record),
                    left => Err(DecodeError::Trailing(left)),
                }
            }
        }
    };
}

layout! {
    1 => SessionOpened {
        session, at, issuer, subject, requester, groups, claims, source, target, protocol, user, database,
        application, policies, snapshot
    }
    2 => LoginRefused { at, source, target, issuer, subject, reason }
    3 => Command { session, number, at, kind, text, parameters, objects, decision, rule, snapshot, masked }
    4 => Held { session, number, at, ticket, digest, rule, deadline }
    5 => Ruled { session, number, at, ticket, outcome, reviewers, reason }
    6 => Response { session, number, at, offset, bytes }
    7 => Finished { session, number, at, outcome, rows, bytes, masked, digest }
    8 => SessionClosed { session, at, how, commands, rows, bytes, masked }
    9 => System { at, event, actor, text }
    10 => SessionAttached { session, at, process, connection }
}

impl Record<'_> {
    /// Appends the record as batches hold it: u32 little-endian length, then its binary form. Where it would be
    /// longer than [`RECORD_BYTES_MAX`], `out` is left as it was.
    pub fn encode_framed(&self, out: &mut Vec<u8>) -> Result<(), DecodeError> {
        let start = out.len();
        out.extend_from_slice(&[0; 4]);
        self.encode(out);
        let length = out.len() - start - 4;
        if length > RECORD_BYTES_MAX {
            out.truncate(start);
            return Err(DecodeError::TooLarge(length));
        }
        if let Some(place) = out.get_mut(start..start + 4) {
            place.copy_from_slice(&(length as u32).to_le_bytes());
        }
        Ok(())
    }
}

/// The records of a batch (u32 little-endian length and record, repeated), each as its encoded bytes.
/// Yields `Err` once and ends where the lengths do not fit.
pub fn split(batch: &[u8]) -> Split<'_> {
    Split { rest: batch, at: 0 }
}

/// Iterator of [`split`].
#[derive(Clone)]
pub struct Split<'a> {
    rest: &'a [u8],
    at: usize,
}

impl<'a> Iterator for Split<'a> {
    type Item = Result<&'a [u8], DecodeError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let Some((prefix, rest)) = self.rest.split_first_chunk::<4>() else {
            self.rest = &[];
            return Some(Err(DecodeError::Truncated(self.at)));
        };
        let length = u32::from_le_bytes(*prefix) as usize;
        if length > RECORD_BYTES_MAX {
            self.rest = &[];
            return Some(Err(DecodeError::TooLarge(length)));
        }
        let Some((record, rest)) = rest.split_at_checked(length) else {
            self.rest = &[];
            return Some(Err(DecodeError::Truncated(self.at)));
        };
        self.rest = rest;
        self.at += 4 + length;
        Some(Ok(record))
    }
}

/// A checked position in a record.
struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Result<&'a [u8], DecodeError> {
        let end = self.at.checked_add(length).ok_or(DecodeError::Truncated(self.at))?;
        let taken = self.bytes.get(self.at..end).ok_or(DecodeError::Truncated(self.at))?;
        self.at = end;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let at = self.at;
        self.take(N)?.first_chunk().copied().ok_or(DecodeError::Truncated(at))
    }
}

/// One field's binary form.
trait Field<'a>: Sized {
    fn put(&self, out: &mut Vec<u8>);
    fn take(reader: &mut Reader<'a>) -> Result<Self, DecodeError>;
}

impl Field<'_> for u64 {
    fn put(&self, out: &mut Vec<u8>) {
        let mut rest = *self;
        while rest >= 0x80 {
            out.push(rest as u8 | 0x80);
            rest >>= 7;
        }
        out.push(rest as u8);
    }

    fn take(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let start = reader.at;
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let [byte] = reader.array()?;
            let bits = Self::from(byte & 0x7f);
            if bits << shift >> shift != bits || (byte == 0 && shift > 0) {
                return Err(DecodeError::BadNumber(start));
            }
            value |= bits << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(DecodeError::BadNumber(start))
    }
}

impl<'a> Field<'a> for &'a [u8] {
    fn put(&self, out: &mut Vec<u8>) {
        (self.len() as u64).put(out);
        out.extend_from_slice(self);
    }

    fn take(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let start = reader.at;
        let length = u64::take(reader)?;
        reader.take(usize::try_from(length).map_err(|_| DecodeError::Truncated(start))?)
    }
}

impl<'a> Field<'a> for &'a str {
    fn put(&self, out: &mut Vec<u8>) {
        self.as_bytes().put(out);
    }

    fn take(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let start = reader.at;
        std::str::from_utf8(<&[u8]>::take(reader)?).map_err(|_| DecodeError::BadText(start))
    }
}

impl Field<'_> for [u8; 32] {
    fn put(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self);
    }

    fn take(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        reader.array()
    }
}

impl Field<'_> for Time {
    fn put(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.0.to_le_bytes());
    }

    fn take(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self(u64::from_le_bytes(reader.array()?)))
    }
}

impl Field<'_> for SessionId {
    fn put(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.0.to_le_bytes());
    }

    fn take(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self(u128::from_le_bytes(reader.array()?)))
    }
}

impl Field<'_> for TicketId {
    fn put(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.0.to_le_bytes());
    }

    fn take(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self(u128::from_le_bytes(reader.array()?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn encoded(record: &Record<'_>) -> Vec<u8> {
        let mut out = Vec::new();
        record.encode(&mut out);
        out
    }

    /// Any record's fields, made from a few arbitrary values.
    fn records<'a>(text: &'a str, other: &'a str, bytes: &'a [u8], number: u64, id: u128) -> Vec<Record<'a>> {
        let (session, at, ticket) = (SessionId(id), Time(number ^ 7), TicketId(!id));
        vec![
            Record::SessionOpened {
                session,
                at,
                issuer: text,
                subject: other,
                requester: text,
                groups: other,
                claims: text,
                source: other,
                target: text,
                protocol: other,
                user: text,
                database: other,
                application: text,
                policies: other,
                snapshot: number,
            },
            Record::LoginRefused {
                at,
                source: text,
                target: other,
                issuer: text,
                subject: other,
                reason: text,
            },
            Record::Command {
                session,
                number,
                at,
                kind: text,
                text: other,
                parameters: text,
                objects: other,
                decision: text,
                rule: other,
                snapshot: number / 3,
                masked: number >> 60,
            },
            Record::Held { session, number, at, ticket, digest: text, rule: other, deadline: Time(number) },
            Record::Ruled { session, number, at, ticket, outcome: text, reviewers: other, reason: text },
            Record::Response { session, number, at, offset: number, bytes },
            Record::Finished {
                session,
                number,
                at,
                outcome: text,
                rows: 1,
                bytes: number,
                masked: 0,
                digest: [9; 32],
            },
            Record::SessionClosed { session, at, how: other, commands: number, rows: 0, bytes: 1, masked: 2 },
            Record::System { at, event: text, actor: other, text },
            Record::SessionAttached { session, at, process: number, connection: text },
        ]
    }

    proptest! {
        #[test]
        fn what_is_encoded_decodes_to_itself(
            text in "\\PC{0,40}", other in "[a-z]{0,200}", bytes in prop::collection::vec(any::<u8>(), 0..300),
            number: u64, id: u128,
        ) {
            for record in records(&text, &other, &bytes, number, id) {
                let form = encoded(&record);
                prop_assert_eq!(Record::decode(&form), Ok(record));
                for cut in 0..form.len() {
                    prop_assert!(Record::decode(&form[..cut]).is_err());
                }
            }
        }

        #[test]
        fn what_decodes_has_one_form(bytes in prop::collection::vec(any::<u8>(), 0..120), tag in 1u8..=9) {
            let mut bytes = bytes;
            bytes.insert(0, tag);
            if let Ok(record) = Record::decode(&bytes) {
                prop_assert_eq!(encoded(&record), bytes);
            }
        }

        #[test]
        fn a_batch_splits_into_its_records(lengths in prop::collection::vec(0usize..50, 0..20)) {
            let mut batch = Vec::new();
            for length in &lengths {
                batch.extend_from_slice(&(*length as u32).to_le_bytes());
                batch.resize(batch.len() + length, 7);
            }
            let split: Vec<usize> = split(&batch).map(|record| record.unwrap().len()).collect();
            prop_assert_eq!(split, lengths);
        }
    }

    #[test]
    fn each_error_has_its_cause() {
        let record = Record::System { at: Time(5), event: "started", actor: "gateway", text: "" };
        let good = encoded(&record);
        let changed = |change: &dyn Fn(&mut Vec<u8>)| {
            let mut bytes = good.clone();
            change(&mut bytes);
            Record::decode(&bytes).unwrap_err()
        };
        assert_eq!(changed(&|bytes| bytes.truncate(3)), DecodeError::Truncated(1));
        assert_eq!(changed(&|bytes| bytes[0] = 99), DecodeError::UnknownTag(99));
        assert_eq!(changed(&|bytes| bytes[10] = 0xff), DecodeError::BadText(9));
        assert_eq!(changed(&|bytes| bytes.push(0)), DecodeError::Trailing(1));
        assert_eq!(
            Record::decode(&vec![1; RECORD_BYTES_MAX + 1]),
            Err(DecodeError::TooLarge(RECORD_BYTES_MAX + 1))
        );
        // Seven as two bytes, and a number of 70 bits.
        assert_eq!(changed(&|bytes| drop(bytes.splice(9..10, [0x87, 0]))), DecodeError::BadNumber(9));
        assert_eq!(changed(&|bytes| drop(bytes.splice(9..10, [0xff; 10]))), DecodeError::BadNumber(9));
        assert_eq!(split(&[1, 0, 0]).next(), Some(Err(DecodeError::Truncated(0))));
        assert_eq!(split(&[1, 0, 0, 0]).next(), Some(Err(DecodeError::Truncated(0))));
        assert_eq!(split(&[0xff; 9]).next(), Some(Err(DecodeError::TooLarge(u32::MAX as usize))));
    }

    #[test]
    fn a_framed_record_that_is_too_large_leaves_the_batch_alone() {
        let bytes = vec![0; RECORD_BYTES_MAX];
        let large =
            Record::Response { session: SessionId(1), number: 1, at: Time(1), offset: 0, bytes: &bytes };
        let mut batch = vec![1, 2, 3];
        assert!(matches!(large.encode_framed(&mut batch), Err(DecodeError::TooLarge(_))));
        assert_eq!(batch, [1, 2, 3]);
    }

    #[test]
    fn json_shows_numbers_as_hex_and_bytes_as_base64() {
        let record =
            Record::Response { session: SessionId(0xab), number: 1, at: Time(2), offset: 3, bytes: b"abc" };
        let json = serde_json::to_value(record).unwrap();
        assert_eq!(
            json,
            serde_json::json!({
                "record": "response", "session": "000000000000000000000000000000ab", "number": 1, "at": 2,
                "offset": 3, "bytes": "YWJj"
            })
        );
        assert!(records("secret", "secret", b"secret", 1, 1).iter().all(|record| {
            serde_json::to_value(record).unwrap()["record"] == record.kind()
                && !format!("{record:?}").contains("secret")
        }));
    }
}
