//! What is to be scanned, cut into units that workers take one after the other. Folders are read as they come up, in
//! the order of their names.

use std::collections::VecDeque;
use std::fs::File;
use std::io::Read;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// Bytes of a file that one worker looks through at once.
pub(super) const CHUNK_BYTES: u64 = 4 << 20;
/// Units that may be ahead of the first that is not done: their hits wait to be printed in order.
const AHEAD_MAX: u64 = 256;

/// One worker's next task.
pub(super) enum Unit {
    Chunk(Chunk),
    Stream(Stream),
}

/// A part of a file of known length.
pub(super) struct Chunk {
    pub(super) path: Arc<str>,
    pub(super) file: Arc<File>,
    /// Hits that begin from here
    pub(super) start: u64,
    /// to before here are wanted.
    pub(super) end: u64,
    /// The file's length when it was opened.
    pub(super) length: u64,
}

/// What can only be read from its beginning on.
pub(super) struct Stream {
    pub(super) path: Arc<str>,
    pub(super) reader: Box<dyn Read + Send>,
    pub(super) compression: Option<Compression>,
    /// The file, to be read as it is where it turns out not to be compressed.
    pub(super) raw: Option<Arc<File>>,
}

/// Compression that is looked into.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Compression {
    Gzip,
    Zstd,
    /// An archive: each of its members is looked into.
    Zip,
}

impl Compression {
    /// By the first bytes.
    pub(super) fn of(head: &[u8]) -> Option<Self> {
        match head {
            [0x1f, 0x8b, 0x08, ..] => Some(Self::Gzip),
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Some(Self::Zstd),
            [b'P', b'K', 3, 4, ..] => Some(Self::Zip),
            _ => None,
        }
    }
}

/// Units in order, shared by the workers.
pub(super) struct Plan {
    state: Mutex<State>,
    moved: Condvar,
}

struct State {
    /// Paths still to be looked at; the next one first, and whether it was found in a folder.
    paths: VecDeque<(PathBuf, bool)>,
    /// The rest of the file that is being cut.
    rest: Option<Chunk>,
    next: u64,
    done: u64,
    stopped: bool,
}

impl Plan {
    /// For these paths.
    pub(super) fn new(paths: &[PathBuf]) -> Self {
        let paths = paths.iter().map(|path| (path.clone(), false)).collect();
        let state = State { paths, rest: None, next: 0, done: 0, stopped: false };
        Self { state: Mutex::new(state), moved: Condvar::new() }
    }

