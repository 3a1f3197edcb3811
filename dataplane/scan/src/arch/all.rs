//! What all kernels share: from the masks of 64 bytes to the places where a number may start.
//!
//! A kernel says which of 64 bytes are digits and which may stand between groups; everything else is shifts of these
//! two words. A place is offered where a run of twelve digits begins, or the groups of a printed number seem to. It is
//! an offer only: `window` decides. None is left out.

/// Bytes that a kernel looks at in one step.
pub(super) const BLOCK: usize = 64;
/// Places decided on in one step: a run of twelve digits that starts at one of them is seen whole.
pub(super) const STEP: usize = BLOCK - 12;
const PLACES: u64 = (1 << STEP) - 1;

/// One bit for each byte of a block, the first byte lowest.
#[derive(Clone, Copy, Default)]
pub(super) struct Masks {
    /// `0` to `9`.
    pub(super) digits: u64,
    /// Any byte that a separator begins with, and a few others.
    pub(super) separators: u64,
    /// `,`, which separates thousands only, what ends a line, and the zero byte beside a character of UTF-16.
    pub(super) commas: u64,
}

impl Masks {
    /// Without the first `past` bytes.
    #[inline(always)]
    pub(super) fn behind(self, past: u32) -> Masks {
        Masks {
            digits: self.digits >> past,
            separators: self.separators >> past,
            commas: self.commas >> past,
        }
    }
}

/// Blocks that a kernel looks at before it asks whether any of them had offers.
pub(super) const BATCH: usize = 8;
/// All bytes that a batch's blocks touch.
pub(super) const CHUNK: usize = (BATCH - 1) * STEP + BLOCK;

/// Places where a number may start: bit n stands for `base + n`.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Offers {
    pub(super) base: usize,
    pub(super) bits: u64,
    /// All digits of the block.
    pub(super) digits: u64,
}

/// The offers of the blocks of one batch that have any.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Batch {
    pub(super) offers: [Offers; BATCH],
    pub(super) count: usize,
    /// Up to where the bytes have been looked at.
    pub(super) next: usize,
}

impl Batch {
    /// Takes up a block. Its offers are always written, and kept where there are any: which blocks have some is not to
    /// be foretold, so there is no branch.
    #[inline(always)]
    #[expect(
        clippy::indexing_slicing,
        reason = "a remainder is within bounds, and no test is left in the loop"
    )]
    pub(super) fn add(&mut self, offers: Offers) {
        self.offers[self.count % BATCH] = offers;
        self.count += usize::from(offers.bits != 0);
    }
}

/// `x` moved down by `n`; what comes in from beyond the block is taken as set, for nothing is known of it.
#[inline(always)]
fn ahead(x: u64, n: u32) -> u64 {
    !(!x >> n)
}

/// The masks of all blocks of a batch, each kind together, so that a vector takes several blocks at once.
#[derive(Clone, Copy, Default)]
pub(super) struct Lanes {
    digits: [u64; BATCH],
    separators: [u64; BATCH],
    commas: [u64; BATCH],
    /// 1 where the byte before the block is a digit.
    behind: [u64; BATCH],
}

/// What a first look found in any block of a batch.
#[derive(Clone, Copy, Default)]
pub(super) struct Seen {
    pub(super) plain: bool,
    pub(super) seams: bool,
    pub(super) digits: bool,
}

/// First looks at the blocks of a batch.
#[derive(Clone, Copy, Default)]
pub(super) struct Sights {
    /// Where numbers begin that are told from their first twelve bytes.
    plain: [u64; BATCH],
    /// Where groups seem to meet: `grouped` is to be asked.
    seams: [u64; BATCH],
}

#[expect(clippy::indexing_slicing, reason = "remainders are within bounds, and no test is left in the loops")]
impl Lanes {
    /// Sets the masks of the block at `place`.
    #[inline(always)]
    pub(super) fn set(&mut self, place: usize, masks: Masks) {
        self.digits[place % BATCH] = masks.digits;
        self.separators[place % BATCH] = masks.separators;
        self.commas[place % BATCH] = masks.commas;
    }

    /// Sets all masks, of each kind those of all blocks.
    #[cfg(target_arch = "x86_64")]
    #[inline(always)]
    pub(super) fn set_all(&mut self, digits: [u64; BATCH], separators: [u64; BATCH], commas: [u64; BATCH]) {
        (self.digits, self.separators, self.commas) = (digits, separators, commas);
    }

    /// The masks of the block at `place`.
    #[inline(always)]
    pub(super) fn masks(&self, place: usize) -> Masks {
        let place = place % BATCH;
        Masks { digits: self.digits[place], separators: self.separators[place], commas: self.commas[place] }
    }

