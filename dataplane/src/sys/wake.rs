//! An eventfd: one thread wakes another's ring.
#![expect(unsafe_code, reason = "eventfd has no safe wrapper in the standard library")]

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::sync::Arc;

/// Wakes the ring that polls it. Clones share one descriptor.
#[derive(Clone)]
pub struct Wake(Arc<File>);

impl Wake {
    /// A new eventfd, not blocking.
    pub fn new() -> io::Result<Self> {
        // SAFETY: no memory is passed; a non-negative result is a descriptor that nobody else owns.
        let fd = unsafe { libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) };
        if fd < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: as above.
        Ok(Self(Arc::new(File::from(unsafe { OwnedFd::from_raw_fd(fd) }))))
    }

    /// Wakes.
    pub fn wake(&self) {
        // It fails only when the counter is full: then it is readable already.
        let _ = (&*self.0).write(&1_u64.to_ne_bytes());
    }

    /// Takes the wake-ups so far.
    pub fn take(&self) {
        let mut count = [0; 8];
        // It fails only when there was none.
        let _ = (&*self.0).read(&mut count);
    }

    /// The descriptor, to be polled.
    pub fn descriptor(&self) -> RawFd {
        self.0.as_raw_fd()
    }
}
