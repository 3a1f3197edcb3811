//! What client and server agree to speak (`CLIENT_*` of the handshake, MariaDB's extended ones above bit 32), and the
//! status flags of OK and EOF packets.

/// Capability flags; MariaDB's own stand above bit 32.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Capabilities(pub(crate) u64);

impl Capabilities {
    /// MySQL's own flag; MariaDB's servers leave it out, and have extended flags where it is missing.
    pub(crate) const LONG_PASSWORD: Self = Self(1);
    pub(crate) const FOUND_ROWS: Self = Self(1 << 1);
    pub(crate) const LONG_FLAG: Self = Self(1 << 2);
    pub(crate) const CONNECT_WITH_DB: Self = Self(1 << 3);
    pub(crate) const NO_SCHEMA: Self = Self(1 << 4);
    pub(crate) const COMPRESS: Self = Self(1 << 5);
    pub(crate) const ODBC: Self = Self(1 << 6);
    pub(crate) const LOCAL_FILES: Self = Self(1 << 7);
    pub(crate) const IGNORE_SPACE: Self = Self(1 << 8);
    pub(crate) const PROTOCOL_41: Self = Self(1 << 9);
    pub(crate) const INTERACTIVE: Self = Self(1 << 10);
    pub(crate) const SSL: Self = Self(1 << 11);
    pub(crate) const IGNORE_SIGPIPE: Self = Self(1 << 12);
    pub(crate) const TRANSACTIONS: Self = Self(1 << 13);
    pub(crate) const RESERVED: Self = Self(1 << 14);
    pub(crate) const SECURE_CONNECTION: Self = Self(1 << 15);
    pub(crate) const MULTI_STATEMENTS: Self = Self(1 << 16);
    pub(crate) const MULTI_RESULTS: Self = Self(1 << 17);
    pub(crate) const PS_MULTI_RESULTS: Self = Self(1 << 18);
    pub(crate) const PLUGIN_AUTH: Self = Self(1 << 19);
    pub(crate) const CONNECT_ATTRS: Self = Self(1 << 20);
    pub(crate) const PLUGIN_AUTH_LENENC: Self = Self(1 << 21);
    pub(crate) const CAN_HANDLE_EXPIRED_PASSWORDS: Self = Self(1 << 22);
    pub(crate) const SESSION_TRACK: Self = Self(1 << 23);
    pub(crate) const DEPRECATE_EOF: Self = Self(1 << 24);
    pub(crate) const OPTIONAL_RESULTSET_METADATA: Self = Self(1 << 25);
    pub(crate) const ZSTD_COMPRESSION: Self = Self(1 << 26);
    pub(crate) const QUERY_ATTRIBUTES: Self = Self(1 << 27);
    pub(crate) const MULTI_FACTOR: Self = Self(1 << 28);
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
/// SERVER_STATUS_LAST_ROW_SENT.
pub(crate) const STATUS_LAST_ROW_SENT: u16 = 1 << 7;
/// SERVER_STATUS_NO_BACKSLASH_ESCAPES.
pub(crate) const STATUS_NO_BACKSLASH_ESCAPES: u16 = 1 << 9;
/// SERVER_PS_OUT_PARAMS.
pub(crate) const STATUS_OUT_PARAMETERS: u16 = 1 << 12;
/// SERVER_SESSION_STATE_CHANGED.
pub(crate) const STATUS_SESSION_CHANGED: u16 = 1 << 14;
/// SERVER_STATUS_ANSI_QUOTES (MariaDB).
pub(crate) const STATUS_ANSI_QUOTES: u16 = 1 << 15;
