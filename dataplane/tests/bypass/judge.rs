//! Runs tricks at the target itself and through the gateway under each policy, and judges what came of them.
#![allow(dead_code, reason = "each test binary uses a part of it")]

use std::fmt::Write as _;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::client::{Transcript, Way};
use crate::decoders;
use crate::texts::Texts;
use crate::trick::{Expectation, Trick};

/// The target of each policy, and which group of jobs it is for.
pub(crate) struct Place {
    pub(crate) name: &'static str,
    pub(crate) group: &'static str,
    pub(crate) labelled: bool,
}

/// How many tricks are tried at once.
const AT_ONCE: usize = 4;

pub(crate) const READS: Place = Place { name: "reads", group: "settlement-batch", labelled: true };
pub(crate) const CAREFUL: Place = Place { name: "careful", group: "careful", labelled: true };
pub(crate) const UNLABELLED: Place = Place { name: "unlabelled", group: "settlement-batch", labelled: false };
pub(crate) const ANYTHING: Place = Place { name: "anything", group: "anything", labelled: false };

/// Where tricks are tried.
pub(crate) trait Tried: Sync {
    /// At the target itself.
    fn directly(&self, trick: &Trick, way: Way) -> Transcript;
    /// Through the gateway.
    fn through(&self, place: &Place, trick: &Trick, way: Way) -> Transcript;
}

/// Every trick of a folder, or those that PANGATE_TRICK is a part of the name of.
pub(crate) fn tricks(folder: &Path) -> Vec<Trick> {
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "sql"))
        .collect();
    files.sort();
    let only = std::env::var("PANGATE_TRICK").unwrap_or_default();
    files.iter().map(|path| Trick::read(path)).filter(|trick| trick.file.contains(&only)).collect()
}

/// Whether some tricks alone are asked for.
pub(crate) fn is_partial() -> bool {
    std::env::var_os("PANGATE_TRICK").is_some()
}

/// Runs every trick everywhere; fails with all that is not as its header says.
pub(crate) fn all(tried: &impl Tried, tricks: &[Trick]) {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut wrong = String::new();
        while let Some(trick) = tricks.get(next.fetch_add(1, Ordering::Relaxed)) {
            for what in judge(tried, trick) {
                let _ = writeln!(wrong, "{} ({})\n    {what}", trick.file, trick.name);
            }
        }
        wrong
    };
    let wrong: String = std::thread::scope(|scope| {
        let threads = [(); AT_ONCE].map(|()| scope.spawn(work));
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(wrong.is_empty(), "\n{wrong}");
}

/// Fails where SECURITY.md does not name exactly those that are out of reach, each behind this prefix.
pub(crate) fn documented(tricks: &[Trick], prefix: &str) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let document = std::fs::read_to_string(root.join("SECURITY.md")).unwrap();
    for trick in tricks {
        let leaks = matches!(trick.expect, Expectation::OutOfReach(_));
        assert_eq!(
            leaks,
            document.contains(&format!("`{prefix}{}`", trick.file)),
            "{} in SECURITY.md",
            trick.file
        );
    }
}

/// Runs a trick everywhere; what is not as its header says.
fn judge(tried: &impl Tried, trick: &Trick) -> Vec<String> {
    let truths: Vec<_> = trick.ways.iter().map(|way| tried.directly(trick, *way)).collect();
    let mut wrong: Vec<_> = works(trick, &truths).into_iter().collect();
    let texts: Vec<_> = truths.iter().map(Texts::of).collect();
    let mut expectations = vec![(READS, &trick.expect)];
    let careful = Expectation::OutOfReach(Some(CAREFUL.name.to_owned()));
    if let Expectation::OutOfReach(Some(policy)) = expectations[0].1 {
        assert_eq!(policy, CAREFUL.name, "{}", trick.file);
        expectations.push((CAREFUL, &careful));
    }
    expectations.extend(trick.unlabelled.as_ref().map(|expected| (UNLABELLED, expected)));
    expectations.extend(trick.anything.as_ref().map(|expected| (ANYTHING, expected)));
    for (place, expected) in expectations {
        let all: Vec<_> = trick.ways.iter().map(|way| tried.through(&place, trick, *way)).collect();
        let found =
            all.iter().zip(&texts).find_map(|(got, texts)| decoders::find(&trick.decoders, got, Some(texts)));
        if let Err(why) = meets(&place, expected, &all, found) {
            wrong.push(format!("{}: {why}\n{}", place.name, shown(&all)));
        }
    }
    wrong
}

/// What is not as the header says of the target itself.
pub(crate) fn works(trick: &Trick, truths: &[Transcript]) -> Option<String> {
    let finds = |truth: &Transcript| decoders::find(&trick.decoders, truth, Some(&Texts::of(truth)));
    let works = truths.iter().any(|truth| finds(truth).is_some());
    (works != trick.works_directly)
        .then(|| format!("directly: a number is found: {works}\n{}", shown(truths)))
}

fn meets(
    place: &Place,
    expected: &Expectation,
    all: &[Transcript],
    found: Option<String>,
) -> Result<(), String> {
    if all.iter().any(|got| got.quiet) {
        return Err("the gateway does not answer".to_owned());
    }
    let leaks = matches!(expected, Expectation::OutOfReach(_)) && place.name != CAREFUL.name;
    match (leaks, found) {
        (false, Some(found)) => return Err(format!("LEAK: {found}")),
        (true, None) => return Err("is said to be out of reach, but nothing is found".to_owned()),
        (true, Some(_)) => return Ok(()),
        (false, None) => {}
    }
    let held = all.iter().all(|got| got.held);
    let denied = all.iter().all(|got| got.ended || refusals(got) > 0);
    let met = match expected {
        Expectation::Masked => !all.iter().any(|got| got.held || got.ended || refusals(got) > 0),
        Expectation::Held => held,
        Expectation::Denied => denied,
        Expectation::OutOfReach(_) => all.iter().all(|got| got.held || refusals(got) > 0),
    };
    if met { Ok(()) } else { Err(format!("is not {expected:?}")) }
}

/// How many errors are the gateway's own.
fn refusals(got: &Transcript) -> usize {
    let words =
        ["denied by ", "not understood", "by no rule", "cannot be masked", "no rule that allows", "pangate"];
    let own = |message: &str| words.iter().any(|word| message.contains(word));
    Texts::of(got).errors.iter().filter(|(_, message)| own(message)).count()
}

fn shown(all: &[Transcript]) -> String {
    let mut out = String::new();
    for got in all {
        let texts = Texts::of(got);
        let mut rows: Vec<String> = texts.rows.iter().take(4).map(|row| row.join("|")).collect();
        rows.extend(texts.errors.iter().map(|(code, message)| format!("{code} {message}")));
        let _ = writeln!(out, "      held {}, ended {}: {}", got.held, got.ended, rows.join(" / "));
    }
    out
}
