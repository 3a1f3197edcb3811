//! The boot configuration: what is taken, and how each mistake is named.

use std::fs::{Permissions, set_permissions};
use std::os::unix::fs::PermissionsExt;

use super::*;

const MINIMAL: &str = "\
instance: gw
link: link.sock
stateDir: /state
evidence: {dir: evidence, signingKey: a.key, sealingKey: b.key}
tls: {cert: c.pem, key: c.key}
";

fn parse(text: &str) -> Result<Config, ConfigError> {
    Config::parse(text, Path::new("/etc/pangate/dataplane.yaml"))
}

/// The message for `MINIMAL` with one line changed or added.
fn refused(from: &str, to: &str) -> String {
    assert!(MINIMAL.contains(from));
    parse(&MINIMAL.replacen(from, to, 1)).unwrap_err().to_string()
}

#[test]
fn the_example_is_a_configuration_and_has_every_key() {
    let config = parse(Config::example()).unwrap();
    assert_eq!(config.instance, "gateway-1");
    assert_eq!(config.shards, 0);
    assert_eq!(config.link, Path::new("/run/pangate/link.sock"));
    assert_eq!(config.evidence.segment_bytes, 256 << 20);
    assert_eq!(config.tls.key, Path::new("/etc/pangate/tls/gateway.key"));
    assert_eq!(config.drain_timeout, Duration::from_secs(30));
}

#[test]
fn what_is_left_out_has_the_examples_values() {
    let config = parse(MINIMAL).unwrap();
    let example = parse(Config::example()).unwrap();
    assert_eq!(
        (config.shards, config.evidence.segment_bytes, config.drain_timeout),
        (example.shards, example.evidence.segment_bytes, example.drain_timeout)
    );
}

#[test]
fn relative_paths_start_at_the_files_folder() {
    let config = parse(MINIMAL).unwrap();
    assert_eq!(config.link, Path::new("/etc/pangate/link.sock"));
    assert_eq!(config.state_dir, Path::new("/state"));
    assert_eq!(config.tls.cert, Path::new("/etc/pangate/c.pem"));
    assert_eq!(Config::parse(MINIMAL, Path::new("x.yaml")).unwrap().link, Path::new("link.sock"));
}

#[test]
fn units_are_read() {
    for (text, bytes) in [("1048576", 1 << 20), ("1024KiB", 1 << 20), ("3 MiB", 3 << 20), ("64GiB", 64 << 30)]
    {
        let config = parse(&MINIMAL.replace("b.key}", &format!("b.key, segmentBytes: {text}}}"))).unwrap();
        assert_eq!(config.evidence.segment_bytes, bytes);
    }
    for (text, ms) in [("0s", 0), ("500ms", 500), ("2m", 120_000), ("24h", 86_400_000)] {
        let config = parse(&format!("{MINIMAL}drainTimeout: {text}\n")).unwrap();
        assert_eq!(config.drain_timeout, Duration::from_millis(ms));
    }
}

#[test]
fn every_mistake_has_its_place() {
    let at = "/etc/pangate/dataplane.yaml:";
    let cases = [
        (refused("instance: gw", "instance: a b"), "1:11: instance: 1 to 63 letters"),
        (refused("instance: gw", "instance: ''"), "1:11: instance: 1 to 63 letters"),
        (refused("link.sock", "''"), "2:7: a path is empty"),
        (refused("link.sock", &"x".repeat(108)), "2:7: link: the path of a Unix socket"),
        (refused("/state", "/state\nshards: 257"), "4:9: shards: at most 256"),
        (refused("b.key", "b.key, segmentBytes: 4097KiB1"), "segmentBytes: a multiple of 4096"),
        (refused("b.key", "b.key, segmentBytes: 1MB"), "segmentBytes: a multiple of 4096"),
        (refused("b.key", "b.key, segmentBytes: 4096"), "segmentBytes: a multiple of 4096"),
        (refused("b.key", "b.key, segmentBytes: 1048577"), "segmentBytes: a multiple of 4096"),
        (refused("/state", "/state\ndrainTimeout: 30"), "4:15: drainTimeout: a duration"),
        (refused("/state", "/state\ndrainTimeout: 25h"), "4:15: drainTimeout: a duration"),
        (refused("/state", "/state\ndrainTimeout: 99999999999999999999h"), "4:15: drainTimeout: a duration"),
        (refused("/state", "/state\napprovalUrl: gopher://x"), "4:14: approvalUrl: an http"),
        (refused("/state", "/state\napprovalUrl: 'https://x y'"), "4:14: approvalUrl: an http"),
    ];
    for (message, expected) in cases {
        assert!(message.starts_with(at) && message.contains(expected), "{message}\n  lacks: {expected}");
    }
}

#[test]
fn syntax_and_keys_are_checked_with_their_place() {
    let unknown = refused("/state", "/state\nstatedir: /state");
    assert!(unknown.starts_with("/etc/pangate/dataplane.yaml:4:1: "), "{unknown}");
    assert!(unknown.contains("statedir"), "{unknown}");
    let missing = refused("link: link.sock\n", "");
    assert!(missing.contains("link"), "{missing}");
    let twice = refused("/state", "/state\ninstance: gw");
    assert!(twice.contains(":4:1: ") && twice.contains("instance"), "{twice}");
    let kind = refused("/state", "/state\nshards: many");
    assert!(kind.contains(":4:9: "), "{kind}");
    let syntax = refused("tls: {", "tls: [");
    assert!(syntax.starts_with("/etc/pangate/dataplane.yaml:"), "{syntax}");
    let nothing = parse("").unwrap_err().to_string();
    assert!(nothing.starts_with("/etc/pangate/dataplane.yaml:"), "{nothing}");
    assert_eq!(unknown.lines().count(), 1);
}

