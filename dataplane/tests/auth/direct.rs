//! TLS from the first byte on the jobs' leg (`sslnegotiation=direct` of PostgreSQL 17 and later), with tokio-postgres,
//! which speaks it, and by hand where a client does what it should not.

use std::io::Write as _;

use tokio_postgres::SimpleQueryMessage;
use tokio_postgres::config::{SslMode, SslNegotiation};

use crate::clients::{Connector, run};
use crate::gateway::Gateway;
use crate::raw::{SSL_REQUEST, asked_for, config, direct, log_in, message, rest, startup, tcp};

#[test]
fn a_client_that_begins_with_tls_is_let_in_if_it_names_the_protocol() {
    let gateway = Gateway::start();
    run(async {
        let mut job = tokio_postgres::Config::new();
        job.host("localhost").port(gateway.port()).user("ci-job").password(gateway.job_token());
        job.dbname("payments").ssl_mode(SslMode::Require).ssl_negotiation(SslNegotiation::Direct);
        let connector = Connector::with(config(&gateway, &["postgresql"]));
        let (client, connection) = job.connect(connector).await.unwrap();
        tokio::spawn(connection);
        let rows = client.simple_query("select pan from cards where id = 1").await.unwrap();
        let pans: Vec<_> = rows
            .iter()
            .filter_map(|message| match message {
                SimpleQueryMessage::Row(row) => row.get(0),
                _ => None,
            })
            .collect();
        assert_eq!(pans, ["************1111"]);
    });
    // Behind an SSLRequest the name may be there or not.
    for (names, minor) in [(&["postgresql"][..], 0), (&[], 2)] {
        let mut raw = asked_for(&gateway, config(&gateway, names));
        let told = log_in(&mut raw, &gateway.job_token(), minor).unwrap();
        assert!(told.iter().all(|(tag, _)| *tag != b'v'), "3.2 is spoken here, whatever the target speaks");
        assert_eq!(told.iter().filter(|(tag, _)| *tag == b'K').count(), 1);
        assert_eq!(raw.conn.alpn_protocol(), names.first().map(|name| name.as_bytes()));
    }
}

#[test]
fn direct_tls_for_something_else_is_refused() {
    let gateway = Gateway::start();
    // No name: the protocol's own error, and nothing is asked.
    let mut raw = direct(&gateway, config(&gateway, &[]));
    let _ = raw.write_all(&startup(0, "ci-job", "payments"));
    let told = String::from_utf8_lossy(&rest(&mut raw)).into_owned();
    assert!(told.starts_with('E') && told.contains("C08P01") && told.contains("ALPN"), "{told}");
    // Another name: no handshake.
    let mut raw = direct(&gateway, config(&gateway, &["h2", "http/1.1"]));
    assert!(raw.write_all(&startup(0, "ci-job", "payments")).and_then(|()| raw.flush()).is_err());
    // A word of the protocol within, and TLS within TLS.
    for within in [&SSL_REQUEST[..], b"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00"] {
        let mut raw = direct(&gateway, config(&gateway, &["postgresql"]));
        raw.write_all(within).unwrap();
        let _ = raw.flush();
        let told = String::from_utf8_lossy(&rest(&mut raw)).into_owned();
        assert!(told.starts_with('E'), "{told}");
    }
    assert_eq!(gateway.job(&["select 'well'"]), "well\n");
}

/// What is said in the clear must not pass for said inside TLS, in one piece with the request or behind it.
#[test]
fn words_pushed_in_before_the_handshake_never_reach_the_session() {
    let gateway = Gateway::start();
    let pushed = [startup(0, "ci-job", "payments"), message(b'Q', b"select 'pushed'\0")].concat();
    for together in [true, false] {
        let mut stream = tcp(&gateway);
        if together {
            stream.write_all(&[&SSL_REQUEST[..], &pushed].concat()).unwrap();
        } else {
            stream.write_all(&SSL_REQUEST).unwrap();
            stream.write_all(&pushed).unwrap();
        }
        let told = rest(&mut stream);
        // At most the answer to the request; a TLS alert may follow it.
        assert!(
            !told.windows(5).any(|bytes| bytes == [b'R', 0, 0, 0, 8]),
            "a password was asked for: {told:?}"
        );
    }
    assert_eq!(gateway.job(&["select 'well'"]), "well\n");
}
