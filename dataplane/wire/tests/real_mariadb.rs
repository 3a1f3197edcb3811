//! The engine's login at a real MariaDB, by each plugin that it has.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::too_many_lines,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod driver;
mod mariadb;

use mariadb::{Server, USERS};

#[test]
fn the_server_is_what_the_tests_take_it_for() {
    let server = Server::start();
    let users =
        server.sql("SELECT user, plugin FROM mysql.user WHERE user IN ('native', 'ed25519') ORDER BY user");
    assert_eq!(users, "ed25519\ted25519\nnative\tmysql_native_password\n");
    assert_eq!(USERS.len(), 3);
}
