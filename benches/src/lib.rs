//! What pangate's benches measure with: benches live under benches/, their committed records under records/.

pub mod buffers;
pub mod processor;

/// Goes through a text as an engine goes through rows, from suspicion to suspicion; how many there are.
pub fn suspicions(scanner: &scan::Scanner, text: &[u8]) -> usize {
    let (mut count, mut from) = (0, 0);
    while let Some(at) = scanner.suspect_at(text, from) {
        count += 1;
        from = at + 64;
    }
    count
}