    /// Takes a first look at all blocks, the byte before the first being a digit or not. To be compiled by itself for each kernel: it becomes vector instructions then.
    #[inline(always)]
    pub(super) fn look<const LOOSE: bool>(&mut self, behind: u64, sights: &mut Sights) -> Seen {
        self.behind[0] = behind;
        for (to, from) in self.behind.iter_mut().skip(1).zip(&self.digits) {
            *to = from >> (STEP - 1) & 1;
        }
        let (mut any_plain, mut any_seams, mut any_digits) = (0, 0, 0);
        for (place, (plain, seams)) in sights.plain.iter_mut().zip(sights.seams.iter_mut()).enumerate() {
            let masks = self.masks(place);
            *plain = alone::<LOOSE>(masks, self.behind[place % BATCH]);
            *seams = self::seams::<LOOSE, false>(masks, self.behind[place % BATCH]);
            any_plain |= *plain;
            any_seams |= *seams;
            any_digits |= masks.digits;
        }
        if any_seams != 0 {
            any_seams = 0;
            for (place, seams) in sights.seams.iter_mut().enumerate() {
                *seams = self::seams::<LOOSE, true>(self.masks(place), self.behind[place % BATCH]);
                any_seams |= *seams;
            }
        }
        Seen { plain: any_plain != 0, seams: any_seams != 0, digits: any_digits != 0 }
    }

    /// The offers of the block at `place` where no groups meet.
    #[inline(always)]
    pub(super) fn plain(&self, place: usize, sights: &Sights) -> (u64, u64) {
        (sights.plain[place % BATCH], self.digits[place % BATCH])
    }

    /// Of the block at `place`, what characters beyond ASCII seem to join.
    #[inline(always)]
    pub(super) fn joined<const LOOSE: bool>(&self, place: usize, beyond: u64) -> u64 {
        joined::<LOOSE>(self.masks(place), beyond, self.behind[place % BATCH])
    }

    /// The offers of the block at `place`.
    #[inline(always)]
    pub(super) fn offers<const LOOSE: bool>(&self, place: usize, sights: &Sights) -> u64 {
        let place = place % BATCH;
        let plain = sights.plain[place];
        if sights.seams[place] == 0 {
            return plain;
        }
        plain | grouped(self.masks(place), LOOSE) & starts::<LOOSE>(self.digits[place], self.behind[place])
    }
}

/// Where numbers seem to begin that twelve bytes tell: runs of digits, UTF-16, escaped digits, scientific notation.
#[inline(always)]
fn alone<const LOOSE: bool>(masks: Masks, behind: u64) -> u64 {
    let Masks { digits: one, separators, commas } = masks;
    let two = one & one >> 1;
    let four = two & two >> 2;
    let eight = four & four >> 4;
    // Twelve digits; a digit, a point, ten digits.
    let plain = eight & four >> 8 | one & separators >> 1 & (eight & two >> 8) >> 2;
    // Four digits with one byte between them, as a separator or UTF-16 has it.
    let parted = one & (separators | commas) >> 1;
    let wide = parted & parted >> 2 & (parted & one >> 2 & !(one >> 3)) >> 4;
    // `%34` four times.
    let percent = separators & two >> 1;
    let percents = percent & percent >> 3;
    // `\u0034`, `\uFF14`, `&#x34;` or `&#52;` twice.
    let mark = separators & !(one >> 1);
    let escape = mark & (two >> 3 | two >> 4);
    let entity = mark & two >> 2;
    let escaped = percents & percents >> 6 | escape & escape >> 6 | entity & entity >> 5;
    (plain | wide) & starts::<LOOSE>(one, behind) | escaped & PLACES
}

/// Places that a number may start at, as far as what is before them goes. `LOOSE`: anywhere, as if that were cut off;
/// otherwise where a run of digits starts. `behind`: 1 where the byte before the block is a digit.
#[inline(always)]
fn starts<const LOOSE: bool>(one: u64, behind: u64) -> u64 {
    if LOOSE { PLACES } else { PLACES & !(one << 1 | behind) }
}

