//! Kernels that find where a card number may start, one of them chosen when a scanner is made.

mod all;
mod generic;
#[cfg(target_arch = "x86_64")]
#[expect(unsafe_code, reason = "vector loads, and calls of functions for instructions that were looked for")]
mod x86_64;

pub(crate) use all::Offers;

/// The instructions in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kernel {
    Portable,
    #[cfg(target_arch = "x86_64")]
    Avx2(x86_64::Avx2),
    #[cfg(target_arch = "x86_64")]
    Avx512(x86_64::Avx512),
}

impl Kernel {
    /// The fastest one that this processor runs.
    pub(crate) fn detect() -> Kernel {
        Kernel::available().last().unwrap_or(Kernel::Portable)
    }

    /// All that this processor runs, the slowest first.
    pub(crate) fn available() -> impl Iterator<Item = Kernel> {
        let kernels = std::iter::once(Kernel::Portable);
        #[cfg(target_arch = "x86_64")]
        let kernels = kernels
            .chain(x86_64::Avx2::detect().map(Kernel::Avx2))
            .chain(x86_64::Avx512::detect().map(Kernel::Avx512));
        kernels
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Kernel::Portable => "portable",
            #[cfg(target_arch = "x86_64")]
            Kernel::Avx2(_) => "avx2",
            #[cfg(target_arch = "x86_64")]
            Kernel::Avx512(_) => "avx512",
        }
    }

    /// The first block at or after `from` with offers, and they. `loose`: see `all::offers`.
    fn next(self, bytes: &[u8], from: usize, loose: bool) -> Option<Offers> {
        match self {
            Kernel::Portable => generic::next(bytes, from, loose),
            #[cfg(target_arch = "x86_64")]
            Kernel::Avx2(kernel) => kernel.next(bytes, from, loose),
            #[cfg(target_arch = "x86_64")]
            Kernel::Avx512(kernel) => kernel.next(bytes, from, loose),
        }
    }
}

/// Places where a number may start, in order. It holds no borrow: the bytes may be masked between two calls, which
/// only takes digits away.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Starts {
    kernel: Kernel,
    loose: bool,
    offers: Offers,
    next: usize,
}

impl Starts {
    /// Runs of digits from `from` on.
    pub(crate) fn new(kernel: Kernel, from: usize) -> Starts {
        Starts { kernel, loose: false, offers: Offers { base: from, bits: 0 }, next: from }
    }

    /// Any digits from `from` on, as if what is before each were cut off.
    pub(crate) fn loose(kernel: Kernel, from: usize) -> Starts {
        Starts { loose: true, ..Starts::new(kernel, from) }
    }

    /// The next place in `bytes`.
    #[inline]
    pub(crate) fn next(&mut self, bytes: &[u8]) -> Option<usize> {
        if self.offers.bits == 0 {
            self.offers = self.kernel.next(bytes, self.next, self.loose)?;
            self.next = self.offers.base + all::STEP;
        }
        let place = self.offers.bits.trailing_zeros() as usize;
        self.offers.bits &= self.offers.bits - 1;
        Some(self.offers.base + place)
    }
}
