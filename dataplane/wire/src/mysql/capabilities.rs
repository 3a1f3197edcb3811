//! What client and server agree to speak (`CLIENT_*` of the handshake, MariaDB's extended ones above bit 32), and the
//! status flags of OK and EOF packets.

/// Capability flags; MariaDB's own stand above bit 32.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Capabilities(pub(crate) u64);

/// What every target that the engine speaks with has, and what the engine offers whatever its target: MySQL 5.7,
/// MariaDB 10.2. Not IGNORE_SPACE, which changes how a text is cut; not LOCAL_FILES, COMPRESS and more factors.
const OFFERED: Capabilities = Capabilities::PROTOCOL_41
    .and(Capabilities::FOUND_ROWS)
    .and(Capabilities::LONG_FLAG)
    .and(Capabilities::CONNECT_WITH_DB)
    .and(Capabilities::ODBC)
    .and(Capabilities::INTERACTIVE)
    .and(Capabilities::TRANSACTIONS)
    .and(Capabilities::RESERVED)
    .and(Capabilities::SECURE_CONNECTION)
    .and(Capabilities::MULTI_STATEMENTS)
    .and(Capabilities::MULTI_RESULTS)
    .and(Capabilities::PS_MULTI_RESULTS)
    .and(Capabilities::PLUGIN_AUTH)
    .and(Capabilities::CONNECT_ATTRS)
    .and(Capabilities::PLUGIN_AUTH_LENENC)
    .and(Capabilities::SESSION_TRACK)
    .and(Capabilities::DEPRECATE_EOF);

/// What the gateway asks a target for only because its client has.
pub(crate) const CARRIED: Capabilities = Capabilities::FOUND_ROWS
    .and(Capabilities::LONG_FLAG)
    .and(Capabilities::ODBC)
    .and(Capabilities::INTERACTIVE)
    .and(Capabilities::MULTI_STATEMENTS)
    .and(FRAMING);

/// What changes the form of packets once the session is open: both legs have it, or neither.
pub(crate) const FRAMING: Capabilities = Capabilities::MULTI_RESULTS
    .and(Capabilities::PS_MULTI_RESULTS)
    .and(Capabilities::SESSION_TRACK)
    .and(Capabilities::DEPRECATE_EOF)
    .and(Capabilities::QUERY_ATTRIBUTES)
    .and(Capabilities::MARIADB_PROGRESS)
    .and(Capabilities::MARIADB_BULK)
    .and(Capabilities::MARIADB_EXTENDED_METADATA);

/// What a client may not ask for unless it was offered: it would read and write packets of another form. Other flags
/// that were not offered count as not set, as servers have it and clients do: they set some whatever is offered
/// (mysql2 of Node.js IGNORE_SPACE, LOCAL_FILES and QUERY_ATTRIBUTES).
pub(crate) const FOREIGN: Capabilities = Capabilities::COMPRESS
    .and(Capabilities::ZSTD_COMPRESSION)
    .and(Capabilities::OPTIONAL_RESULTSET_METADATA)
    .and(Capabilities::MARIADB_CACHE_METADATA)
    .and(Capabilities::MARIADB_EXTENDED_METADATA);

/// MariaDB's own flags.
pub(crate) const EXTENDED: Capabilities = Capabilities(0xffff_ffff << 32);

/// What a server of this version is to offer: of what came later than [`OFFERED`], no more than that version has.
pub(crate) fn offered(version: &str, tls: bool) -> Capabilities {
    let mariadb = version.contains("MariaDB");
    let release = release(version);
    let later = [
        (tls, Capabilities::SSL),
        (!mariadb, Capabilities::LONG_PASSWORD),
        (!mariadb && release >= [8, 0, 23], Capabilities::QUERY_ATTRIBUTES),
        (mariadb, Capabilities::MARIADB_PROGRESS),
        (mariadb && release >= [10, 2, 0], Capabilities::MARIADB_BULK),
        (mariadb && release >= [10, 5, 2], Capabilities::MARIADB_EXTENDED_METADATA),
    ];
    later.into_iter().filter(|(has, _)| *has).fold(OFFERED, |all, (_, one)| all.and(one))
}

/// The numbers of a version; MariaDB may write "5.5.5-" before its own, for replicas that know of no 10.
fn release(version: &str) -> [u32; 3] {
    let version = version.strip_prefix("5.5.5-").unwrap_or(version);
    let mut numbers = version.split(|c: char| !c.is_ascii_digit()).map(|part| part.parse().unwrap_or(0));
    [(); 3].map(|()| numbers.next().unwrap_or(0))
}

