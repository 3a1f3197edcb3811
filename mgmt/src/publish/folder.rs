//! Manifests from a folder: every `*.yaml` and `*.yml` in it, by name, not in folders below. `*.cases.yaml` beside them
//! are no manifests: they hold cases for `pangate test`.

use std::io;
use std::path::{Path, PathBuf};

use crate::api::types::PolicyFile;

/// Files at the most.
const FILES_MAX: usize = 1000;
/// Bytes of all of them at the most.
const BYTES_MAX: u64 = 8 << 20;

/// Why a folder gives no manifests.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// It, or a file in it, cannot be read.
    #[error("{path}: {cause}", path = path.display())]
    Read {
        /// Folder or file.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// Over [`FILES_MAX`] or [`BYTES_MAX`].
    #[error("{path}: more than {FILES_MAX} manifests or {BYTES_MAX} bytes", path = path.display())]
    TooLarge {
        /// The folder.
        path: PathBuf,
    },
    /// No manifest in it.
    #[error("{path}: no *.yaml or *.yml file in this folder", path = path.display())]
    Empty {
        /// The folder.
        path: PathBuf,
    },
}

/// Reads a folder's manifests, sorted by name.
pub fn read(folder: &Path) -> Result<Vec<PolicyFile>, FolderError> {
    let files = read_where(folder, |path| !holds_cases(path))?;
    if files.is_empty() { Err(FolderError::Empty { path: folder.to_owned() }) } else { Ok(files) }
}

/// Reads the files of cases beside a folder's manifests, sorted by name; there may be none.
pub fn read_cases(folder: &Path) -> Result<Vec<PolicyFile>, FolderError> {
    read_where(folder, holds_cases)
}

fn holds_cases(path: &Path) -> bool {
    path.file_stem().is_some_and(|stem| stem.to_string_lossy().ends_with(".cases"))
}

fn read_where(folder: &Path, wanted: impl Fn(&Path) -> bool) -> Result<Vec<PolicyFile>, FolderError> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |cause| FolderError::Read { path, cause }
    };
    let too_large = || FolderError::TooLarge { path: folder.to_owned() };
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed(folder))? {
        let path = entry.map_err(failed(folder))?.path();
        let yaml = path.extension().is_some_and(|end| end == "yaml" || end == "yml");
        if yaml && wanted(&path) && path.is_file() {
            paths.push(path);
        }
        if paths.len() > FILES_MAX {
            return Err(too_large());
        }
    }
    paths.sort();
    let mut bytes = 0;
    let mut files = Vec::new();
    for path in paths {
        bytes += std::fs::metadata(&path).map_err(failed(&path))?.len();
        if bytes > BYTES_MAX {
            return Err(too_large());
        }
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&path).map_err(failed(&path))?;
        files.push(PolicyFile { name, text });
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn manifests_come_by_name_and_nothing_else_comes() {
        let dir = tempfile::tempdir().unwrap();
        for (name, text) in [("b.yml", "2"), ("a.yaml", "1"), ("notes.txt", "no"), ("a.cases.yaml", "3")] {
            std::fs::write(dir.path().join(name), text).unwrap();
        }
        std::fs::create_dir(dir.path().join("below.yaml")).unwrap();
        let files = read(dir.path()).unwrap();
        let pairs: Vec<_> = files.iter().map(|file| (file.name.as_str(), file.text.as_str())).collect();
        assert_eq!(pairs, [("a.yaml", "1"), ("b.yml", "2")]);
        let cases = read_cases(dir.path()).unwrap();
        assert_eq!(cases.iter().map(|file| file.name.as_str()).collect::<Vec<_>>(), ["a.cases.yaml"]);
    }

    #[test]
    fn what_gives_no_manifests_is_told() {
        let dir = tempfile::tempdir().unwrap();
        assert!(matches!(read(dir.path()), Err(FolderError::Empty { .. })));
        assert!(matches!(read(&dir.path().join("none")), Err(FolderError::Read { .. })));
        std::fs::write(dir.path().join("a.yaml"), [0xff]).unwrap();
        assert!(matches!(read(dir.path()), Err(FolderError::Read { .. })), "not UTF-8");
        std::fs::File::create(dir.path().join("a.yaml")).unwrap().set_len(BYTES_MAX + 1).unwrap();
        assert!(matches!(read(dir.path()), Err(FolderError::TooLarge { .. })));
    }
}
