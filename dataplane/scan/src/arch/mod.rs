//! Kernels that find where a card number may start.

mod generic;

/// The instructions in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kernel {
    Portable,
}

impl Kernel {
    pub(crate) fn detect() -> Kernel {
        Kernel::Portable
    }

    pub(crate) fn available() -> impl Iterator<Item = Kernel> {
        [Kernel::Portable].into_iter()
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Kernel::Portable => "portable",
        }
    }

    /// The first run of digits at or after `from` that may begin a number.
    pub(crate) fn next_start(self, bytes: &[u8], from: usize) -> Option<usize> {
        generic::next_start(bytes, from)
    }

    /// The first digit at or after `from` that may begin a number, digits before it or not.
    pub(crate) fn next_loose(self, bytes: &[u8], from: usize) -> Option<usize> {
        generic::next_loose(bytes, from)
    }
}
