-- Numbers of tickets and sessions are 32 hex digits; times Unix milliseconds; lists JSON arrays.

CREATE TABLE tickets (
    id          TEXT    NOT NULL PRIMARY KEY,
    state       TEXT    NOT NULL CHECK (state IN
                    ('ahead', 'pending', 'approved', 'rejected', 'expired', 'withdrawn', 'settled')),
    ahead       INTEGER NOT NULL CHECK (ahead IN (0, 1)),   -- asked for ahead of the command
    session     TEXT    NOT NULL,
    issuer      TEXT    NOT NULL,
    subject     TEXT    NOT NULL,
    requester   TEXT    NOT NULL,
    groups      TEXT    NOT NULL,
    source      TEXT    NOT NULL,
    target      TEXT    NOT NULL,
    statement   TEXT    NOT NULL,
    parameters  TEXT    NOT NULL,
    masked      INTEGER NOT NULL,
    objects     TEXT    NOT NULL,
    rule        TEXT    NOT NULL,
    snapshot    INTEGER NOT NULL,
    digest      BLOB    NOT NULL CHECK (length(digest) = 32),
    reviewers   TEXT    NOT NULL,
    count       INTEGER NOT NULL CHECK (count > 0),
    grant_kind  TEXT    NOT NULL CHECK (grant_kind IN ('once', 'session', 'window')),
    grant_s     INTEGER NOT NULL,
    opened_ms   INTEGER NOT NULL,
    deadline_ms INTEGER NOT NULL,
    ruled_ms    INTEGER,
    settled_ms  INTEGER,
    outcome     TEXT    NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX tickets_waiting ON tickets (deadline_ms) WHERE state IN ('ahead', 'pending');
CREATE INDEX tickets_opened ON tickets (opened_ms);

CREATE TABLE votes (
    ticket      TEXT    NOT NULL REFERENCES tickets (id),
    issuer      TEXT    NOT NULL,
    subject     TEXT    NOT NULL,
    requester   TEXT    NOT NULL,
    approved    INTEGER NOT NULL CHECK (approved IN (0, 1)),
    reason      TEXT    NOT NULL,
    at_ms       INTEGER NOT NULL,
    PRIMARY KEY (ticket, issuer, subject)
) STRICT;

-- What an approval is good for beyond the command that waited, or, asked for ahead, until the command comes.
CREATE TABLE grants (
    ticket      TEXT    NOT NULL PRIMARY KEY REFERENCES tickets (id),   -- that made it
    kind        TEXT    NOT NULL CHECK (kind IN ('ahead', 'session', 'window')),
    digest      BLOB    NOT NULL,
    issuer      TEXT    NOT NULL,
    subject     TEXT    NOT NULL,
    session     TEXT    NOT NULL,       -- kind session: the only one it holds in
    expires_ms  INTEGER NOT NULL,
    reviewers   TEXT    NOT NULL,
    reason      TEXT    NOT NULL,
    spent_on    TEXT                    -- kind ahead: the command's ticket
) STRICT;
CREATE INDEX grants_digest ON grants (digest);

CREATE TABLE grant_uses (
    ticket      TEXT    NOT NULL PRIMARY KEY REFERENCES tickets (id),   -- that was ruled
    grant_of    TEXT    NOT NULL REFERENCES grants (ticket)             -- by this one's approval
) STRICT;

CREATE TABLE policy_versions (
    version     INTEGER NOT NULL PRIMARY KEY,
    applied_ms  INTEGER NOT NULL,
    author      TEXT    NOT NULL,
    source      TEXT    NOT NULL CHECK (source IN ('folder', 'api')),
    files       TEXT    NOT NULL,
    files_digest BLOB   NOT NULL,
    snapshot    BLOB    NOT NULL
) STRICT;

CREATE TABLE issuer_keys (
    issuer      TEXT    NOT NULL PRIMARY KEY,
    fetched_s   INTEGER NOT NULL,
    keys        TEXT    NOT NULL
) STRICT;

CREATE TABLE events (
    number      INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    id          TEXT    NOT NULL UNIQUE,
    at_us       INTEGER NOT NULL,
    event       TEXT    NOT NULL,
    actor       TEXT    NOT NULL,
    text        TEXT    NOT NULL,
    sent        INTEGER NOT NULL DEFAULT 0 CHECK (sent IN (0, 1)),      -- a dataplane took it
    recorded    INTEGER NOT NULL DEFAULT 0 CHECK (recorded IN (0, 1))   -- read back from the evidence
) STRICT;
CREATE INDEX events_unsent ON events (number) WHERE sent = 0;
CREATE INDEX events_unrecorded ON events (at_us) WHERE recorded = 0;

CREATE TABLE checkpoints (
    origin      TEXT    NOT NULL,
    size        INTEGER NOT NULL,
    root        TEXT    NOT NULL,
    note        TEXT    NOT NULL,
    witnessed_ms INTEGER NOT NULL,
    PRIMARY KEY (origin, size, root)
) STRICT;

-- An index of the evidence, made from its files and to be made again from them at any time.

CREATE TABLE evidence_tails (
    log         TEXT    NOT NULL PRIMARY KEY,
    file        TEXT    NOT NULL,       -- name of the segment that was read last
    offset      INTEGER NOT NULL,       -- of its next frame
    size        INTEGER NOT NULL        -- leaves read
) STRICT;

CREATE TABLE sessions (
    id          TEXT    NOT NULL PRIMARY KEY,
    log         TEXT    NOT NULL,
    issuer      TEXT    NOT NULL,
    subject     TEXT    NOT NULL,
    requester   TEXT    NOT NULL,
    groups      TEXT    NOT NULL,
    claims      TEXT    NOT NULL,
    source      TEXT    NOT NULL,
    target      TEXT    NOT NULL,
    protocol    TEXT    NOT NULL,
    user        TEXT    NOT NULL,
    database    TEXT    NOT NULL,
    application TEXT    NOT NULL,
    policies    TEXT    NOT NULL,
    snapshot    INTEGER NOT NULL,
    opened_ms   INTEGER NOT NULL,
    closed_ms   INTEGER,
    how         TEXT    NOT NULL DEFAULT '',
    commands    INTEGER NOT NULL DEFAULT 0,
    rows        INTEGER NOT NULL DEFAULT 0,
    bytes       INTEGER NOT NULL DEFAULT 0,
    masked      INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX sessions_opened ON sessions (opened_ms, id);
CREATE INDEX sessions_subject ON sessions (issuer, subject, opened_ms);

CREATE TABLE session_frames (
    session     TEXT    NOT NULL,
    file        TEXT    NOT NULL,
    offset      INTEGER NOT NULL,
    PRIMARY KEY (session, file, offset)
) STRICT, WITHOUT ROWID;
