//! Archived data, checked once and then read in place. The one unsafe call of this crate.
#![expect(unsafe_code, reason = "rkyv's safe access checks the whole archive again at each use")]

use std::marker::PhantomData;

use rkyv::Portable;
use rkyv::api::high::HighValidator;
use rkyv::bytecheck::CheckBytes;
use rkyv::rancor;
use rkyv::util::AlignedVec;

/// Bytes that hold a valid archived `T` at their end. They are owned, private, and never change after the check.
pub(crate) struct Checked<T> {
    bytes: AlignedVec,
    archived: PhantomData<fn() -> T>,
}

impl<T> Checked<T>
where
    T: Portable + for<'a> CheckBytes<HighValidator<'a, rancor::Error>>,
{
    /// Copies the bytes to where their alignment is right, and checks them.
    pub(crate) fn new(bytes: &[u8]) -> Result<Self, rancor::Error> {
        let mut aligned = AlignedVec::with_capacity(bytes.len());
        aligned.extend_from_slice(bytes);
        rkyv::access::<T, rancor::Error>(&aligned)?;
        Ok(Self { bytes: aligned, archived: PhantomData })
    }

    /// The archived value.
    pub(crate) fn get(&self) -> &T {
        // SAFETY: `new` has checked these very bytes for this very `T` at the same root position; nothing else makes a
        // `Checked`, and `bytes` is private and not changed since.
        unsafe { rkyv::access_unchecked::<T>(&self.bytes) }
    }
}