impl Capabilities {
    /// MySQL's own flag; MariaDB's servers leave it out, and have extended flags where it is missing.
    pub(crate) const LONG_PASSWORD: Self = Self(1);
    pub(crate) const FOUND_ROWS: Self = Self(1 << 1);
    pub(crate) const LONG_FLAG: Self = Self(1 << 2);
    pub(crate) const CONNECT_WITH_DB: Self = Self(1 << 3);
    pub(crate) const COMPRESS: Self = Self(1 << 5);
    pub(crate) const ODBC: Self = Self(1 << 6);
    pub(crate) const PROTOCOL_41: Self = Self(1 << 9);
    pub(crate) const INTERACTIVE: Self = Self(1 << 10);
    pub(crate) const SSL: Self = Self(1 << 11);
    pub(crate) const TRANSACTIONS: Self = Self(1 << 13);
    pub(crate) const RESERVED: Self = Self(1 << 14);
    pub(crate) const SECURE_CONNECTION: Self = Self(1 << 15);
    pub(crate) const MULTI_STATEMENTS: Self = Self(1 << 16);
    pub(crate) const MULTI_RESULTS: Self = Self(1 << 17);
    pub(crate) const PS_MULTI_RESULTS: Self = Self(1 << 18);
    pub(crate) const PLUGIN_AUTH: Self = Self(1 << 19);
    pub(crate) const CONNECT_ATTRS: Self = Self(1 << 20);
    pub(crate) const PLUGIN_AUTH_LENENC: Self = Self(1 << 21);
    pub(crate) const SESSION_TRACK: Self = Self(1 << 23);
    pub(crate) const DEPRECATE_EOF: Self = Self(1 << 24);
    pub(crate) const OPTIONAL_RESULTSET_METADATA: Self = Self(1 << 25);
    pub(crate) const ZSTD_COMPRESSION: Self = Self(1 << 26);
    pub(crate) const QUERY_ATTRIBUTES: Self = Self(1 << 27);
    pub(crate) const MARIADB_PROGRESS: Self = Self(1 << 32);
    pub(crate) const MARIADB_BULK: Self = Self(1 << 34);
    pub(crate) const MARIADB_EXTENDED_METADATA: Self = Self(1 << 35);
    pub(crate) const MARIADB_CACHE_METADATA: Self = Self(1 << 36);

    /// Whether all of `other` are set.
    pub(crate) const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    pub(crate) const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(crate) const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Those that both have.
    pub(crate) const fn common(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}

/// SERVER_STATUS_IN_TRANS.
pub(crate) const STATUS_IN_TRANSACTION: u16 = 1;
/// SERVER_STATUS_AUTOCOMMIT.
pub(crate) const STATUS_AUTOCOMMIT: u16 = 1 << 1;
/// SERVER_MORE_RESULTS_EXISTS.
pub(crate) const STATUS_MORE_RESULTS: u16 = 1 << 3;
/// SERVER_STATUS_CURSOR_EXISTS.
pub(crate) const STATUS_CURSOR_EXISTS: u16 = 1 << 6;
/// SERVER_STATUS_NO_BACKSLASH_ESCAPES.
pub(crate) const STATUS_NO_BACKSLASH_ESCAPES: u16 = 1 << 9;
/// SERVER_PS_OUT_PARAMS.
pub(crate) const STATUS_OUT_PARAMETERS: u16 = 1 << 12;
/// SERVER_SESSION_STATE_CHANGED.
pub(crate) const STATUS_SESSION_CHANGED: u16 = 1 << 14;
/// SERVER_STATUS_ANSI_QUOTES (MariaDB).
pub(crate) const STATUS_ANSI_QUOTES: u16 = 1 << 15;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_offered_what_it_has() {
        let later = |version| {
            let offered = offered(version, false);
            assert!(offered.has(OFFERED));
            offered.without(OFFERED)
        };
        let (old, new) = (Capabilities::LONG_PASSWORD, Capabilities::QUERY_ATTRIBUTES);
        for (version, expected) in [
            ("8.0.0-pangate", old),
            ("5.7.44-log", old),
            ("8.0.22", old),
            ("8.0.23", old.and(new)),
            ("8.4.3", old.and(new)),
            ("26.10.0", old.and(new)),
            ("", old),
            ("99999999999.1", old),
        ] {
            assert_eq!(later(version), expected, "{version}");
        }
        let (progress, bulk) = (Capabilities::MARIADB_PROGRESS, Capabilities::MARIADB_BULK);
        let modern = progress.and(bulk).and(Capabilities::MARIADB_EXTENDED_METADATA);
        for (version, expected) in [
            ("5.5.5-10.11.6-MariaDB-0+deb12u1", modern),
            ("10.11.6-MariaDB", modern),
            ("11.8.2-MariaDB", modern),
            ("10.5.2-MariaDB", modern),
            ("10.5.1-MariaDB", progress.and(bulk)),
            ("10.2.0-MariaDB", progress.and(bulk)),
            ("10.1.48-MariaDB", progress),
        ] {
            assert_eq!(later(version), expected, "{version}");
        }
        assert!(!offered("8.4.3", false).has(Capabilities::SSL));
        assert!(offered("8.4.3", true).has(Capabilities::SSL));
    }
}