/// Where groups seem to meet, or thousands. `behind`: as for `starts`. `CLOSE`: looks at what is behind the second group too,
/// which costs a few steps more.
#[inline(always)]
fn seams<const LOOSE: bool, const CLOSE: bool>(masks: Masks, behind: u64) -> u64 {
    let Masks { digits: one, separators, commas } = masks;
    let two = one & one >> 1;
    let three = two & one >> 2;
    let four = two & two >> 2;
    // Four digits, a separator of up to three bytes or of six (`\u00a0`), three digits: every grouping has that after its
    // first group. Behind six digits and a long separator the block may have room for one alone.
    let escaped = one >> 6 & !(one >> 1);
    let next = if CLOSE {
        // A group of three, four or six, and a separator behind it; or six digits before, and as many of thirteen behind as there
        // is room for.
        let group = |gap: u32| separators >> (gap + 3) | separators >> (gap + 4) | separators >> (gap + 6);
        let of_six = two << 6;
        three >> 1 & (group(1) | of_six & two >> 4)
            | three >> 2 & (group(2) | of_six & one >> 5)
            | three >> 3 & (separators >> 6 | separators >> 7 | four >> 3 | of_six)
            | escaped
    } else {
        three >> 1 | three >> 2 | three >> 3 | escaped
    };
    let printed = four << 4 & separators & !commas & next;
    // Two separators of one byte, three digits behind each.
    let thousands = separators & three >> 1;
    let lines = if LOOSE {
        // Four digits at the end of a line, and a line of three, four or six: so that columns and lists of other numbers have no
        // seams. It ends within the twelve bytes.
        let next = thousands & commas & (commas >> 4 | commas >> 5 | commas >> 7);
        four << 4 & commas & (next | next >> 1)
    } else {
        // A line of four digits, and a line of digits: so that lists of long numbers have no seams.
        (four & !(one << 1 | behind)) << 4 & commas & (three >> 1 | three >> 2)
    };
    printed | lines | thousands & thousands >> 4
}

/// The offers of a block by itself.
#[inline(always)]
pub(super) fn lone_offers<const LOOSE: bool>(masks: Masks, behind: u64) -> u64 {
    let starts = starts::<LOOSE>(masks.digits, behind);
    let plain = alone::<LOOSE>(masks, behind);
    if seams::<LOOSE, true>(masks, behind) == 0 { plain } else { plain | grouped(masks, LOOSE) & starts }
}

/// Where groups of 4-4-4, 4-6-4, 4-3-3, 6-13 or thousands seem to begin, or escapes' digits before them.
#[inline(never)]
fn grouped(masks: Masks, loose: bool) -> u64 {
    let one = masks.digits;
    let two = one & ahead(one, 1);
    let three = two & ahead(one, 2);
    let four = two & ahead(two, 2);
    let six = four & ahead(two, 4);
    let thirteen = four & ahead(four, 4) & ahead(four, 8) & ahead(one, 12);
    let separator = |n| ahead(masks.separators, n);
    let printed = [1, 2, 3, 6].into_iter().fold(0, |found, gap| {
        let next = |groups, n| ahead(groups, n + gap);
        // No digit is the second of two bytes, nor of six (`\u00a0`).
        let whole = |n: u32| if matches!(gap, 2 | 6) { !(one >> (n + 1)) } else { !0 };
        let of_four = next(four, 4) & separator(8 + gap) & next(four, 8 + gap)
            | next(six, 4) & separator(10 + gap) & next(four, 10 + gap)
            | next(three, 4) & separator(7 + gap) & next(three, 7 + gap);
        found | four & separator(4) & whole(4) & of_four | six & separator(6) & whole(6) & next(thirteen, 6)
    });
    let thousands = [1, 2, 3].into_iter().fold(0, |found, first: u32| {
        let group = |n: u32| separator(first + n) & ahead(three, first + n + 1);
        found | one & group(0) & group(4) & group(8)
    });
    let numbers = printed | thousands;
    if loose { numbers } else { numbers | numbers >> 1 | numbers >> 2 | numbers >> 4 }
}

/// Where four digits of two or three bytes seem to follow each other. `leads`: bytes that such a digit begins with.
#[inline(never)]
pub(super) fn other_scripts(leads: u64) -> u64 {
    let every = |n| leads & ahead(leads, n) & ahead(leads, 2 * n) & ahead(leads, 3 * n);
    (every(2) | every(3)) & PLACES
}

/// Runs of digits that a character beyond ASCII seems to join with digits behind it, or with what is behind the block.
/// `beyond`: bytes beyond ASCII.
#[inline(never)]
pub(super) fn joined<const LOOSE: bool>(masks: Masks, beyond: u64, behind: u64) -> u64 {
    let Masks { digits: one, separators, .. } = masks;
    let character = ahead(separators & beyond, 1) & ahead(!one, 2);
    let last = one & !(one >> 1) & character & (ahead(one, 3) | ahead(one, 4));
    // From its last digit a carry runs through each run; what it clears is the run.
    let (run, from) = (one.reverse_bits(), last.reverse_bits());
    let joined = (run & !run.wrapping_add(from)).reverse_bits();
    joined & starts::<LOOSE>(one, behind)
}

