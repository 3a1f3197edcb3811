//! The finder on any bytes: agrees with the oracle on every kernel, its masks are final, splits change nothing.
//!
//! The first byte chooses the format and the size of the parts, the rest is the value.

#![no_main]

use libfuzzer_sys::fuzz_target;
use scan::{Format, HOLDBACK_BYTES_MAX, Kind, Scanner, Stream, naive};

fuzz_target!(|data: &[u8]| {
    let Some((choice, value)) = data.split_first() else { return };
    let format = [Format::Full, Format::Last4, Format::Bin6Last4, Format::Bin8Last4][usize::from(choice & 3)];
    let numbers = naive::find(value);
    let mut masks: Vec<Vec<u8>> = Vec::new();
    for (kernel, scanner) in Scanner::all() {
        agree(kernel, &scanner, value, &numbers);
        let whole = mask(&scanner, value, format);
        assert_eq!(in_parts(&scanner, value, format, usize::from(choice >> 2) + 1), whole, "{kernel}");
        masks.push(whole);
    }
    assert!(masks.windows(2).all(|pair| pair[0] == pair[1]), "kernels differ");
    assert!(masks.iter().take(1).all(|mask| naive::find(mask).is_empty()), "a mask was found");
    labelled(value, format);
});

fn agree(kernel: &str, scanner: &Scanner, value: &[u8], numbers: &[naive::Number]) {
    let hits: Vec<_> = scanner.find(value).filter(|hit| hit.kind != Kind::Code).collect();
    for number in numbers {
        let hit = hits.iter().find(|hit| hit.range.start < number.range.end && number.range.start < hit.range.end);
        let hit = hit.unwrap_or_else(|| panic!("{kernel} missed {number:?}"));
        assert!(hit.kind != Kind::Pan || hit.range == number.range && hit.brand == number.brand, "{kernel}: {hit:?}");
    }
    if hits.iter().all(|hit| hit.kind == Kind::Pan) {
        assert_eq!(hits.len(), numbers.len(), "{kernel}");
    }
    assert!(hits.is_empty() || scanner.suspect(value), "{kernel}: not suspected");
}

fn mask(scanner: &Scanner, value: &[u8], format: Format) -> Vec<u8> {
    let mut once = value.to_vec();
    let count = scanner.mask(&mut once, format);
    assert_eq!(once.len(), value.len());
    assert_eq!(count > 0, once != value);
    let mut twice = once.clone();
    assert_eq!(scanner.mask(&mut twice, format), 0);
    assert_eq!(once, twice);
    once
}

fn in_parts(scanner: &Scanner, value: &[u8], format: Format, size: usize) -> Vec<u8> {
    let (mut stream, mut done, mut kept) = (Stream::new(), Vec::new(), Vec::new());
    for part in value.chunks(size) {
        kept.extend_from_slice(part);
        let progress = stream.mask(scanner, &mut kept, false, format);
        done.extend(kept.drain(..progress.released));
        assert!(kept.len() <= HOLDBACK_BYTES_MAX);
    }
    stream.mask(scanner, &mut kept, true, format);
    done.extend(kept);
    done
}

fn labelled(value: &[u8], format: Format) {
    let scanner = Scanner::new();
    let mut once = value.to_vec();
    scanner.mask_whole(&mut once, format);
    assert!(once.iter().filter(|byte| byte.is_ascii_alphanumeric()).count() <= 12);
    let mut twice = once.clone();
    assert!(!scanner.mask_whole(&mut twice, format));
    assert_eq!(once, twice);
}
