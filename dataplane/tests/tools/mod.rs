//! Drivers in other languages, installed once and kept with the build; jobs that they run.
#![allow(dead_code, reason = "each test binary uses a part of it")]

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::gateway::text;

fn folder() -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("target/tools");
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// Held until dropped: one test installs, the others wait.
fn lock(name: &str) -> File {
    let lock = File::create(folder().join(name)).unwrap();
    lock.lock().unwrap();
    lock
}

/// A script beside the tests.
fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients").join(name)
}

/// A Python of its own with a driver: what pip calls it, and the module that it is.
pub(crate) fn python(driver: &str, module: &str) -> PathBuf {
    let _lock = lock("venv.lock");
    let venv = folder().join("venv");
    let python = venv.join("bin/python");
    if !python.exists() {
        assert!(Command::new("python3").args(["-m", "venv"]).arg(&venv).status().unwrap().success());
    }
    let there =
        Command::new(&python).args(["-c", &format!("import {module}")]).stderr(Stdio::null()).status();
    if !there.unwrap().success() {
        let installed =
            Command::new(&python).args(["-m", "pip", "install", "--quiet", driver]).output().unwrap();
        assert!(installed.status.success(), "{}", text(&installed));
    }
    python
}

/// A script of the job's in that Python, at most two minutes.
pub(crate) fn python_job(driver: &str, module: &str, name: &str) -> Command {
    let mut command = Command::new("timeout");
    command.arg("120").arg(python(driver, module)).arg(script(name));
    command
}

/// A folder of node modules with a package in it.
fn node_modules(package: &str, version: &str) -> PathBuf {
    let _lock = lock("node.lock");
    let place = folder().join("node");
    std::fs::create_dir_all(&place).unwrap();
    if !place.join("node_modules").join(package).join("package.json").exists() {
        let installed = Command::new("npm")
            .args(["install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix"])
            .args([place.to_str().unwrap(), &format!("{package}@{version}")])
            .output()
            .unwrap();
        assert!(installed.status.success(), "{}", text(&installed));
    }
    place.join("node_modules")
}

/// A script of the job's in Node with a package, at most two minutes.
pub(crate) fn node_job(package: &str, version: &str, name: &str) -> Command {
    let mut command = Command::new("timeout");
    command.args(["120", "node"]).arg(script(name)).env("NODE_PATH", node_modules(package, version));
    command
}
