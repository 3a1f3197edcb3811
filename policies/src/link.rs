//! Messages between dataplane and mgmt over their Unix socket: versioned, bounded, checked before use. Framing:
//! u32 big-endian length of what follows, u8 version, rkyv bytes. The socket itself is the two processes' own.

use std::marker::PhantomData;

use rkyv::rancor;
use rkyv::util::AlignedVec;

mod messages;

pub use messages::{Algorithm, Health, IssuerKeys, TicketRuling, ToDataplane, ToMgmt, VerificationKey};

/// Version of these messages; another is refused.
pub const VERSION: u8 = 1;
/// Bytes of one message at the most: what the length field may say.
pub const MESSAGE_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Bytes before a message: the length field.
const LENGTH_BYTES: usize = 4;

/// Why bytes are no message, or a message cannot be sent. The connection that gave them ends.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// A message longer than [`MESSAGE_BYTES_MAX`], by its length field or about to be sent.
    #[error("message of {bytes} bytes; at most {MESSAGE_BYTES_MAX} are taken")]
    TooLarge {
        /// Its length.
        bytes: usize,
    },
    /// A length of 0: not even a version.
    #[error("message without a version")]
    Empty,
    /// A peer of another version.
    #[error("message version {found}; this side speaks {VERSION}")]
    Version {
        /// What came.
        found: u8,
    },
    /// The bytes are no message of this direction.
    #[error("message that does not decode")]
    Malformed,
    /// An earlier error ended this decoder.
    #[error("the link has failed before")]
    Poisoned,
}

/// A message of one direction: [`ToMgmt`] or [`ToDataplane`].
pub trait Message: Sized + private::Sealed {
    /// Its rkyv bytes.
    #[doc(hidden)]
    fn write(&self) -> Result<AlignedVec, LinkError>;
    /// Checks the bytes and reads the message.
    #[doc(hidden)]
    fn read(bytes: &AlignedVec) -> Result<Self, LinkError>;
}

mod private {
    pub trait Sealed {}
    impl Sealed for super::ToMgmt {}
    impl Sealed for super::ToDataplane {}
}

macro_rules! message {
    ($name:ty) => {
        impl Message for $name {
            fn write(&self) -> Result<AlignedVec, LinkError> {
                rkyv::to_bytes::<rancor::Error>(self).map_err(|_| LinkError::Malformed)
            }

            fn read(bytes: &AlignedVec) -> Result<Self, LinkError> {
                rkyv::from_bytes::<Self, rancor::Error>(bytes).map_err(|_| LinkError::Malformed)
            }
        }
    };
}
message!(ToMgmt);
message!(ToDataplane);

/// The bytes of one message, framed. Fails where they are over [`MESSAGE_BYTES_MAX`].
pub fn encode<M: Message>(message: &M) -> Result<Vec<u8>, LinkError> {
    let body = message.write()?;
    let bytes = body.len().saturating_add(1);
    let length = match u32::try_from(bytes) {
        Ok(length) if bytes <= MESSAGE_BYTES_MAX => length,
        _ => return Err(LinkError::TooLarge { bytes }),
    };
    let mut framed = Vec::with_capacity(LENGTH_BYTES + bytes);
    framed.extend_from_slice(&length.to_be_bytes());
    framed.push(VERSION);
    framed.extend_from_slice(&body);
    Ok(framed)
}

/// Takes bytes as they come and gives whole messages. An error ends it: it never goes on behind bytes not understood.
#[derive(Debug)]
pub struct Decoder<M> {
    /// Received and not yet decoded; begins at a length field.
    buffer: Vec<u8>,
    /// How much of `buffer`'s front has been decoded.
    taken: usize,
    poisoned: bool,
    message: PhantomData<fn() -> M>,
}

impl<M: Message> Default for Decoder<M> {
    fn default() -> Self {
        Self::new()
    }
}

impl<M: Message> Decoder<M> {
    /// One without bytes.
    #[must_use]
    pub const fn new() -> Self {
        Self { buffer: Vec::new(), taken: 0, poisoned: false, message: PhantomData }
    }

    /// Takes bytes. Call [`Self::next`] until it gives `None` before pushing more: what is kept is then less than one
    /// message of [`MESSAGE_BYTES_MAX`].
    pub fn push(&mut self, bytes: &[u8]) {
        if self.poisoned {
            return;
        }
        self.buffer.drain(..self.taken);
        self.taken = 0;
        self.buffer.extend_from_slice(bytes);
    }

    /// The next whole message; `None`: more bytes are needed. A length or version that is refused is refused before
    /// the rest of its message has come.
    #[expect(clippy::should_implement_trait, reason = "fallible, and None here means more may come")]
    pub fn next(&mut self) -> Result<Option<M>, LinkError> {
        if self.poisoned {
            return Err(LinkError::Poisoned);
        }
        let result = self.decode();
        if result.is_err() {
            self.poisoned = true;
            self.buffer = Vec::new();
            self.taken = 0;
        }
        result
    }