    /// The next unit and its number, or what could not be read; waits while too much is ahead.
    pub(super) fn next(&self) -> Option<(u64, Result<Unit, String>)> {
        let mut state = self.lock();
        while !state.stopped && state.next >= state.done + AHEAD_MAX {
            state = self.moved.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        if state.stopped {
            return None;
        }
        let unit = state.unit()?;
        let number = state.next;
        state.next += 1;
        Some((number, unit))
    }

    /// All units before this number are done.
    pub(super) fn done(&self, number: u64) {
        self.lock().done = number;
        self.moved.notify_all();
    }

    /// No unit is given out any more.
    pub(super) fn stop(&self) {
        self.lock().stopped = true;
        self.moved.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn unit(&mut self) -> Option<Result<Unit, String>> {
        loop {
            if let Some(chunk) = self.rest.take() {
                return Some(Ok(self.cut(chunk)));
            }
            let (path, found) = self.paths.pop_front()?;
            match self.look(&path, found) {
                Ok(Some(unit)) => return Some(Ok(unit)),
                Ok(None) => {}
                Err(error) => return Some(Err(format!("{}: {error}", path.display()))),
            }
        }
    }

    /// Cuts the next chunk off the rest of a file.
    fn cut(&mut self, mut rest: Chunk) -> Unit {
        let end = rest.length.min(rest.start + CHUNK_BYTES);
        let chunk = Chunk { path: Arc::clone(&rest.path), file: Arc::clone(&rest.file), end, ..rest };
        if end < rest.length {
            rest.start = end;
            self.rest = Some(rest);
        }
        Unit::Chunk(chunk)
    }

    /// What a path comes to. Links and devices are read where they are named, not where a folder holds them.
    fn look(&mut self, path: &Path, found: bool) -> std::io::Result<Option<Unit>> {
        if path == Path::new("-") && !found {
            return stream("-".into(), Box::new(std::io::stdin()), None).map(Some);
        }
        let about = if found { std::fs::symlink_metadata(path)? } else { std::fs::metadata(path)? };
        if about.is_dir() {
            self.enter(path)?;
            return Ok(None);
        }
        if found && !about.is_file() {
            return Ok(None);
        }
        let name: Arc<str> = path.to_string_lossy().into();
        let file = Arc::new(File::open(path)?);
        if !about.is_file() {
            return stream(name, Box::new(file), None).map(Some);
        }
        let mut head = [0; 4];
        let read = file.read_at(&mut head, 0)?;
        if Compression::of(head.get(..read).unwrap_or_default()).is_some() {
            return stream(name, Box::new(Arc::clone(&file)), Some(file)).map(Some);
        }
        let length = file.metadata()?.len();
        let whole = Chunk { path: name, file, start: 0, end: length, length };
        Ok((length > 0).then(|| self.cut(whole)))
    }

    fn enter(&mut self, folder: &Path) -> std::io::Result<()> {
        let mut paths = Vec::new();
        for entry in std::fs::read_dir(folder)? {
            paths.push(entry?.path());
        }
        paths.sort();
        for path in paths.into_iter().rev() {
            self.paths.push_front((path, true));
        }
        Ok(())
    }
}

fn stream(path: Arc<str>, mut reader: Box<dyn Read + Send>, raw: Option<Arc<File>>) -> std::io::Result<Unit> {
    let mut head = Vec::new();
    reader.by_ref().take(4).read_to_end(&mut head)?;
    // An archive's list of members stands at its end: what cannot be sought in is read as it is.
    let compression = Compression::of(&head).filter(|kind| *kind != Compression::Zip || raw.is_some());
    let reader = Box::new(std::io::Cursor::new(head).chain(reader));
    Ok(Unit::Stream(Stream { path, reader, compression, raw }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(plan: &Plan) -> Vec<String> {
        let mut names = Vec::new();
        while let Some((number, unit)) = plan.next() {
            names.push(match unit {
                Ok(Unit::Chunk(chunk)) => format!("{} {}..{}", chunk.path, chunk.start, chunk.end),
                Ok(Unit::Stream(stream)) => format!("{} {:?}", stream.path, stream.compression),
                Err(trouble) => trouble,
            });
            plan.done(number + 1);
        }
        names
    }

    #[test]
    fn files_are_cut_and_folders_read_in_order() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().display().to_string();
        std::fs::create_dir(folder.path().join("b")).unwrap();
        std::fs::write(folder.path().join("b/z"), vec![0; CHUNK_BYTES as usize + 1]).unwrap();
        std::fs::write(folder.path().join("a"), "x").unwrap();
        std::fs::write(folder.path().join("c.gz"), [0x1f, 0x8b, 8, 0]).unwrap();
        std::fs::write(folder.path().join("d"), "").unwrap();
        std::os::unix::fs::symlink("/", folder.path().join("link")).unwrap();
        let wanted = vec![
            format!("{root}/a 0..1"),
            format!("{root}/b/z 0..{CHUNK_BYTES}"),
            format!("{root}/b/z {CHUNK_BYTES}..{}", CHUNK_BYTES + 1),
            format!("{root}/c.gz Some(Gzip)"),
        ];
        assert_eq!(names(&Plan::new(&[folder.path().to_owned()])), wanted);
    }

    #[test]
    fn what_is_missing_is_told_and_the_rest_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        let (missing, there) = (folder.path().join("missing"), folder.path().join("there"));
        std::fs::write(&there, "x").unwrap();
        let names = names(&Plan::new(&[missing, there]));
        assert_eq!(names.len(), 2);
        assert!(names[0].contains("No such file"));
    }

    #[test]
    fn a_stopped_plan_gives_nothing() {
        let plan = Plan::new(&["/".into()]);
        plan.stop();
        assert!(plan.next().is_none());
    }
}
