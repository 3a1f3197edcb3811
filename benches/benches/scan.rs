//! The card finder beside a plain read of the bytes, a regular expression of brand prefixes with Luhn, and its own
//! oracle, over the same texts. `PANGATE_BENCH_BYTES` sets their size; by default they fit the second-level cache.
//!
//! A wrong answer has no speed: what each one finds is checked before it is measured. `PANGATE_BENCH_DUMP` names a folder
//! that the texts are written to, for the peers that packaging/bench --scan runs over them.

use benches::buffers::{self, Buffer};
use benches::processor::ProcessorTime;
use benches::suspicions;
use criterion::measurement::Measurement;
use criterion::{BenchmarkGroup, Criterion, SamplingMode, Throughput};
use regex::bytes::{Regex, RegexBuilder};
use scan::{Format, Scanner, naive};
use std::hint::black_box;
use std::time::Duration;

const BYTES: usize = 512 * 1024;
/// The oracle looks at every layout at every byte: it is given less.
const ORACLE_BYTES: usize = 16 * 1024;
/// `regex` too: over nothing but numbers it runs at 5 MB/s where the text is long.
const REGEX_BYTES: usize = 1 << 20;

/// The common brands' prefixes and lengths, with no separators.
const PREFIXES: &str = "4[0-9]{12}(?:[0-9]{3})?|5[1-5][0-9]{14}|(?:222[1-9]|22[3-9][0-9]|2[3-6][0-9]{2}|27[01][0-9]|2720)[0-9]{12}\
    |3[47][0-9]{13}|3(?:0[0-5]|[68][0-9])[0-9]{11}|6(?:011|4[4-9][0-9]|5[0-9]{2})[0-9]{12}|35[2-8][0-9]{13}";

fn by_expression(expression: &Regex, text: &[u8]) -> usize {
    expression.find_iter(text).filter(|found| passes_luhn(found.as_bytes())).count()
}

fn passes_luhn(text: &[u8]) -> bool {
    let mut digits = [0u8; 19];
    digits.iter_mut().zip(text).for_each(|(digit, byte)| *digit = byte & 0x0f);
    naive::luhn(digits.get(..text.len()).unwrap_or(&digits))
}

fn read(text: &[u8]) -> u64 {
    let (words, _) = text.as_chunks::<8>();
    words.iter().fold(0, |sum: u64, word| sum.wrapping_add(u64::from_le_bytes(*word)))
}

fn check(buffer: &Buffer, scanner: &Scanner) {
    let sample = buffer.bytes.get(..ORACLE_BYTES).unwrap_or(&buffer.bytes);
    let expected: Vec<_> = naive::find(sample).into_iter().map(|number| number.range).collect();
    let found: Vec<_> = scanner.find(sample).map(|hit| hit.range).collect();
    assert_eq!(found, expected, "{}", buffer.name);
    assert!(scanner.find(&buffer.bytes).count() >= buffer.cards, "{}: cards were missed", buffer.name);
    assert!(buffer.cards == 0 || scanner.suspect(&buffer.bytes), "{}: cards were not suspected", buffer.name);
}

fn kernel(group: &mut BenchmarkGroup<'_, ProcessorTime>, buffer: &Buffer, name: &str, scanner: &Scanner) {
    check(buffer, scanner);
    let text = &buffer.bytes;
    group.bench_function(format!("find, {name}"), |bench| {
        bench.iter(|| scanner.find(black_box(text)).count())
    });
    group.bench_function(format!("suspect, {name}"), |bench| {
        bench.iter(|| suspicions(scanner, black_box(text)))
    });
    group.bench_function(format!("mask, {name}"), |bench| {
        let mut fresh = text.clone();
        bench.iter_custom(|rounds| {
            let mut spent = Duration::ZERO;
            for _ in 0..rounds {
                fresh.copy_from_slice(text);
                let start = ProcessorTime.start();
                black_box(scanner.mask(black_box(&mut fresh), Format::Last4));
                spent += ProcessorTime.end(start);
            }
            spent
        });
    });
}

fn texts(criterion: &mut Criterion<ProcessorTime>) {
    let size = std::env::var("PANGATE_BENCH_BYTES").ok().and_then(|size| size.parse().ok()).unwrap_or(BYTES);
    let expression = RegexBuilder::new(PREFIXES).unicode(false).dfa_size_limit(1 << 28).build();
    let expression = expression.unwrap_or_else(|error| unreachable!("{error}"));
    for buffer in buffers::all(size) {
        dump(&buffer);
        let mut group =
            criterion.benchmark_group(format!("{}, {} % digits", buffer.name, buffer.digits_percent()));
        group.sampling_mode(SamplingMode::Flat).sample_size(20).measurement_time(Duration::from_secs(1));
        group
            .warm_up_time(Duration::from_millis(200))
            .throughput(Throughput::Bytes(buffer.bytes.len() as u64));
        group.bench_function("read", |bench| bench.iter(|| read(black_box(&buffer.bytes))));
        for (name, scanner) in Scanner::all() {
            kernel(&mut group, &buffer, name, &scanner);
        }
        let sample = buffer.bytes.get(..REGEX_BYTES).unwrap_or(&buffer.bytes);
        group.throughput(Throughput::Bytes(sample.len() as u64));
        group.bench_function("regex", |bench| bench.iter(|| by_expression(&expression, black_box(sample))));
        let sample = buffer.bytes.get(..ORACLE_BYTES).unwrap_or(&buffer.bytes);
        group.throughput(Throughput::Bytes(sample.len() as u64));
        group.bench_function("oracle", |bench| bench.iter(|| naive::find(black_box(sample)).len()));
        group.finish();
    }
}

fn dump(buffer: &Buffer) {
    let Some(folder) = std::env::var_os("PANGATE_BENCH_DUMP") else { return };
    let file = std::path::Path::new(&folder).join(buffer.name.replace(' ', "-"));
    std::fs::write(&file, &buffer.bytes).unwrap_or_else(|error| unreachable!("{}: {error}", file.display()));
}

fn main() {
    let mut criterion = Criterion::default().with_measurement(ProcessorTime).configure_from_args();
    texts(&mut criterion);
    criterion.final_summary();
}