    fn decode(&mut self) -> Result<Option<M>, LinkError> {
        let pending = self.buffer.get(self.taken..).unwrap_or_default();
        let Some((length, rest)) = pending.split_first_chunk::<LENGTH_BYTES>() else {
            return Ok(None);
        };
        let length = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX);
        if length == 0 {
            return Err(LinkError::Empty);
        }
        if length > MESSAGE_BYTES_MAX {
            return Err(LinkError::TooLarge { bytes: length });
        }
        match rest.first() {
            None => return Ok(None),
            Some(&VERSION) => {}
            Some(&found) => return Err(LinkError::Version { found }),
        }
        let Some(body) = rest.get(1..length) else {
            return Ok(None);
        };
        // rkyv reads in place and needs its alignment, which a frame inside a stream does not have.
        let mut aligned = AlignedVec::with_capacity(body.len());
        aligned.extend_from_slice(body);
        let message = M::read(&aligned)?;
        self.taken += LENGTH_BYTES + length;
        Ok(Some(message))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::approval::{Grant, Ticket};

    fn hello() -> ToMgmt {
        ToMgmt::Hello { instance: "gate-1".into(), shards: 4, snapshot: 7 }
    }

    fn frame(version: u8, body: &[u8]) -> Vec<u8> {
        let length = u32::try_from(body.len() + 1).unwrap();
        [&length.to_be_bytes()[..], &[version], body].concat()
    }

    fn only_error<M: Message + std::fmt::Debug>(bytes: &[u8]) -> LinkError {
        let mut decoder = Decoder::<M>::new();
        decoder.push(bytes);
        let error = decoder.next().unwrap_err();
        decoder.push(&encode(&hello()).unwrap());
        assert_eq!(decoder.next().unwrap_err(), LinkError::Poisoned, "an error ends the decoder");
        error
    }

    #[test]
    fn refuses_another_version_before_the_body_has_come() {
        let framed = frame(VERSION + 1, &[0; 100]);
        assert_eq!(only_error::<ToMgmt>(&framed[..5]), LinkError::Version { found: VERSION + 1 });
    }

    #[test]
    fn refuses_a_length_over_the_bound_before_the_body_has_come() {
        let length = u32::try_from(MESSAGE_BYTES_MAX + 1).unwrap().to_be_bytes();
        assert_eq!(only_error::<ToMgmt>(&length), LinkError::TooLarge { bytes: MESSAGE_BYTES_MAX + 1 });
    }

    #[test]
    fn refuses_an_empty_message() {
        assert_eq!(only_error::<ToMgmt>(&[0; 4]), LinkError::Empty);
    }

    #[test]
    fn refuses_garbage() {
        assert_eq!(only_error::<ToDataplane>(&frame(VERSION, &[0xff; 64])), LinkError::Malformed);
        assert_eq!(only_error::<ToMgmt>(&frame(VERSION, &[])), LinkError::Malformed);
    }

    #[test]
    fn refuses_to_encode_over_the_bound() {
        let message = ToDataplane::Snapshot { bytes: vec![0; MESSAGE_BYTES_MAX] };
        assert!(matches!(encode(&message), Err(LinkError::TooLarge { .. })));
    }

    #[test]
    fn waits_for_the_rest_at_every_cut() {
        let framed = encode(&hello()).unwrap();
        for cut in 0..framed.len() {
            let mut decoder = Decoder::<ToMgmt>::new();
            decoder.push(&framed[..cut]);
            assert_eq!(decoder.next(), Ok(None), "cut at {cut}");
            decoder.push(&framed[cut..]);
            assert_eq!(decoder.next(), Ok(Some(hello())), "cut at {cut}");
            assert_eq!(decoder.next(), Ok(None), "cut at {cut}");
        }
    }

    #[test]
    fn every_changed_byte_is_refused_or_read_as_some_message() {
        let framed = encode(&hello()).unwrap();
        for at in 0..framed.len() {
            for bit in 0..8 {
                let mut changed = framed.clone();
                changed[at] ^= 1 << bit;
                let mut decoder = Decoder::<ToMgmt>::new();
                decoder.push(&changed);
                let _ = decoder.next();
            }
        }
    }

    fn text() -> impl Strategy<Value = String> {
        proptest::string::string_regex(".{0,40}").unwrap()
    }

