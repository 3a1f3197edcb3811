//! The evidence folder as mgmt reads it: logs, their segments, single frames. Never holds more than one frame. Leaves
//! out what frames mean.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use ::evidence::inventory::is_log_name;
use ::evidence::segment::{FRAME_ALIGN, FRAME_BYTES_MAX, Frame, FrameError, first_leaf_of};

/// Names of the logs in the evidence folder, sorted. A folder that is not there yet has none.
pub fn logs(dir: &Path) -> io::Result<Vec<String>> {
    let mut logs = Vec::new();
    for name in names(dir)? {
        if is_log_name(&name) && dir.join(&name).is_dir() {
            logs.push(name);
        }
    }
    Ok(logs)
}

/// Names of a log's segments, in order.
pub fn segments(dir: &Path, log: &str) -> io::Result<Vec<String>> {
    let mut segments = names(&dir.join(log))?;
    segments.retain(|name| first_leaf_of(name).is_some());
    Ok(segments)
}

/// The bytes of the frame at `offset`; `None` where no whole frame is there (yet).
pub fn frame(dir: &Path, log: &str, segment: &str, offset: u64) -> io::Result<Option<Vec<u8>>> {
    let path: PathBuf = [dir, Path::new(log), Path::new(segment)].iter().collect();
    let file = File::open(path)?;
    let head = read_at(&file, offset, FRAME_ALIGN)?;
    let want = match Frame::parse(&head) {
        Ok(_) => return Ok(Some(head)),
        Err(FrameError::Cut { want, have }) if have == FRAME_ALIGN && want <= FRAME_BYTES_MAX => want,
        Err(_) => return Ok(None),
    };
    let bytes = read_at(&file, offset, want)?;
    Ok((bytes.len() == want).then_some(bytes))
}

/// Up to `length` bytes; fewer where the file ends before.
fn read_at(file: &File, offset: u64, length: usize) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; length];
    let mut filled = 0;
    while filled < length {
        let place = bytes.get_mut(filled..).unwrap_or_default();
        match file.read_at(place, offset.saturating_add(filled as u64)) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    bytes.truncate(filled);
    Ok(bytes)
}

fn names(dir: &Path) -> io::Result<Vec<String>> {
    let entries = match std::fs::read_dir(dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut names = Vec::new();
    for entry in entries {
        if let Ok(name) = entry?.file_name().into_string() {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}
