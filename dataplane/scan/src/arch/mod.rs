//! Kernels that find where a card number may start, one of them chosen when a scanner is made.

#[cfg(target_arch = "aarch64")]
#[expect(unsafe_code, reason = "vector loads, and calls of functions for instructions that were looked for")]
mod aarch64;
mod all;
mod generic;
#[cfg(target_arch = "x86_64")]
#[expect(unsafe_code, reason = "vector loads, and calls of functions for instructions that were looked for")]
mod x86_64;

use crate::brands::RUN_MAX;
use crate::bytes::{run, tally};
use all::{Batch, Offers};
use std::hint::select_unpredictable;

/// The instructions in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kernel {
    Portable,
    #[cfg(target_arch = "x86_64")]
    Avx2(x86_64::Avx2),
    #[cfg(target_arch = "x86_64")]
    Avx512(x86_64::Avx512),
    #[cfg(target_arch = "x86_64")]
    Vbmi(x86_64::Vbmi),
    #[cfg(target_arch = "aarch64")]
    Neon(aarch64::Neon),
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
            .chain(x86_64::Avx512::detect().map(Kernel::Avx512))
            .chain(x86_64::Vbmi::detect().map(Kernel::Vbmi));
        #[cfg(target_arch = "aarch64")]
        let kernels = kernels.chain(aarch64::Neon::detect().map(Kernel::Neon));
        kernels
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Kernel::Portable => "portable",
            #[cfg(target_arch = "x86_64")]
            Kernel::Avx2(_) => "avx2",
            #[cfg(target_arch = "x86_64")]
            Kernel::Avx512(_) => "avx512",
            #[cfg(target_arch = "x86_64")]
            Kernel::Vbmi(_) => "avx512vbmi",
            #[cfg(target_arch = "aarch64")]
            Kernel::Neon(_) => "neon",
        }
    }

    /// Fills the next batch. `loose`: see `all::offers`.
    fn next(self, bytes: &[u8], batch: &mut Batch, loose: bool) {
        match self {
            Kernel::Portable => generic::next(bytes, batch, loose),
            #[cfg(target_arch = "x86_64")]
            Kernel::Avx2(kernel) => kernel.next(bytes, batch, loose),
            #[cfg(target_arch = "x86_64")]
            Kernel::Avx512(kernel) => kernel.next(bytes, batch, loose),
            #[cfg(target_arch = "x86_64")]
            Kernel::Vbmi(kernel) => kernel.next(bytes, batch, loose),
            #[cfg(target_arch = "aarch64")]
            Kernel::Neon(kernel) => kernel.next(bytes, batch, loose),
        }
    }
}

/// The Luhn sum of the last `count` (at most 16) of 16 ASCII digits, where this architecture has instructions for it.
#[inline(always)]
pub(crate) fn luhn_sum(last: &[u8; 16], count: usize) -> Option<u32> {
    #[cfg(target_arch = "x86_64")]
    return Some(x86_64::luhn_sum(last, count));
    #[cfg(not(target_arch = "x86_64"))]
    {
        let _ = (last, count);
        None
    }
}

/// A place where a number may start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Start {
    pub(crate) at: usize,
    /// How many ASCII digits follow from there, none where another script's may; from 20 on the figure may be less than there are.
    pub(crate) run: usize,
}

/// Places where a number may start, in order. It holds no borrow, so that the bytes may be masked between two calls; what
/// was masked must lie before all places still to come.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Starts {
    kernel: Kernel,
    loose: bool,
    batch: Batch,
    /// Which places of the block being handed out are left, and which one of the batch comes next.
    bits: u64,
    index: usize,
}

impl Starts {
    /// Runs of digits from `from` on.
    #[inline]
    pub(crate) fn new(kernel: Kernel, from: usize) -> Starts {
        let batch = Batch { next: from, ..Batch::default() };
        Starts { kernel, loose: false, batch, bits: 0, index: 0 }
    }

    /// Any digits from `from` on, as if what is before each were cut off.
    pub(crate) fn loose(kernel: Kernel, from: usize) -> Starts {
        Starts { loose: true, ..Starts::new(kernel, from) }
    }

    /// The next place in `bytes`.
    #[inline(always)]
    #[expect(
        clippy::indexing_slicing,
        reason = "a remainder is within bounds, and no test is left in the loop"
    )]
    pub(crate) fn next(&mut self, bytes: &[u8]) -> Option<Start> {
        let empty = self.bits == 0;
        if empty & (self.index >= self.batch.count) {
            self.next_batch(bytes);
            if self.batch.count == 0 {
                return None;
            }
        }
        // Whether a block has one more is not to be foretold: both are read, and one is taken without a branch.
        let bits = select_unpredictable(empty, self.batch.offers[self.index % all::BATCH].bits, self.bits);
        self.index += usize::from(empty);
        let Offers { base, digits, .. } = self.batch.offers[self.index.wrapping_sub(1) % all::BATCH];
        self.bits = bits & bits.wrapping_sub(1);
        let place = bits.trailing_zeros();
        let at = base + place as usize;
        let seen = (!(digits >> place)).trailing_zeros();
        // A run up to the end of the block may go on behind it.
        let whole = (place + seen) as usize != all::BLOCK;
        Some(Start { at, run: if whole { seen as usize } else { long_run(bytes, at, seen as usize) } })
    }

    #[inline(never)]
    fn next_batch(&mut self, bytes: &[u8]) {
        let from = self.batch.next;
        self.kernel.next(bytes, &mut self.batch, self.loose);
        tally::add(self.batch.next - from);
        self.index = 0;
    }
}

#[inline(never)]
fn long_run(bytes: &[u8], at: usize, seen: usize) -> usize {
    seen + run(bytes, at + seen, RUN_MAX.saturating_sub(seen))
}
