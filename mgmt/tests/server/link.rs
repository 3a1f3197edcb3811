//! The link: what every connection is given, what is sent again, and who is cut off.

use mgmt::api::types::Status;
use policies::link::{Algorithm, Health, ToDataplane, ToMgmt};

use crate::support::{LinkClient, Site};

fn health(snapshot: u64, recording: Result<(), String>) -> ToMgmt {
    let troubles = vec![("payments".to_owned(), "password file is gone".to_owned())];
    ToMgmt::Health(Health { sessions: 3, commands: 40, held: 1, masked: 7, recording, snapshot, troubles })
}

#[tokio::test]
async fn every_connection_is_given_policy_keys_and_events() {
    let site = Site::start().await;
    for round in 0..2 {
        let mut link = site.link().await;
        assert_eq!(link.hear_snapshot().await.version(), 1, "round {round}");
        let keys = link
            .hear_some(|message| match message {
                ToDataplane::Keys(keys) => Some(keys.clone()),
                _ => None,
            })
            .await;
        assert_eq!(keys[0].issuer, site.issuer.url());
        assert_eq!(keys[0].keys[0].algorithm, Algorithm::EdDsa);
        // Nobody has recorded it: it comes again.
        link.hear_event("mgmt-started").await;
    }
}

#[tokio::test]
async fn health_is_shown_as_it_was_told() {
    let site = Site::start().await;
    let mut link = site.link().await;
    link.say(ToMgmt::Applied { version: 1, error: None }).await;
    link.say(health(1, Ok(()))).await;
    link.settle().await;
    let status: Status = site.get("/v1/status", &site.admin()).await.json(200);
    let gate = &status.dataplanes[0];
    assert_eq!((gate.instance.as_str(), gate.shards, gate.snapshot, gate.sessions), ("gate-1", 2, 1, 3));
    assert!(gate.recording);
    assert_eq!(status.troubles.len(), 1, "{:?}", status.troubles);
    assert!(status.troubles[0].contains("payments: password file is gone"));

    link.say(health(0, Err("disk full".into()))).await;
    link.say(ToMgmt::Applied { version: 2, error: Some("damaged".into()) }).await;
    link.settle().await;
    let status: Status = site.get("/v1/status", &site.admin()).await.json(200);
    let all = status.troubles.join("\n");
    assert!(all.contains("disk full") && all.contains("version 2: damaged"), "{all}");
    site.clock.advance_ms(61_000);
    let status: Status = site.get("/v1/status", &site.admin()).await.json(200);
    assert!(status.troubles.iter().any(|trouble| trouble.contains("not heard from")));
}

#[tokio::test]
async fn what_is_no_message_ends_the_connection_and_no_other() {
    let site = Site::start().await;
    let mut good = site.link().await;
    for bytes in [&[0, 0, 0, 0][..], &[0, 0, 0, 2, 9, 9], &[0xff; 8], &[0, 0, 0, 5, 1, 1, 2, 3, 4]] {
        let mut bad = site.link().await;
        bad.say_bytes(bytes).await;
        while bad.hear().await.is_some() {}
    }
    let mut silent = LinkClient::silent(&site.path("link.sock")).await;
    silent.say(health(1, Ok(()))).await;
    while silent.hear().await.is_some() {}
    good.settle().await;
}

#[tokio::test]
async fn a_second_mgmt_does_not_take_the_socket() {
    let site = Site::start().await;
    let second = crate::support::site::start(&site.dir, "127.0.0.1:0", &site.clock, "").await;
    assert!(second.err().expect("no start").to_string().contains("another pangate-mgmt"));
    site.link().await.settle().await;
}
