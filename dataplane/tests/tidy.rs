//! Rules of the repository that a compiler does not check: edges between crates, file heads, what tests may not do.
#![expect(clippy::unwrap_used, reason = "a test")]

use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// Every Rust file of the repository with its text.
fn sources() -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut folders = vec![root()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() && name != "target" && !name.starts_with('.') {
                folders.push(path);
            } else if name.ends_with(".rs") {
                let text = fs::read_to_string(&path).unwrap();
                found.push((path, text));
            }
        }
    }
    assert!(found.len() > 50, "the repository was found");
    found
}

#[test]
fn crates_depend_on_each_other_only_along_the_edges_of_the_design() {
    let edges: [(&str, &[&str]); 7] = [
        ("dataplane/scan", &[]),
        ("dataplane/wire", &["scan"]),
        ("dataplane/evidence", &[]),
        ("policies", &[]),
        ("dataplane", &["wire", "scan", "evidence", "policies"]),
        ("mgmt", &["policies", "evidence", "scan"]),
        ("loadtest", &[]),
    ];
    let ours = ["scan", "wire", "evidence", "policies", "dataplane", "mgmt"];
    for (place, allowed) in edges {
        let manifest = fs::read_to_string(root().join(place).join("Cargo.toml")).unwrap();
        let dependencies = manifest.split("[dependencies]").nth(1).unwrap().split("\n[").next().unwrap();
        for line in dependencies.lines() {
            let name = line.split(['.', ' ', '=']).next().unwrap();
            assert!(!ours.contains(&name) || allowed.contains(&name), "{place} must not depend on {name}");
        }
    }
}

#[test]
fn every_file_says_first_what_it_does() {
    for (path, text) in sources() {
        let first = text.lines().find(|line| !line.starts_with("#!")).unwrap_or_default();
        let within = path.components().any(|part| part.as_os_str() == "fuzz_targets");
        assert!(first.starts_with("//!") || within, "{}: the first line is no //!", path.display());
    }
}

#[test]
fn nothing_sleeps_is_ignored_or_left_unfinished() {
    // Put together here, so that this file does not hold them.
    let banned = [
        ["thread::", "sleep("].concat(),
        ["#[", "ignore"].concat(),
        ["TO", "DO"].concat(),
        ["FIX", "ME"].concat(),
        ["todo", "!("].concat(),
    ];
    for (path, text) in sources() {
        for word in &banned {
            assert!(!text.contains(word.as_str()), "{} holds {word}", path.display());
        }
    }
}

#[test]
fn unsafe_code_stands_only_where_it_may() {
    let may = [
        "dataplane/src/ring.rs",
        "dataplane/src/sys/",
        "dataplane/scan/src/arch/",
        // The test's own allocator, which counts.
        "dataplane/wire/tests/postgres_steady.rs",
        "policies/src/checked.rs",
    ];
    let word = ["unsafe", " {"].concat();
    for (path, text) in sources() {
        let place = path.strip_prefix(root()).unwrap().to_string_lossy().into_owned();
        // A counting allocator in a test is unsafe by nature.
        let free = may.iter().any(|prefix| place.starts_with(prefix)) || place.contains("/tests/");
        assert!(free || !text.contains(&word), "{place} holds unsafe code");
    }
}

#[test]
fn the_licence_and_the_documents_are_there() {
    for name in ["LICENSE", "README.md", "ARCHITECTURE.md", "SECURITY.md", "CONTRIBUTING.md", ".ci/run"] {
        assert!(root().join(name).exists(), "{name} is missing");
    }
}
