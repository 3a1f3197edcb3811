//! The ledger as its callers see it, and its keeper batch by batch.

use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;

fn claim(id: u8, source: &str, bind: Bind) -> Claim {
    Claim { token_id: [id; 32], source: source.parse().unwrap(), expires_s: u64::MAX / 2, bind }
}

struct Caller {
    reply: ReplyTo,
    answers: Receiver<Answer>,
    woken: Arc<AtomicUsize>,
}

impl Caller {
    fn new(room: usize) -> Self {
        let (sender, answers) = bounded(room);
        let woken = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&woken);
        let wake = Arc::new(move || {
            count.fetch_add(1, Ordering::SeqCst);
        });
        Self { reply: ReplyTo { tag: 0, answers: sender, wake }, answers, woken }
    }

    fn reply(&self, tag: u64) -> ReplyTo {
        ReplyTo { tag, ..self.reply.clone() }
    }

    fn ask(&self, ledger: &LedgerHandle, claim: Claim) -> Verdict {
        ledger.claim(claim, self.reply(7)).unwrap();
        let answer = self.answers.recv().unwrap();
        assert_eq!(answer.tag, 7);
        answer.verdict
    }

    fn serve(&self, keeper: &mut Keeper, claims: &[Claim], now_s: u64) -> Vec<Verdict> {
        let batch: Vec<_> = claims.iter().zip(0..).map(|(claim, tag)| (*claim, self.reply(tag))).collect();
        keeper.serve(&batch, now_s);
        let answers: Vec<_> = self.answers.try_iter().collect();
        assert!(answers.iter().zip(0..).all(|(answer, tag)| answer.tag == tag));
        answers.iter().map(|answer| answer.verdict).collect()
    }
}

#[test]
fn a_use_is_remembered_across_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let caller = Caller::new(4);
    let ledger = Ledger::start(dir.path()).unwrap();
    assert_eq!(caller.ask(&ledger, claim(1, "192.0.2.1", Bind::Session)), Verdict::Granted);
    assert_eq!(caller.ask(&ledger, claim(2, "192.0.2.1", Bind::Source)), Verdict::Granted);
    assert_eq!(caller.ask(&ledger.clone(), claim(1, "192.0.2.1", Bind::Session)), Verdict::Replayed);
    ledger.stop();
    let late = ledger.claim(claim(3, "::1", Bind::Source), caller.reply(0));
    assert!(matches!(late, Err(LedgerError::Stopped)));
    ledger.stop();

    let ledger = Ledger::start(dir.path()).unwrap();
    assert_eq!(caller.ask(&ledger, claim(1, "192.0.2.1", Bind::Session)), Verdict::Replayed);
    assert_eq!(caller.ask(&ledger, claim(2, "192.0.2.1", Bind::Source)), Verdict::Granted);
    assert_eq!(caller.ask(&ledger, claim(2, "192.0.2.9", Bind::Source)), Verdict::Replayed);
    ledger.stop();
    assert_eq!(caller.woken.load(Ordering::SeqCst), 6);
}

#[test]
fn every_grant_is_on_disk_before_it_is_answered() {
    let dir = tempfile::tempdir().unwrap();
    let caller = Caller::new(1);
    let ledger = Ledger::start(dir.path()).unwrap();
    for id in 1..=5 {
        assert_eq!(caller.ask(&ledger, claim(id, "192.0.2.1", Bind::Source)), Verdict::Granted);
        // What a crash at this moment would leave, read elsewhere.
        let copy = tempfile::tempdir().unwrap();
        fs::copy(dir.path().join("tokens.journal"), copy.path().join("tokens.journal")).unwrap();
        assert_eq!(Keeper::open(copy.path(), 0).unwrap().book.len(), usize::from(id));
    }
    ledger.stop();
}

#[test]
fn claims_of_one_batch_see_each_other() {
    let dir = tempfile::tempdir().unwrap();
    let caller = Caller::new(8);
    let mut ledger = Keeper::open(dir.path(), 0).unwrap();
    let batch = [
        claim(1, "192.0.2.1", Bind::Source),
        claim(1, "192.0.2.1", Bind::Source),
        claim(1, "192.0.2.2", Bind::Source),
        claim(2, "192.0.2.1", Bind::Session),
        claim(2, "192.0.2.1", Bind::Session),
    ];
    use Verdict::{Granted, Replayed};
    assert_eq!(caller.serve(&mut ledger, &batch, 0), [Granted, Granted, Replayed, Granted, Replayed]);
    assert_eq!(caller.woken.load(Ordering::SeqCst), 5);
}