    fn ticket() -> impl Strategy<Value = ToMgmt> {
        let parameters = proptest::collection::vec(proptest::option::of(text()), 0..4);
        (any::<[u128; 2]>(), [text(), text(), text()], parameters, any::<[u8; 32]>(), any::<u64>()).prop_map(
            |([id, session], [issuer, subject, statement], parameters, digest, opened_ms)| {
                ToMgmt::Ticket(Ticket {
                    id,
                    session,
                    issuer,
                    subject: subject.clone(),
                    requester: subject,
                    groups: vec!["batch".into()],
                    source: "127.0.0.1:1".into(),
                    target: "payments".into(),
                    statement,
                    parameters,
                    masked: 0,
                    objects: vec!["public.cards".into()],
                    rule: "settlement/touches".into(),
                    snapshot: 3,
                    digest,
                    reviewers: vec!["pci".into()],
                    count: 2,
                    grant: Grant::Window(60),
                    opened_ms,
                    deadline_ms: opened_ms.saturating_add(1),
                })
            },
        )
    }

    fn to_mgmt() -> impl Strategy<Value = ToMgmt> {
        let health = (any::<[u64; 5]>(), proptest::result::maybe_ok(Just(()), text())).prop_map(
            |([sessions, commands, held, masked, snapshot], recording)| {
                let troubles = vec![("payments".to_owned(), "refused".to_owned())];
                ToMgmt::Health(Health { sessions, commands, held, masked, recording, snapshot, troubles })
            },
        );
        prop_oneof![
            (text(), any::<u16>(), any::<u64>()).prop_map(|(instance, shards, snapshot)| ToMgmt::Hello {
                instance,
                shards,
                snapshot
            }),
            health,
            ticket(),
            (any::<u128>(), text()).prop_map(|(ticket, reason)| ToMgmt::Withdrawn { ticket, reason }),
            (any::<u128>(), text()).prop_map(|(ticket, outcome)| ToMgmt::Settled { ticket, outcome }),
            (any::<u64>(), proptest::option::of(text()))
                .prop_map(|(version, error)| ToMgmt::Applied { version, error }),
            (text(), text()).prop_map(|(origin, note)| ToMgmt::Checkpoint { origin, note }),
        ]
    }

    fn to_dataplane() -> impl Strategy<Value = ToDataplane> {
        let bytes = || proptest::collection::vec(any::<u8>(), 0..300);
        let key = (text(), bytes()).prop_map(|(id, material)| VerificationKey {
            id,
            algorithm: Algorithm::Es256,
            material,
        });
        let keys = (text(), any::<u64>(), proptest::collection::vec(key, 0..3))
            .prop_map(|(issuer, fetched_s, keys)| IssuerKeys { issuer, fetched_s, keys });
        prop_oneof![
            bytes().prop_map(|bytes| ToDataplane::Snapshot { bytes }),
            proptest::collection::vec(keys, 0..3).prop_map(ToDataplane::Keys),
            (any::<u128>(), any::<[u8; 32]>(), any::<bool>(), text()).prop_map(
                |(ticket, digest, approved, reason)| {
                    let reviewers = vec!["alice".into(), "bob".into()];
                    ToDataplane::Ruling(TicketRuling { ticket, digest, approved, reviewers, reason })
                }
            ),
            (any::<u128>(), any::<u64>(), [text(), text(), text()]).prop_map(
                |(id, at_us, [event, actor, text])| ToDataplane::Event { id, at_us, event, actor, text }
            ),
        ]
    }

    /// Feeds `framed` in pieces of `piece` bytes and gives every message that comes out.
    fn decode_all<M: Message>(framed: &[u8], piece: usize) -> Vec<M> {
        let mut decoder = Decoder::new();
        let mut messages = Vec::new();
        for chunk in framed.chunks(piece) {
            decoder.push(chunk);
            while let Some(message) = decoder.next().unwrap() {
                messages.push(message);
            }
        }
        messages
    }

    proptest! {
        #[test]
        fn what_is_encoded_decodes_in_any_pieces(
            messages in proptest::collection::vec(to_mgmt(), 0..5), piece in 1_usize..200
        ) {
            let framed: Vec<u8> = messages.iter().flat_map(|message| encode(message).unwrap()).collect();
            prop_assert_eq!(decode_all::<ToMgmt>(&framed, piece), messages);
        }

        #[test]
        fn the_other_direction_too(
            messages in proptest::collection::vec(to_dataplane(), 0..5), piece in 1_usize..200
        ) {
            let framed: Vec<u8> = messages.iter().flat_map(|message| encode(message).unwrap()).collect();
            prop_assert_eq!(decode_all::<ToDataplane>(&framed, piece), messages);
        }

        #[test]
        fn any_bytes_are_an_error_or_a_message(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let mut decoder = Decoder::<ToDataplane>::new();
            decoder.push(&frame(VERSION, &bytes));
            let _ = decoder.next();
            let mut decoder = Decoder::<ToMgmt>::new();
            decoder.push(&bytes);
            while let Ok(Some(_)) = decoder.next() {}
        }
    }
}
