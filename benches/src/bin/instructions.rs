//! One pass of the card finder over one text, for callgrind to count: packaging/bench --instructions.
//!
//! `instructions TEXT KERNEL WORK`: a text and a kernel as the criterion bench names them, and `find`, `suspect` or `mask`.
//! What is counted is `measured`, and prints as bytes and card numbers. With no arguments it names all texts and kernels.

use benches::buffers::{self, Buffer};
use benches::suspicions;
use scan::{Format, Scanner};
use std::hint::black_box;
use std::process::ExitCode;

const BYTES: usize = 512 * 1024;

#[inline(never)]
fn measured(scanner: &Scanner, work: &str, text: &mut [u8]) -> usize {
    match work {
        "find" => scanner.find(text).count(),
        "suspect" => suspicions(scanner, text),
        _ => scanner.mask(text, Format::Last4),
    }
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let all = buffers::all(BYTES);
    let [text, kernel, work] = arguments.as_slice() else {
        all.iter().for_each(|Buffer { name, .. }| println!("text\t{name}"));
        Scanner::all().iter().for_each(|(name, _)| println!("kernel\t{name}"));
        return ExitCode::SUCCESS;
    };
    let buffer = all.into_iter().find(|buffer| buffer.name == text);
    let scanner = Scanner::all().into_iter().find(|(name, _)| name == kernel);
    let (Some(mut buffer), Some((_, scanner)), "find" | "suspect" | "mask") =
        (buffer, scanner, work.as_str())
    else {
        eprintln!("instructions: no such text, kernel or work: {text} {kernel} {work}");
        return ExitCode::FAILURE;
    };
    let found = measured(&scanner, black_box(work), black_box(&mut buffer.bytes));
    println!("{}\t{}\t{found}", buffer.bytes.len(), buffer.cards);
    ExitCode::SUCCESS
}
