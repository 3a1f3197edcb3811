//! Evidence that cannot be written, and a dataplane that is killed under load: nothing runs unrecorded.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::clients::{open, open_as, run, said};
use crate::gateway::{Gateway, text, wait_for};

/// A small file system, gone with the value.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn mount(folder: &Path) -> Self {
        let image = folder.join("disk.img");
        let place = folder.join("disk");
        std::fs::File::create(&image).unwrap().set_len(8 << 20).unwrap();
        std::fs::create_dir(&place).unwrap();
        let made = Command::new("mkfs.ext4")
            .args(["-q", "-m", "0", "-O", "^has_journal"])
            .arg(&image)
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", text(&made));
        let mounted = Command::new("mount").args(["-o", "loop"]).arg(&image).arg(&place).output().unwrap();
        assert!(mounted.status.success(), "needs root: {}", text(&mounted));
        Self(place)
    }

    /// Takes all that is free.
    fn fill(&self) {
        let mut file = std::fs::File::create(self.0.join("filler")).unwrap();
        let block = vec![7; 4096];
        while std::io::Write::write_all(&mut file, &block).is_ok() {}
        file.sync_all().unwrap();
    }

    fn free(&self) {
        std::fs::remove_file(self.0.join("filler")).unwrap();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

fn lets_in(gateway: &Gateway) {
    wait_for("the gateway letting a job in", || (gateway.job(&["select 'in'"]) == "in\n").then_some(()));
}

fn verify(gateway: &Gateway, folder: &Path) {
    let verified = Command::new(gateway.program("pangate"))
        .args(["audit", "verify", "--key", gateway.get("PANGATE_EVIDENCE_KEY")])
        .arg(folder)
        .output()
        .unwrap();
    assert!(verified.status.success(), "{}", text(&verified));
}

#[test]
fn on_a_full_disk_nothing_is_forwarded_until_there_is_room_again() {
    // Each shard has its own log, and hears of the disk with its own first write: before-forward leaves no room between.
    let gateway = Gateway::with_changes(&[("{within: 50ms}", "before-forward")]);
    let disk = SmallDisk::mount(gateway.dir());
    gateway.kill("dataplane", "-TERM");
    let config = gateway.dir().join("dataplane.yaml");
    let evidence = disk.0.join("evidence");
    std::fs::create_dir(&evidence).unwrap();
    let text_before = std::fs::read_to_string(&config).unwrap();
    let text_after = text_before.replace(
        &format!("evidence: {{dir: {}", gateway.get("PANGATE_EVIDENCE_DIR")),
        &format!("evidence: {{dir: {}", evidence.display()),
    );
    assert_ne!(text_before, text_after);
    std::fs::write(&config, text_after).unwrap();
    gateway.start_again("dataplane");
    lets_in(&gateway);
    disk.fill();
    let refused = wait_for("the disk's end being noticed", || {
        let said = gateway.job(&["\\set VERBOSITY verbose", "select 1"]);
        said.contains("cannot record").then_some(said)
    });
    assert!(refused.contains("58030") || refused.contains("FATAL"), "{refused}");
    for _ in 0..10 {
        let said =
            gateway.job(&["insert into settlements (card_id, amount, note) values (1, 1, 'unrecorded')"]);
        assert!(said.contains("cannot record"), "{said}");
    }
    assert_eq!(gateway.direct(&["select count(*) from settlements where note = 'unrecorded'"]).trim(), "0");
    run(async {
        let refused = open_as(&gateway, &gateway.job_token()).await.map(|_| ()).unwrap_err();
        assert!(said(&refused).starts_with("58030 "), "{}", said(&refused));
    });
    let status = wait_for("the health report", || {
        let said = gateway.json(&["status"]).to_string();
        said.to_lowercase().contains("space").then_some(said)
    });
    assert!(!status.contains("unrecorded"));
    disk.free();
    // Each shard finds out by itself that it can write again, and a job may meet either.
    let mut in_a_row = 0;
    wait_for("every shard recording again", || {
        let said =
            gateway.job(&["insert into settlements (card_id, amount, note) values (1, 1, 'recorded')"]);
        in_a_row = if said.is_empty() { in_a_row + 1 } else { 0 };
        (in_a_row == 8).then_some(())
    });
    gateway.kill("dataplane", "-TERM");
    verify(&gateway, &evidence);
    drop(disk);
}

#[test]
fn killed_under_load_what_was_recorded_verifies_and_what_ran_is_recorded() {
    let gateway = Gateway::with_changes(&[("{within: 50ms}", "before-forward")]);
    let mut load: Vec<_> = (0..3)
        .map(|_| {
            Command::new("pgbench")
                .args(["-n", "-S", "-M", "prepared", "-c", "2", "-T", "100"])
                .envs([("PGHOST", "localhost"), ("PGUSER", "ci-job"), ("PGSSLMODE", "verify-full")])
                .env("PGDATABASE", gateway.get("PANGATE_POSTGRES_TARGET"))
                .env("PGPORT", gateway.port().to_string())
                .env("PGSSLROOTCERT", gateway.get("PANGATE_CA"))
                .env("PGPASSWORD", gateway.job_token())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .unwrap()
        })
        .collect();
    run(async {
        let client = open(&gateway).await.client;
        // Killed while the job goes on inserting, one statement after the other.
        let inserting = tokio::spawn(async move {
            let mut index = 0;
            let insert = "insert into settlements (card_id, amount, note) values (1, 1, 'numbered ";
            while client.simple_query(&format!("{insert}{index}')")).await.is_ok() {
                index += 1;
            }
            index
        });
        wait_for("some inserts", || {
            let said = gateway.direct(&["select count(*) from settlements where note like 'numbered%'"]);
            (said.trim().parse::<u32>().unwrap() >= 20).then_some(())
        });
        gateway.kill("dataplane", "-KILL");
        assert!(inserting.await.unwrap() >= 20);
    });
    for job in &mut load {
        let _ = job.kill();
        job.wait().unwrap();
    }
    gateway.start_again("dataplane");
    lets_in(&gateway);
    gateway.kill("dataplane", "-TERM");
    let verified = gateway.verify();
    assert!(verified.status.success(), "{}", text(&verified));
    let recorded = gateway.export();
    let ran = gateway.direct(&["select note from settlements where note like 'numbered%'"]);
    for note in ran.lines() {
        assert!(recorded.contains(&format!("'{note}'")), "{note} ran and is not recorded");
    }
}
