//! The rounds of a target's authentication plugins, with the gateway as the client. Leaves out their arithmetic
//! (`scramble.rs`) and the packets around them (`auth.rs`).
//!
//! The password goes out in the clear inside TLS alone. Without TLS the two plugins of SHA-256 have it encrypted with a
//! key that the target sends, which whoever stands between could be: that is what a manifest that turns TLS off accepts.

use alloc::vec::Vec;

use zeroize::Zeroizing;

use super::handshake::SCRAMBLE_BYTES;
use super::scramble::{self, NONCE_BYTES};
use crate::limits::SCRAMBLE_BYTES_MAX;
use crate::{Error, Secret, Side};

/// A plugin that the gateway speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Plugin {
    Native,
    CachingSha2,
    Sha256,
    Clear,
    Ed25519,
    Parsec,
}

const NAMES: [(Plugin, &str); 6] = [
    (Plugin::Native, "mysql_native_password"),
    (Plugin::CachingSha2, "caching_sha2_password"),
    (Plugin::Sha256, "sha256_password"),
    (Plugin::Clear, "mysql_clear_password"),
    (Plugin::Ed25519, "client_ed25519"),
    (Plugin::Parsec, "parsec"),
];

/// caching_sha2_password: the server knows the password's hash.
const FAST: &[u8] = &[3];
/// caching_sha2_password: it does not, and wants the password.
const FULL: &[u8] = &[4];

/// What a plugin says next.
pub(crate) type Answer = Zeroizing<Vec<u8>>;

impl Plugin {
    pub(crate) fn named(name: &[u8]) -> Option<Self> {
        NAMES.iter().find(|(_, known)| known.as_bytes() == name).map(|(plugin, _)| *plugin)
    }

    pub(crate) fn name(self) -> &'static str {
        NAMES.iter().find(|(plugin, _)| *plugin == self).map_or("", |(_, name)| name)
    }
}

enum Stage {
    /// It has said what it had to say.
    Said,
    /// As well; caching_sha2_password's server may want more.
    Offered,
    /// The server's key has been asked for.
    Key,
    /// PARSEC's salt.
    Salt([u8; NONCE_BYTES]),
}

/// A plugin's exchange with the target.
pub(crate) struct Exchange {
    pub(crate) plugin: Plugin,
    stage: Stage,
    scramble: Vec<u8>,
}

/// Who logs in, and over what.
pub(crate) struct Holder<'a> {
    pub(crate) password: &'a Secret,
    pub(crate) secured: bool,
}

fn misbehaved(what: &'static str) -> Error {
    Error::Misbehaved { side: Side::Server, what }
}

fn unsupported(what: &'static str) -> Error {
    Error::Unsupported { side: Side::Server, what }
}

fn malformed(what: &'static str) -> Error {
    Error::Malformed { side: Side::Server, offset: 0, what }
}

impl Holder<'_> {
    fn clear(&self) -> Answer {
        let password = self.password.expose();
        let mut answer = Zeroizing::new(Vec::with_capacity(password.len() + 1));
        answer.extend_from_slice(password);
        answer.push(0);
        answer
    }

    fn is_empty(&self) -> bool {
        self.password.expose().is_empty()
    }
}

impl Exchange {
    /// Begins, with the scramble that the target has sent for it; what it says first.
    pub(crate) fn begin(
        plugin: Plugin,
        scramble: &[u8],
        holder: &Holder<'_>,
    ) -> Result<(Self, Answer), Error> {
        if scramble.len() > SCRAMBLE_BYTES_MAX {
            return Err(Error::TooLarge { side: Side::Server, what: "a scramble", most: SCRAMBLE_BYTES_MAX });
        }
        let (stage, answer) = match plugin {
            Plugin::Native | Plugin::CachingSha2 | Plugin::Sha256 if scramble.len() != SCRAMBLE_BYTES => {
                return Err(malformed("a scramble that is not 20 bytes long"));
            }
            Plugin::Native | Plugin::CachingSha2 if holder.is_empty() => (Stage::Said, Answer::default()),
            Plugin::Native => (Stage::Said, scramble::native(holder.password, scramble).into()),
            Plugin::CachingSha2 => (Stage::Offered, scramble::caching_sha2(holder.password, scramble).into()),
            Plugin::Sha256 if holder.secured || holder.is_empty() => (Stage::Said, holder.clear()),
            // The request for its key.
            Plugin::Sha256 => (Stage::Key, alloc::vec![1].into()),
            Plugin::Clear if holder.secured => (Stage::Said, holder.clear()),
            Plugin::Clear => return Err(unsupported("asks for a password in the clear without TLS")),
            Plugin::Ed25519 => (Stage::Said, scramble::ed25519(holder.password, &nonce(scramble)?)?.into()),
            // An empty packet asks for the salt.
            Plugin::Parsec => (Stage::Salt(nonce(scramble)?), Answer::default()),
        };
        Ok((Self { plugin, stage, scramble: scramble.into() }, answer))
    }

    /// Goes on with what the target's side of the plugin says; `None`: there is nothing to say to it.
    pub(crate) fn more(&mut self, said: &[u8], holder: &Holder<'_>) -> Result<Option<Answer>, Error> {
        let stage = core::mem::replace(&mut self.stage, Stage::Said);
        match stage {
            Stage::Offered if said == FAST => Ok(None),
            Stage::Offered if said == FULL && holder.secured => Ok(Some(holder.clear())),
            Stage::Offered if said == FULL => {
                self.stage = Stage::Key;
                Ok(Some(alloc::vec![2].into()))
            }
            Stage::Key => {
                scramble::encrypted(holder.password, &self.scramble, said).map(|sent| Some(sent.into()))
            }
            Stage::Salt(nonce) => {
                scramble::parsec(holder.password, &nonce, said).map(|sent| Some(sent.into()))
            }
            Stage::Said | Stage::Offered => Err(misbehaved("a plugin that goes on when it is done")),
        }
    }
}

fn nonce(scramble: &[u8]) -> Result<[u8; NONCE_BYTES], Error> {
    scramble.try_into().map_err(|_| malformed("a scramble that is not 32 bytes long"))
}