#[test]
fn the_hint_names_the_place_where_there_is_one() {
    let hint = parse(Config::example()).unwrap().approval_hint();
    assert_eq!(hint, "; approve it at https://pangate.cde.internal:8443/ or by: pangate approvals");
    assert_eq!(parse(MINIMAL).unwrap().approval_hint(), "; approve it by: pangate approvals");
}

#[test]
fn the_file_is_read_within_bounds() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("dataplane.yaml");
    assert!(matches!(Config::read(&path), Err(ConfigError::Unreadable { .. })));
    fs::write(&path, MINIMAL).unwrap();
    assert_eq!(Config::read(&path).unwrap().link, dir.path().join("link.sock"));
    fs::write(&path, "#".repeat(CONFIG_BYTES_MAX + 1)).unwrap();
    assert!(matches!(Config::read(&path), Err(ConfigError::TooLong { .. })));
    fs::write(&path, b"instance: \xff").unwrap();
    let error = Config::read(&path).unwrap_err().to_string();
    assert!(error.ends_with("cannot be read: it is not UTF-8"), "{error}");
}

#[test]
fn shards_follow_the_cores_unless_counted() {
    let mut config = parse(MINIMAL).unwrap();
    assert_eq!((config.shard_count(8), config.shard_count(0), config.shard_count(9999)), (8, 1, 256));
    config.shards = 3;
    assert_eq!(config.shard_count(8), 3);
}

#[test]
fn paths_are_made_or_checked_and_all_errors_told() {
    let dir = tempfile::tempdir().unwrap();
    let text = MINIMAL.replace("/state", "state");
    let config = Config::parse(&text, &dir.path().join("dataplane.yaml")).unwrap();
    let errors = config.prepare().unwrap_err();
    let keys: Vec<_> = errors
        .iter()
        .map(|error| match error {
            ConfigError::Path { key, .. } => *key,
            _ => panic!("{error}"),
        })
        .collect();
    assert_eq!(keys, ["evidence.signingKey", "evidence.sealingKey", "tls.cert", "tls.key"]);
    for made in ["state", "evidence"] {
        assert_eq!(fs::metadata(dir.path().join(made)).unwrap().permissions().mode() & 0o777, 0o700);
    }
    for (name, mode) in [("a.key", 0o600), ("b.key", 0o604), ("c.pem", 0o644), ("c.key", 0o640)] {
        fs::write(dir.path().join(name), "x").unwrap();
        set_permissions(dir.path().join(name), Permissions::from_mode(mode)).unwrap();
    }
    let errors = config.prepare().unwrap_err();
    assert_eq!(errors.len(), 1);
    assert!(errors[0].to_string().contains("evidence.sealingKey: "), "{}", errors[0]);
    assert!(errors[0].to_string().contains("(mode 604)"), "{}", errors[0]);
    set_permissions(dir.path().join("b.key"), Permissions::from_mode(0o600)).unwrap();
    config.prepare().unwrap();
}

#[test]
fn wrong_kinds_of_paths_are_named() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("a"), "x").unwrap();
    let file_path = dir.path().join("a");
    assert!(folder("k", &file_path).unwrap_err().to_string().ends_with("is no folder"));
    assert!(folder("k", &dir.path().join("b/c")).unwrap_err().to_string().contains("cannot be made"));
    assert!(folder("k", &file_path.join("c")).is_err());
    assert!(file("k", dir.path()).unwrap_err().to_string().ends_with("is no regular file"));
}

/// What a key file with that content and mode gives.
fn surrogate_key(content: &[u8], mode: u32) -> Result<Option<[u8; 32]>, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key");
    std::fs::write(&path, content).unwrap();
    std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(mode)).unwrap();
    let mut config = parse(MINIMAL).unwrap();
    assert!(config.surrogate_key().unwrap().is_none());
    config.surrogate_key_file = Some(path);
    config.surrogate_key().map(|key| key.map(|key| *key)).map_err(|error| error.to_string())
}

#[test]
fn the_key_of_surrogates_is_raw_or_hexadecimal_and_not_open_to_everybody() {
    assert_eq!(surrogate_key(&[0xab; 32], 0o600), Ok(Some([0xab; 32])));
    assert_eq!(surrogate_key(&b"Ab".repeat(32), 0o640), Ok(Some([0xab; 32])));
    assert_eq!(surrogate_key(&[b"ab".repeat(32), b"\n".to_vec()].concat(), 0o400), Ok(Some([0xab; 32])));
    for (content, mode, says) in [
        (vec![7; 32], 0o604, "open to every user"),
        (vec![7; 31], 0o600, "holds no key"),
        (vec![7; 33], 0o600, "holds no key"),
        (b"0g".repeat(32), 0o600, "holds no key"),
        (b"ab".repeat(33), 0o600, "holds no key"),
        (Vec::new(), 0o600, "holds no key"),
    ] {
        let error = surrogate_key(&content, mode).unwrap_err();
        assert!(error.contains("surrogateKeyFile") && error.contains(says), "{error}");
    }
}
