//! INSERT, UPDATE, DELETE, MERGE, TRUNCATE, COPY.

/// SQL, and its facts as `brief` writes them.
#[rustfmt::skip]
pub(super) const CASES: &[(&str, &str)] = &[
    ("INSERT INTO cards (pan, cvv) VALUES ($1, $2)", "insert:cards | =cards.cvv | =cards.pan"),
    ("INSERT INTO cards VALUES (1, DEFAULT)", "insert:cards | =cards.*"),
    ("INSERT INTO cards DEFAULT VALUES", "insert:cards | =cards.*"),
    (
        "INSERT INTO public.cards AS c (pan) SELECT name FROM people RETURNING c.pan, *",
        "select:people | select:public.cards | insert:public.cards | +people.name | +public.cards.* | +public.cards.pan | =public.cards.pan | *public.cards",
    ),
    ("INSERT INTO t (a[1], b.c) VALUES (1, 2)", "insert:t | =t.a | =t.b"),
    (
        "INSERT INTO t (a) OVERRIDING SYSTEM VALUE VALUES ((SELECT pan FROM cards))",
        "select:cards | insert:t | +cards.pan | =t.a",
    ),
    ("INSERT INTO t (a) VALUES (1) ON CONFLICT DO NOTHING", "insert:t | =t.a"),
    (
        "INSERT INTO t (a, b) VALUES (1, 2) ON CONFLICT (a) WHERE b > 0 DO UPDATE SET b = excluded.b + t.b WHERE t.c IS NULL",
        "insert:t | update:t | +t.a | +t.b | +t.c | =t.a | =t.b | ~t.b",
    ),
    (
        r#"INSERT INTO t (a) VALUES (1) ON CONFLICT (lower(a) COLLATE "C" text_pattern_ops, b) DO UPDATE SET a = (SELECT x FROM u)"#,
        "select:u | insert:t | update:t | +t.a | +t.b | +t.x | +u.x | =t.a | ~t.a | lower()",
    ),
    (
        "INSERT INTO t (a) VALUES (1) ON CONFLICT ON CONSTRAINT t_key DO UPDATE SET (a, b) = (SELECT x, y FROM u)",
        "select:u | insert:t | update:t | +t.x | +t.y | +u.x | +u.y | =t.a | =t.b",
    ),
    (
        "WITH s AS (SELECT pan FROM cards) INSERT INTO t SELECT * FROM s",
        "select:cards | insert:t | +cards.pan | =t.*",
    ),
    ("INSERT INTO s WITH s AS (SELECT 1) SELECT * FROM s", "insert:s | =s.*"),
    ("WITH t AS (SELECT 1) INSERT INTO t SELECT 1", "insert:t | =t.*"),
    (
        "INSERT INTO t SELECT * FROM u RETURNING (SELECT max(pan) FROM cards)",
        "select:cards | select:t | select:u | insert:t | +cards.pan | +t.pan | +u.* | =t.* | ~cards.pan | ~t.pan | *u | max()",
    ),
    ("INSERT INTO t (a) TABLE u", "select:u | insert:t | +u.* | =t.a | *u"),
    ("UPDATE cards SET cvv = NULL WHERE id = 1", "update:cards | +cards.id | =cards.cvv"),
    ("UPDATE cards SET cvv = NULL", "update:cards | =cards.cvv | !unbounded"),
    ("UPDATE cards SET cvv = NULL WHERE true", "update:cards | =cards.cvv | !unbounded"),
    (
        "UPDATE cards SET cvv = NULL WHERE 1 = 1 AND now() > '2020-01-01'",
        "update:cards | =cards.cvv | !unbounded | now()",
    ),
    ("UPDATE cards SET cvv = NULL WHERE CURRENT OF c", "update:cards | =cards.cvv"),
    (
        "UPDATE ONLY public.cards SET pan = reverse(pan) WHERE id = 1",
        "update:public.cards | +public.cards.id | +public.cards.pan | =public.cards.pan | ~public.cards.pan | reverse()",
    ),
    (
        "UPDATE cards AS c SET pan = p.alias FROM people p JOIN x ON x.i = p.i WHERE p.id = c.person RETURNING c.pan, p.*",
        "select:cards | select:people | select:x | update:cards | +cards.pan | +cards.person | +people.* | +people.alias | +people.i | +people.id | +x.i | =cards.pan | *people",
    ),
    (
        "UPDATE t SET a[1] = 2, b[x:(SELECT i FROM u)].c = 3, (d, e[1]) = (4, 5) WHERE id = 1",
        "select:u | update:t | +t.i | +t.id | +t.x | +u.i | =t.a | =t.b | =t.d | =t.e",
    ),
    (
        "UPDATE t SET (a, b) = ROW (1, DEFAULT), c = (SELECT max(d) FROM u) WHERE id = 1",
        "select:u | update:t | +t.d | +t.id | +u.d | =t.a | =t.b | =t.c | ~t.d | ~u.d | max()",
    ),
    (
        "UPDATE t SET a = DEFAULT, b = pan FROM cards WHERE t.id = cards.id",
        "select:cards | update:t | +cards.id | +cards.pan | +t.id | +t.pan | =t.a | =t.b",
    ),
    ("WITH x AS (SELECT 1 AS id) UPDATE t SET a = 1 FROM x WHERE t.id = x.id", "update:t | +t.id | =t.a"),
    (
        "UPDATE t SET a = 1 WHERE id = 1 RETURNING old.b, new.c",
        "select:t | update:t | +t.b | +t.c | +t.id | =t.a",
    ),
    ("DELETE FROM cards", "delete:cards | !unbounded"),
    ("DELETE FROM cards WHERE id = 1", "delete:cards | +cards.id"),
    (
        "DELETE FROM ONLY cards c USING people p WHERE p.id = c.person RETURNING c.*",
        "select:cards | select:people | delete:cards | +cards.* | +cards.person | +people.id | *cards",
    ),
    (
        "DELETE FROM cards WHERE id IN (SELECT id FROM gone)",
        "select:gone | delete:cards | +cards.id | +gone.id",
    ),
    ("DELETE FROM cards WHERE CURRENT OF cur", "delete:cards"),
    (
        "WITH d AS (DELETE FROM a RETURNING *) DELETE FROM b USING d WHERE b.id = d.id",
        "select:a | delete:a | delete:b | +a.* | +a.id | +b.id | *a | !unbounded",
    ),
    (
        "MERGE INTO t USING s ON t.id = s.id WHEN MATCHED AND s.x > 0 THEN UPDATE SET a = s.a WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN INSERT (a, b) VALUES (s.a, s.b)",
        "select:s | insert:t | update:t | delete:t | merge:t | +s.a | +s.b | +s.id | +s.x | +t.id | =t.a | =t.b | ~s.x",
    ),
    (
        "MERGE INTO t USING (SELECT * FROM cards) s ON true WHEN MATCHED THEN UPDATE SET a = 1",
        "select:cards | update:t | merge:t | +cards.* | =t.a | *cards | !unbounded",
    ),
    (
        "MERGE INTO t AS x USING a JOIN b ON a.i = b.i ON x.i = a.i WHEN NOT MATCHED THEN INSERT DEFAULT VALUES",
        "select:a | select:b | insert:t | merge:t | +a.i | +b.i | +t.i | =t.*",
    ),
    (
        "WITH c AS (SELECT 1 AS k) MERGE INTO t USING c ON t.k = c.k WHEN MATCHED THEN DO NOTHING",
        "merge:t | +t.k",
    ),
    ("TRUNCATE cards", "delete:cards | ddl | ddl:cards | !unbounded"),
    (
        "TRUNCATE TABLE ONLY a, public.b RESTART IDENTITY CASCADE",
        "delete:a | delete:public.b | ddl | ddl:a | ddl:public.b | !unbounded",
    ),
    ("COPY cards TO STDOUT", "select:cards | copy:cards | +cards.* | *cards"),
    (
        "COPY public.cards (pan, cvv) TO STDOUT WITH (FORMAT csv, HEADER)",
        "select:public.cards | copy:public.cards | +public.cards.cvv | +public.cards.pan",
    ),
    (
        "COPY cards (pan) TO STDOUT (FORMAT csv, DELIMITER ';', QUOTE E'\\'', NULL 'NULL', ENCODING 'utf8')",
        "select:cards | copy:cards | +cards.pan | #",
    ),
    ("COPY cards FROM STDIN", "insert:cards | copy:cards | =cards.*"),
    (
        "COPY cards (pan) FROM STDIN CSV WHERE id > 1",
        "insert:cards | copy:cards | +cards.id | =cards.pan | ~cards.id",
    ),
    ("COPY (SELECT pan FROM cards) TO STDOUT", "select | select:cards | copy | +cards.pan"),
    ("COPY cards TO '/tmp/x'", "select:cards | copy:cards | admin | +cards.* | *cards | !writes-file | #"),
    ("COPY cards FROM '/etc/passwd'", "insert:cards | copy:cards | admin | =cards.* | !reads-file | #"),
    (
        "COPY cards TO PROGRAM 'curl x'",
        "select:cards | copy:cards | admin | +cards.* | *cards | !runs-program | #",
    ),
    ("COPY cards FROM PROGRAM 'curl x'", "insert:cards | copy:cards | admin | =cards.* | !runs-program | #"),
    (
        "COPY (DELETE FROM cards RETURNING *) TO STDOUT",
        "select:cards | delete:cards | copy | +cards.* | *cards | !unbounded",
    ),
    ("COPY BINARY cards FROM STDIN", "insert:cards | copy:cards | =cards.*"),
    (
        "UPDATE t SET a = CASE WHEN x THEN 1 END, b[1] = d IS DISTINCT FROM e, c[2] = 3 WHERE id = 1",
        "update:t | +t.d | +t.e | +t.id | +t.x | =t.a | =t.b | =t.c | ~t.d | ~t.e | ~t.x",
    ),
    (
        "INSERT INTO t (a, b) VALUES (1, 'x'), (-2, DEFAULT), ($1, NULL) RETURNING a",
        "select:t | insert:t | +t.a | =t.a | =t.b",
    ),
    (
        "INSERT INTO t VALUES (1, 2), (3, 4), (f(5), 6), ((SELECT x FROM u), 2), (7, 8)",
        "select:u | insert:t | +u.x | =t.* | f()",
    ),
];