/// The body of a kernel `$name`: goes on from `batch.next` to the first batch with offers; without any, `batch.count`
/// stays zero. `$classify` turns `&[u8; 64]` to masks, `$leads` to the bytes that other scripts' digits begin with, `$beyond` to those
/// beyond ASCII; `$fill` classifies a whole `&[u8; CHUNK]`, all of it ASCII or not; `$digit` and `$high` look for digits and for
/// bytes beyond ASCII in `&[u8; CHUNK]`. `$look` becomes its first look,
/// `$chunks` the loop over whole chunks; what is shorter is gone through block by block.
macro_rules! kernel {
    (
        $(#[$attribute:meta])* $name:ident, $chunks:ident, $look:ident, $classify:path, $fill:path, $leads:path, $beyond:path, $digit:path, $high:path
    ) => {
        #[inline(never)]
        $(#[$attribute])*
        fn $look<const LOOSE: bool>(
            lanes: &mut $crate::arch::all::Lanes,
            behind: u64,
            sights: &mut $crate::arch::all::Sights,
        ) -> $crate::arch::all::Seen {
            lanes.look::<LOOSE>(behind, sights)
        }

        $(#[$attribute])*
        fn $name<const LOOSE: bool>(bytes: &[u8], batch: &mut $crate::arch::all::Batch) {
            use $crate::arch::all::{BATCH, BLOCK, CHUNK, Offers, STEP, joined, lone_offers, other_scripts};
            batch.count = 0;
            if batch.next.saturating_add(CHUNK) <= bytes.len() {
                $chunks::<LOOSE>(bytes, batch);
                if batch.count > 0 {
                    return;
                }
            }
            let mut base = batch.next;
            let mut behind = u64::from($crate::bytes::before(bytes, base, 1).is_ascii_digit());
            while let Some(rest) = bytes.get(base..).filter(|rest| !rest.is_empty()) {
                let (masks, leads, beyond) = if let Some(block) = rest.first_chunk::<BLOCK>() {
                    ($classify(block), $leads(block), $beyond(block))
                } else if let Some(block) = bytes.last_chunk::<BLOCK>() {
                    let past = (BLOCK - rest.len()) as u32;
                    ($classify(block).behind(past), $leads(block) >> past, $beyond(block) >> past)
                } else {
                    let mut block = [0u8; BLOCK];
                    if let Some(head) = block.get_mut(..rest.len()) {
                        head.copy_from_slice(rest);
                    }
                    ($classify(&block), $leads(&block), $beyond(&block))
                };
                let other = if beyond == 0 { 0 } else { other_scripts(leads) | joined::<LOOSE>(masks, beyond, behind) };
                let bits = lone_offers::<LOOSE>(masks, behind) | other;
                batch.add(Offers { base, bits, digits: masks.digits });
                behind = masks.digits >> (STEP - 1) & 1;
                base += STEP;
                if batch.count == BATCH {
                    break;
                }
            }
            batch.next = base;
        }

        #[inline(never)]
        $(#[$attribute])*
        fn $chunks<const LOOSE: bool>(bytes: &[u8], batch: &mut $crate::arch::all::Batch) {
            use $crate::arch::all::{BATCH, CHUNK, Lanes, Offers, STEP, Sights, every_block, other_scripts};
            let mut base = batch.next;
            let mut behind = u64::from($crate::bytes::before(bytes, base, 1).is_ascii_digit());
            let mut digits = true;
            let (mut lanes, mut sights) = (Lanes::default(), Sights::default());
            while let Some(chunk) = bytes.get(base..).and_then(|rest| rest.first_chunk::<CHUNK>()) {
                let high = $high(chunk);
                if !digits && !high && !$digit(chunk) {
                    base += CHUNK;
                    continue;
                }
                $fill(chunk, !high, &mut lanes);
                let seen = $look::<LOOSE>(&mut lanes, behind, &mut sights);
                digits = seen.digits;
                if seen.seams || high {
                    every_block!(chunk, |place, block| {
                        let beyond = if high { $beyond(block) } else { 0 };
                        let other = if beyond == 0 { 0 } else { other_scripts($leads(block)) | lanes.joined::<LOOSE>(place, beyond) };
                        let bits = lanes.offers::<LOOSE>(place, &sights) | other;
                        batch.add(Offers { base: base + place * STEP, bits, digits: lanes.masks(place).digits });
                    });
                } else if seen.plain {
                    for place in 0..BATCH {
                        let (bits, digits) = lanes.plain(place, &sights);
                        batch.add(Offers { base: base + place * STEP, bits, digits });
                    }
                }
                behind = lanes.masks(BATCH - 1).digits >> (STEP - 1) & 1;
                base += BATCH * STEP;
                if batch.count > 0 {
                    break;
                }
            }
            batch.next = base;
        }
    };
}
pub(super) use kernel;

/// Does something with each block of a chunk and its place. Written out: the compiler keeps a loop, of which classifying is
/// the lesser part.
macro_rules! every_block {
    ($chunk:expr, |$place:ident, $block:ident| $work:expr) => {
        $crate::arch::all::every_block!($chunk, |$place, $block| $work, 0 1 2 3 4 5 6 7)
    };
    ($chunk:expr, |$place:ident, $block:ident| $work:expr, $($at:literal)*) => {{
        $(if let Some($block) = $chunk.get($at * $crate::arch::all::STEP..).and_then(|rest| rest.first_chunk()) {
            let $place = $at;
            $work;
        })*
    }};
}
pub(super) use every_block;

/// All blocks of a chunk, each once.
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
#[inline]
pub(super) fn apart(chunk: &[u8; CHUNK]) -> impl Iterator<Item = &[u8; BLOCK]> {
    let (blocks, _) = chunk.as_chunks::<BLOCK>();
    blocks.iter().chain(chunk.last_chunk())
}

/// Classes of bytes, told by two table look-ups: a byte is in a class where the entries of both its halves are.
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
pub(super) mod classes {
    pub(in crate::arch) const DIGIT: u8 = 1;
    pub(in crate::arch) const COMMA: u8 = COMMA_ITSELF | LINE | ZERO;
    const COMMA_ITSELF: u8 = 2;
    const ASCII: u8 = 4;
    const BEYOND_C: u8 = 8;
    const BEYOND_E: u8 = 16;
    const BACKSLASH: u8 = 32;
    const LINE: u8 = 64;
    const ZERO: u8 = 128;
    /// What a separator begins with, a comma among it.
    pub(in crate::arch) const SEPARATOR: u8 = COMMA_ITSELF | LINE | ASCII | BEYOND_C | BEYOND_E | BACKSLASH;

    pub(in crate::arch) const HIGH_NIBBLES: [u8; 16] = nibbles(&[
        (0, LINE | ZERO),
        (2, COMMA_ITSELF | ASCII),
        (3, DIGIT),
        (5, BACKSLASH),
        (0xc, BEYOND_C),
        (0xe, BEYOND_E),
    ]);
    pub(in crate::arch) const LOW_NIBBLES: [u8; 16] = nibbles(&[
        (0, DIGIT | ASCII | ZERO),
        (1, DIGIT),
        (2, DIGIT | BEYOND_C | BEYOND_E),
        (3, DIGIT | BEYOND_E),
        (4, DIGIT),
        (5, DIGIT | ASCII),
        (6, DIGIT | ASCII),
        (7, DIGIT),
        (8, DIGIT),
        (9, DIGIT),
        (0xa, LINE),
        (0xb, ASCII),
        (0xc, COMMA_ITSELF | BACKSLASH),
        (0xd, ASCII | LINE),
        (0xe, ASCII),
        (0xf, ASCII | BEYOND_E),
    ]);

    /// Of all ASCII bytes, a bit for each kind of mask: digits, separators, commas.
    #[cfg(target_arch = "x86_64")]
    pub(in crate::arch) static BYTES: [[u8; 64]; 2] = [bytes(0), bytes(64)];

    #[cfg(target_arch = "x86_64")]
    #[expect(clippy::indexing_slicing, reason = "evaluated by the compiler: a slip does not build")]
    const fn bytes(first: usize) -> [u8; 64] {
        let mut table = [0; 64];
        let mut place = 0;
        while place < table.len() {
            let byte = first + place;
            let classes = LOW_NIBBLES[byte & 0x0f] & HIGH_NIBBLES[byte >> 4];
            table[place] = (classes & DIGIT != 0) as u8
                | ((classes & SEPARATOR != 0) as u8) << 1
                | ((classes & COMMA != 0) as u8) << 2;
            place += 1;
        }
        table
    }

    #[expect(clippy::indexing_slicing, reason = "evaluated by the compiler: a slip does not build")]
    const fn nibbles(entries: &[(usize, u8)]) -> [u8; 16] {
        let mut table = [0; 16];
        let mut entry = 0;
        while entry < entries.len() {
            table[entries[entry].0] = entries[entry].1;
            entry += 1;
        }
        table
    }
}