#[test]
fn what_cannot_be_written_is_not_granted_and_not_used_up() {
    let dir = tempfile::tempdir().unwrap();
    let state = dir.path().join("state");
    fs::create_dir(&state).unwrap();
    let caller = Caller::new(8);
    let mut ledger = Keeper::open(&state, 0).unwrap();
    let old = claim(1, "192.0.2.1", Bind::Source);
    let new = claim(2, "192.0.2.1", Bind::Session);
    assert_eq!(caller.serve(&mut ledger, &[old], 0), [Verdict::Granted]);
    // Make the next write fail: the open file is given up, and a rewrite finds no directory.
    ledger.journal.close();
    fs::remove_dir_all(&state).unwrap();
    let batch = [old, new, new];
    assert_eq!(
        caller.serve(&mut ledger, &batch, 5),
        [Verdict::Granted, Verdict::Unavailable, Verdict::Replayed],
        "a use that is on record needs no writing"
    );
    fs::create_dir(&state).unwrap();
    assert_eq!(caller.serve(&mut ledger, &[new], 5), [Verdict::Unavailable], "one attempt a second");
    assert_eq!(caller.serve(&mut ledger, &[new], 6), [Verdict::Granted]);
    drop(ledger);
    assert_eq!(Keeper::open(&state, 0).unwrap().book.len(), 2, "the whole book was written anew");
}

#[test]
fn expired_entries_leave_the_journal_at_start() {
    let dir = tempfile::tempdir().unwrap();
    let caller = Caller::new(8);
    let mut ledger = Keeper::open(dir.path(), 0).unwrap();
    let brief = Claim { expires_s: 10, ..claim(1, "192.0.2.1", Bind::Source) };
    caller.serve(&mut ledger, &[brief, claim(2, "192.0.2.1", Bind::Source)], 0);
    let length = || fs::metadata(dir.path().join("tokens.journal")).unwrap().len();
    assert_eq!(length(), 3 * 64);
    drop(ledger);
    let ledger = Keeper::open(dir.path(), 10 + crate::limits::TOKEN_MEMORY_S).unwrap();
    assert_eq!(length(), 2 * 64);
    assert_eq!(ledger.book.len(), 1);
}

#[test]
fn an_answer_without_room_is_dropped_and_the_ledger_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let caller = Caller::new(1);
    let mut ledger = Keeper::open(dir.path(), 0).unwrap();
    let batch = [claim(1, "192.0.2.1", Bind::Source), claim(2, "192.0.2.1", Bind::Source)];
    assert_eq!(caller.serve(&mut ledger, &batch, 0), [Verdict::Granted]);
    assert_eq!(caller.woken.load(Ordering::SeqCst), 1);
}

#[test]
fn a_full_queue_is_said_at_once() {
    let (requests, _waiting) = bounded(1);
    let caller = Caller::new(1);
    let ledger = LedgerHandle { requests };
    ledger.claim(claim(1, "::1", Bind::Source), caller.reply(0)).unwrap();
    let refused = ledger.claim(claim(1, "::1", Bind::Source), caller.reply(0));
    assert!(matches!(refused, Err(LedgerError::Overloaded)));
}

#[test]
fn a_directory_is_for_one_ledger_and_must_be_there() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = Ledger::start(dir.path()).unwrap();
    assert!(matches!(Ledger::start(dir.path()), Err(LedgerError::InUse(_))));
    ledger.stop();
    let missing = dir.path().join("missing");
    let Err(error) = Ledger::start(&missing) else { panic!("there is no directory") };
    assert!(error.to_string().starts_with("token ledger: cannot open "), "{error}");
}

#[test]
fn a_foreign_file_stops_the_start() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("tokens.journal"), "notes\n").unwrap();
    assert!(matches!(Ledger::start(dir.path()), Err(LedgerError::Foreign(_))));
    assert_eq!(fs::read(dir.path().join("tokens.journal")).unwrap(), b"notes\n", "and is left alone");
}
