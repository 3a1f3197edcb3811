//! What changes rows.

pub(super) const CASES: &[(&str, &str)] = &[
    ("INSERT INTO t VALUES (1, 'a'), (2, DEFAULT)", "insert:shop.t | =shop.t.*"),
    (
        "INSERT INTO t (a, b) VALUES (1, ?) ON DUPLICATE KEY UPDATE a = VALUES(a), b = b + 1",
        "insert:shop.t | update:shop.t | +shop.t.a | +shop.t.b | =shop.t.a | =shop.t.b | ~shop.t.b",
    ),
    (
        "INSERT IGNORE INTO t SET a = 1, b = (SELECT pan FROM cards)",
        "select:shop.cards | insert:shop.t | +shop.cards.pan | +shop.t.pan | =shop.t.a | =shop.t.b",
    ),
    (
        "INSERT INTO t (a) SELECT pan FROM cards c ON DUPLICATE KEY UPDATE a = c.pan",
        "select:shop.cards | insert:shop.t | update:shop.t | +shop.cards.pan | =shop.t.a",
    ),
    (
        "INSERT INTO t (a) VALUES (1) AS new ON DUPLICATE KEY UPDATE a = new.a",
        "insert:shop.t | update:shop.t | +shop.t.a | =shop.t.a",
    ),
    (
        "INSERT INTO t (a) VALUES (1) RETURNING id, a",
        "select:shop.t | insert:shop.t | +shop.t.a | +shop.t.id | =shop.t.a",
    ),
    ("REPLACE INTO t (a) VALUES (1)", "insert:shop.t | delete:shop.t | =shop.t.a"),
    ("UPDATE cards SET pan = '1' WHERE id = 3", "update:shop.cards | +shop.cards.id | =shop.cards.pan"),
    (
        "UPDATE cards c SET c.pan = reverse(c.pan) ORDER BY id LIMIT 4",
        "update:shop.cards | +shop.cards.id | +shop.cards.pan | =shop.cards.pan | ~shop.cards.pan | !unbounded | reverse()",
    ),
    (
        "UPDATE cards c JOIN users u ON c.uid = u.id SET c.pan = u.pan, u.x = 1 WHERE u.a = 1",
        "select:shop.cards | select:shop.users | update:shop.cards | update:shop.users | +shop.cards.uid | +shop.users.a | +shop.users.id | +shop.users.pan | =shop.cards.pan | =shop.users.x",
    ),
    ("DELETE FROM cards", "delete:shop.cards | !unbounded"),
    (
        "DELETE FROM cards WHERE id = 1 LIMIT 1 RETURNING pan",
        "select:shop.cards | delete:shop.cards | +shop.cards.id | +shop.cards.pan",
    ),
    (
        "DELETE c, u.* FROM cards c JOIN users u ON c.uid = u.id WHERE c.id = 1",
        "select:shop.cards | select:shop.users | delete:shop.cards | delete:shop.users | +shop.cards.id | +shop.cards.uid | +shop.users.id",
    ),
    (
        "DELETE FROM cards USING cards JOIN users WHERE cards.id = users.id",
        "select:shop.cards | select:shop.users | delete:shop.cards | +shop.cards.id | +shop.users.id",
    ),
    (
        "LOAD DATA LOCAL INFILE 'f' INTO TABLE t FIELDS TERMINATED BY ',' IGNORE 1 LINES (a, @b) SET c = @b",
        "insert:shop.t | copy:shop.t | set:@b | =shop.t.a | =shop.t.c | !reads-file",
    ),
    (
        "WITH a AS (SELECT 1), b (x) AS (SELECT * FROM a) UPDATE t JOIN b ON t.id = b.x SET t.c = 1 WHERE t.id = 2",
        "select:shop.t | update:shop.t | +shop.t.id | =shop.t.c",
    ),
    (
        "WITH a AS (SELECT id FROM x) DELETE FROM t WHERE id IN (SELECT id FROM a)",
        "select:shop.x | delete:shop.t | +shop.t.id | +shop.x.id",
    ),
    ("INSERT LOW_PRIORITY INTO shop.t () VALUES ()", "insert:shop.t | =shop.t.*"),
    ("INSERT INTO t TABLE u", "select:shop.u | insert:shop.t | +shop.u.* | =shop.t.* | *shop.u"),
    (
        "INSERT INTO t (t.a, shop.t.b) (SELECT a, b FROM u)",
        "select:shop.u | insert:shop.t | +shop.u.a | +shop.u.b | =shop.t.a | =shop.t.b",
    ),
    (
        "UPDATE t, (SELECT max(a) AS m FROM u) d SET t.b = d.m WHERE t.c = 1",
        "select:shop.t | select:shop.u | update:shop.t | +shop.t.c | +shop.u.a | =shop.t.b | ~shop.u.a | max()",
    ),
    (
        "DELETE QUICK FROM t1, shop.t2 USING t1, t2, t3 WHERE t1.a = t3.a",
        "select:shop.t1 | select:shop.t2 | select:shop.t3 | delete:shop.t1 | delete:shop.t2 | +shop.t1.a | +shop.t3.a",
    ),
    ("REPLACE DELAYED t SET a = 1", "insert:shop.t | delete:shop.t | =shop.t.a"),
    (
        r#"LOAD DATA INFILE '/tmp/x' REPLACE INTO TABLE t CHARACTER SET utf8mb4 LINES STARTING BY '>' TERMINATED BY '\n'"#,
        "insert:shop.t | delete:shop.t | copy:shop.t | =shop.t.* | !reads-file",
    ),
    (
        "LOAD XML INFILE 'x' INTO TABLE t ROWS IDENTIFIED BY '<r>' (a, b)",
        "insert:shop.t | copy:shop.t | =shop.t.a | =shop.t.b | !reads-file",
    ),
    // To the server another column may be called so.
    ("INSERT INTO t (a, `b `) VALUES (1, 2)", "insert:shop.t | =shop.t.* | =shop.t.a"),
    ("UPDATE t SET ä = 1 WHERE b = 2", "update:shop.t | +shop.t.b | =shop.t.*"),
];
