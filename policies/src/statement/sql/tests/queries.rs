//! SELECT and its like.

/// SQL, and its facts as `brief` writes them.
#[rustfmt::skip]
pub(super) const CASES: &[(&str, &str)] = &[
    ("SELECT 1", "select"),
    ("SELECT", "select"),
    ("SELECT pan FROM cards", "select | select:cards | +cards.pan"),
    ("SELECT c.pan FROM public.cards c", "select | select:public.cards | +public.cards.pan"),
    ("SELECT public.cards.pan FROM public.cards", "select | select:public.cards | +public.cards.pan"),
    ("SELECT db.public.cards.pan FROM db.public.cards", "select | select:public.cards | +public.cards.pan"),
    ("SELECT * FROM cards", "select | select:cards | +cards.* | *cards"),
    (
        "SELECT c.* FROM cards c JOIN people p ON p.id = c.person",
        "select | select:cards | select:people | +cards.* | +cards.person | +people.id | *cards",
    ),
    ("TABLE cards", "select | select:cards | +cards.* | *cards"),
    (
        "TABLE ONLY public.cards ORDER BY id",
        "select | select:public.cards | +public.cards.* | +public.cards.id | *public.cards",
    ),
    ("(SELECT pan FROM cards)", "select | select:cards | +cards.pan"),
    ("VALUES (1, (SELECT pan FROM cards LIMIT 1))", "select | select:cards | +cards.pan"),
    ("SELECT * FROM ONLY cards", "select | select:cards | +cards.* | *cards"),
    ("SELECT * FROM cards *", "select | select:cards | +cards.* | *cards"),
    ("SELECT id FROM cards WHERE pan = $1", "select | select:cards | +cards.id | +cards.pan"),
    (
        "SELECT id FROM cards WHERE pan = '4' OR (pan IS NOT NULL AND NOT pan IN ('1', '2'))",
        "select | select:cards | +cards.id | +cards.pan",
    ),
    (
        "SELECT id FROM cards WHERE pan LIKE '4%'",
        "select | select:cards | +cards.id | +cards.pan | ~cards.pan",
    ),
    (
        "SELECT id FROM cards WHERE pan > '4' AND pan BETWEEN '1' AND '2'",
        "select | select:cards | +cards.id | +cards.pan | ~cards.pan",
    ),
    (
        "SELECT id FROM cards WHERE left(pan, 1) = '4'",
        "select | select:cards | +cards.id | +cards.pan | ~cards.pan | left()",
    ),
    (
        "SELECT id FROM cards WHERE pan::text = '4'",
        "select | select:cards | +cards.id | +cards.pan | ~cards.pan",
    ),
    ("SELECT reverse(pan) FROM cards", "select | select:cards | +cards.pan | ~cards.pan | reverse()"),
    ("SELECT pan || '' FROM cards", "select | select:cards | +cards.pan | ~cards.pan"),
    ("SELECT pan::text FROM cards", "select | select:cards | +cards.pan | ~cards.pan"),
    ("SELECT pan AS p FROM cards ORDER BY p", "select | select:cards | +cards.pan"),
    ("SELECT (pan) FROM cards", "select | select:cards | +cards.pan"),
    ("SELECT pan = '4' FROM cards", "select | select:cards | +cards.pan | ~cards.pan"),
    (
        "SELECT CASE WHEN pan = '4' THEN 1 ELSE cvv END FROM cards",
        "select | select:cards | +cards.cvv | +cards.pan | ~cards.cvv | ~cards.pan",
    ),
    ("SELECT count(*) FROM cards", "select | select:cards | count()"),
    (
        "SELECT count(pan) FROM cards GROUP BY pan HAVING max(pan) > '4'",
        "select | select:cards | +cards.pan | ~cards.pan | count() | max()",
    ),
    ("SELECT DISTINCT ON (pan) id FROM cards", "select | select:cards | +cards.id | +cards.pan"),
    (
        "SELECT string_agg(pan, ',' ORDER BY id) FILTER (WHERE id > 1) FROM cards",
        "select | select:cards | +cards.id | +cards.pan | ~cards.id | ~cards.pan | string_agg()",
    ),
    (
        "SELECT sum(amount) OVER (PARTITION BY pan ORDER BY id ROWS BETWEEN 1 PRECEDING AND CURRENT ROW EXCLUDE TIES) FROM cards",
        "select | select:cards | +cards.amount | +cards.id | +cards.pan | ~cards.amount | sum()",
    ),
    (
        "SELECT rank() OVER w FROM cards WINDOW w AS (ORDER BY pan RANGE BETWEEN '1 day'::interval PRECEDING AND CURRENT ROW)",
        "select | select:cards | +cards.pan | rank()",
    ),
    (
        "SELECT a FROM t GROUP BY GROUPING SETS ((a, b), (), GROUPING SETS (c))",
        "select | select:t | +t.a | +t.b | +t.c",
    ),
    (
        "SELECT a FROM t GROUP BY ROLLUP (a), CUBE (b)",
        "select | select:t | +t.a | +t.b | ~t.a | ~t.b | cube() | rollup()",
    ),
    (
        "SELECT pan FROM cards UNION ALL SELECT name FROM people",
        "select | select:cards | select:people | +cards.pan | +people.name",
    ),
    (
        "SELECT pan FROM cards EXCEPT (SELECT a FROM x INTERSECT TABLE y) ORDER BY 1",
        "select | select:cards | select:x | select:y | +cards.pan | +x.a | +y.* | *y",
    ),
    (
        "SELECT id FROM cards WHERE id IN (SELECT card FROM payments WHERE amount > 1)",
        "select | select:cards | select:payments | +cards.amount | +cards.card | +cards.id | +payments.amount | +payments.card | ~cards.amount | ~payments.amount",
    ),
    (
        "SELECT id FROM cards c WHERE EXISTS (SELECT 1 FROM payments p WHERE p.card = c.id)",
        "select | select:cards | select:payments | +cards.id | +payments.card",
    ),
    ("SELECT (SELECT pan FROM cards LIMIT 1)", "select | select:cards | +cards.pan"),
    (
        "SELECT reverse((SELECT pan FROM cards LIMIT 1))",
        "select | select:cards | +cards.pan | ~cards.pan | reverse()",
    ),
    ("SELECT f(ARRAY(SELECT pan FROM cards))", "select | select:cards | +cards.pan | ~cards.pan | f()"),
    (
        "SELECT a FROM t LIMIT (SELECT count(*) FROM u) OFFSET (SELECT 1 FROM v)",
        "select | select:t | select:u | select:v | +t.a | count()",
    ),
    ("SELECT a FROM t ORDER BY (SELECT b FROM u)", "select | select:t | select:u | +t.a | +t.b | +u.b"),
    ("SELECT a FROM t FETCH FIRST 5 ROWS ONLY", "select | select:t | +t.a"),
    (
        "SELECT a FROM t1, t2 LEFT JOIN t3 USING (id) CROSS JOIN LATERAL (SELECT b FROM t4 WHERE t4.x = t1.y) s",
        "select | select:t1 | select:t2 | select:t3 | select:t4 | +t1.a | +t1.b | +t1.id | +t1.y | +t2.a | +t2.b | +t2.id | +t3.a | +t3.b | +t3.id | +t4.b | +t4.x",
    ),
    (
        "SELECT a FROM t1 NATURAL JOIN t2",
        "select | select:t1 | select:t2 | +t1.* | +t1.a | +t2.* | +t2.a | *t1 | *t2",
    ),
    (
        "SELECT j.id FROM t1 JOIN t2 USING (id) AS j",
        "select | select:t1 | select:t2 | +t1.* | +t1.id | +t2.* | +t2.id",
    ),
    (
        "SELECT a FROM (t1 JOIN t2 ON t1.x = t2.x) AS j",
        "select | select:t1 | select:t2 | +t1.* | +t1.x | +t2.* | +t2.x",
    ),
    ("SELECT * FROM ((SELECT pan FROM cards) UNION (SELECT 1)) AS s", "select | select:cards | +cards.pan"),
    ("SELECT s.p FROM (SELECT pan AS p, id FROM cards) s", "select | select:cards | +cards.id | +cards.pan"),
    (
        "SELECT reverse(s.p) FROM (SELECT pan AS p, id FROM cards) s",
        "select | select:cards | +cards.id | +cards.pan | ~cards.pan | reverse()",
    ),
    (
        "SELECT reverse(p) FROM (SELECT pan AS p, id FROM cards) s",
        "select | select:cards | +cards.id | +cards.pan | ~cards.pan | reverse()",
    ),
    (
        "SELECT reverse(p) FROM (SELECT pan, id FROM cards) s(p, i)",
        "select | select:cards | +cards.id | +cards.pan | ~cards.id | ~cards.pan | reverse()",
    ),
    (
        "SELECT reverse(s.pan) FROM (SELECT * FROM cards) s",
        "select | select:cards | +cards.* | +cards.pan | ~cards.pan | *cards | reverse()",
    ),
    ("SELECT reverse(x) FROM cards AS c(x, y)", "select | select:cards | +cards.* | ~cards.* | reverse()"),
    (
        "SELECT reverse(x) FROM (SELECT pan FROM cards UNION SELECT a FROM t) s(x)",
        "select | select:cards | select:t | +cards.pan | +t.a | ~cards.pan | ~t.a | reverse()",
    ),
    (
        "SELECT length(s::text) FROM (SELECT pan FROM cards) s",
        "select | select:cards | +cards.pan | ~cards.pan | length()",
    ),
    ("SELECT c FROM cards c", "select | select:cards | +cards.* | +cards.c | ~cards.* | *cards"),
    (
        "SELECT cards FROM public.cards",
        "select | select:public.cards | +public.cards.* | +public.cards.cards | ~public.cards.* | *public.cards",
    ),
    (
        "SELECT row_to_json(c) FROM cards c",
        "select | select:cards | +cards.* | +cards.c | ~cards.* | ~cards.c | *cards | row_to_json()",
    ),
    (
        "SELECT pan(c) FROM cards c",
        "select | select:cards | +cards.* | +cards.c | ~cards.* | ~cards.c | *cards | pan()",
    ),
    (
        "SELECT (c).pan FROM cards c",
        "select | select:cards | +cards.* | +cards.c | ~cards.* | ~cards.c | *cards",
    ),
    ("SELECT (c).* FROM cards c", "select | select:cards | +cards.* | +cards.c | ~cards.* | *cards"),
    ("SELECT ROW(c.*) FROM cards c", "select | select:cards | +cards.* | ~cards.* | *cards"),
    (
        "SELECT c.*::text FROM cards c",
        "select | select:cards | +cards.* | +cards.c | ~cards.* | ~cards.c | *cards",
    ),
    (
        "SELECT c IS NULL FROM cards c",
        "select | select:cards | +cards.* | +cards.c | ~cards.* | ~cards.c | *cards",
    ),
    (
        "SELECT array_agg(c) FROM cards c",
        "select | select:cards | +cards.* | +cards.c | ~cards.* | ~cards.c | *cards | array_agg()",
    ),
    ("SELECT to_json(c.*) FROM cards c", "select | select:cards | +cards.* | ~cards.* | *cards | to_json()"),
    ("WITH s AS (SELECT pan FROM cards) SELECT * FROM s", "select | select:cards | +cards.pan"),
    (
        "WITH cards AS (SELECT * FROM cards) SELECT reverse(pan) FROM cards",
        "select | select:cards | +cards.* | +cards.pan | ~cards.pan | *cards | reverse()",
    ),
    (
        "WITH cards AS (SELECT 1) SELECT * FROM public.cards",
        "select | select:public.cards | +public.cards.* | *public.cards",
    ),
    ("WITH a AS (SELECT * FROM b), b AS (SELECT * FROM a) SELECT * FROM b", "select | select:b | +b.* | *b"),
    (
        "WITH RECURSIVE a AS (SELECT * FROM b), b AS (SELECT pan FROM cards) SELECT * FROM a",
        "select | select:cards | +cards.pan",
    ),
    (
        "WITH RECURSIVE r(p) AS (SELECT pan FROM cards UNION ALL SELECT substr(p, 2) FROM r) SELECT p FROM r",
        "select | select:cards | +cards.pan | ~cards.pan | substr()",
    ),
    (
        "WITH RECURSIVE r AS (SELECT a FROM t UNION SELECT a FROM r) SEARCH DEPTH FIRST BY a SET o CYCLE a SET c USING p SELECT * FROM r",
        "select | select:t | +t.a | ~t.a",
    ),
    ("WITH s AS MATERIALIZED (SELECT 1), u AS NOT MATERIALIZED (SELECT 2) SELECT * FROM s, u", "select"),
    ("SELECT * FROM (WITH s AS (SELECT 1) SELECT * FROM s) x, s", "select | select:s | +s.* | *s"),
    (
        "SELECT * FROM t WHERE id IN (WITH q AS (SELECT 1 AS id) SELECT id FROM q) AND id IN (SELECT id FROM q)",
        "select | select:q | select:t | +q.id | +t.* | +t.id | *t",
    ),
    (
        "WITH d AS (DELETE FROM cards WHERE id = 1 RETURNING *) SELECT reverse(pan) FROM d",
        "select | select:cards | delete:cards | +cards.* | +cards.id | +cards.pan | ~cards.pan | *cards | reverse()",
    ),
    (
        "WITH i AS (INSERT INTO log (a) SELECT pan FROM cards RETURNING a), u AS (UPDATE t SET x = 1 RETURNING y) SELECT 1",
        "select | select:cards | select:log | select:t | insert:log | update:t | +cards.pan | +log.a | +t.y | =log.a | =t.x | !unbounded",
    ),
    (
        "SELECT generate_series FROM generate_series(1, (SELECT max(id) FROM cards))",
        "select | select:cards | +cards.id | ~cards.id | generate_series() | max()",
    ),
    (
        "SELECT f.x FROM cards c, unnest(string_to_array(c.pan, '')) WITH ORDINALITY AS f(x, n)",
        "select | select:cards | +cards.pan | ~cards.pan | string_to_array() | unnest()",
    ),
    (
        "SELECT * FROM ROWS FROM (f(1), g((SELECT a FROM t)) AS (x int, y text)) WITH ORDINALITY",
        "select | select:t | +t.a | ~t.a | f() | g()",
    ),
    ("SELECT * FROM json_to_recordset('[]') AS (a int, b text)", "select | json_to_recordset()"),
    ("SELECT * FROM json_to_record('{}') AS x(a int, b text)", "select | json_to_record()"),
    (
        "SELECT * FROM cards TABLESAMPLE SYSTEM (10) REPEATABLE (1)",
        "select | select:cards | +cards.* | *cards",
    ),
    (
        "SELECT * FROM xmltable('/a' PASSING (SELECT doc FROM docs) COLUMNS b text PATH 'b' DEFAULT pg_read_file('x'))",
        "select | select:docs | admin | +docs.doc | ~docs.doc | !reads-file | pg_read_file() | xmltable()",
    ),
    (
        "SELECT x.b FROM docs d, LATERAL xmltable('/a' PASSING d.doc COLUMNS b text PATH 'b') x",
        "select | select:docs | +docs.doc | ~docs.doc | xmltable()",
    ),
    (
        "SELECT * FROM docs, JSON_TABLE(docs.j, '$' COLUMNS (a int PATH '$.a')) jt",
        "select | select:docs | +docs.* | +docs.j | ~docs.j | *docs | json_table()",
    ),
    ("SELECT pan FROM cards FOR UPDATE OF cards SKIP LOCKED", "select | select:cards | +cards.pan"),
    ("SELECT pan FROM cards FOR NO KEY UPDATE", "select | select:cards | +cards.pan"),
    ("SELECT pan INTO TEMP TABLE stolen FROM cards", "select | select:cards | ddl:stolen | +cards.pan"),
    (
        "SELECT a FROM t WHERE b = ANY (SELECT c FROM u) AND d <> ALL (VALUES (1), (2))",
        "select | select:t | select:u | +t.a | +t.b | +t.c | +t.d | +u.c",
    ),
    (
        "SELECT a FROM t WHERE (b, c) = (SELECT d, e FROM u)",
        "select | select:t | select:u | +t.a | +t.b | +t.c | +t.d | +t.e | +u.d | +u.e",
    ),
    (
        "SELECT a FROM t WHERE (b, c) IN (SELECT d, e FROM u)",
        "select | select:t | select:u | +t.a | +t.b | +t.c | +t.d | +t.e | +u.d | +u.e",
    ),
    (
        "SELECT a[1], b[1:2], (c).d, (e[1]).f.g FROM t",
        "select | select:t | +t.a | +t.b | +t.c | +t.e | ~t.a | ~t.b | ~t.c | ~t.e",
    ),
    (
        "SELECT a[(SELECT i FROM u)] FROM t",
        "select | select:t | select:u | +t.a | +t.i | +u.i | ~t.a | ~t.i | ~u.i",
    ),
    (
        "SELECT ARRAY[a, (SELECT b FROM u)] FROM t",
        "select | select:t | select:u | +t.a | +t.b | +u.b | ~t.a | ~t.b | ~u.b",
    ),
    (
        r#"SELECT a AT TIME ZONE b, a COLLATE "C", EXTRACT(year FROM d), interval '1 day' FROM t"#,
        "select | select:t | +t.a | +t.b | +t.d | ~t.a | ~t.b | ~t.d | extract()",
    ),
    (
        "SELECT SUBSTRING(pan FROM 1 FOR 6), TRIM(LEADING '4' FROM pan), OVERLAY(pan PLACING 'x' FROM 1), POSITION('4' IN pan) FROM cards",
        "select | select:cards | +cards.pan | ~cards.pan | overlay() | position() | substring() | trim()",
    ),
    (
        "SELECT SUBSTRING(pan SIMILAR 'a' ESCAPE '#'), COLLATION FOR (pan) FROM cards",
        "select | select:cards | +cards.pan | ~cards.pan | pg_collation_for() | substring()",
    ),
    (
        "SELECT a IS DISTINCT FROM b, a ISNULL, b NOTNULL, a BETWEEN SYMMETRIC 1 AND 2 FROM t",
        "select | select:t | +t.a | +t.b | ~t.a | ~t.b",
    ),
    (
        "SELECT a OPERATOR(pg_catalog.+) b, @ a, a <-> b, a -> 'x' ->> 'y', a @> b, |/ a FROM t",
        "select | select:t | +t.a | +t.b | ~t.a | ~t.b | pg_catalog.+()",
    ),
    (
        "SELECT xmlelement(name x, xmlattributes(pan AS y), xmlforest(cvv AS z)), xmlserialize(CONTENT doc AS text) FROM cards",
        "select | select:cards | +cards.cvv | +cards.doc | +cards.pan | ~cards.cvv | ~cards.doc | ~cards.pan | xmlelement() | xmlforest() | xmlserialize()",
    ),
    ("SELECT f(VARIADIC a), f(x => a, y := b) FROM t", "select | select:t | +t.a | +t.b | ~t.a | ~t.b | f()"),
    (
        "SELECT current_user, session_user, current_date, system_user",
        "select | current_date() | current_user() | session_user() | system_user()",
    ),
    ("SELECT date '2020-01-01', text 'x', numeric(10, 2) '1', json '{}', s.mytype 'a'", "select"),
    (
        r"SELECT a FROM t WHERE x = 'it''s' AND y = $$ $1 ' $$ AND z = E'\' FROM cards --'",
        "select | select:t | +t.a | +t.x | +t.y | +t.z",
    ),
    (
        r#"SELECT "Pan", "a.b", "sel""ect" FROM "Cards" c"#,
        r#"select | select:Cards | +Cards."a.b" | +Cards."sel""ect" | +Cards.Pan"#,
    ),
    ("SELECT PAN FROM PuBlIc.CARDS", "select | select:public.cards | +public.cards.pan"),
    (r#"SELECT U&"\0070an" FROM U&"!0063ards" UESCAPE '!'"#, "select | select:cards | +cards.pan"),
    (
        "SELECT name, value, key, type, year, zone FROM t",
        "select | select:t | +t.key | +t.name | +t.type | +t.value | +t.year | +t.zone",
    ),
    (
        r#"SELECT t.select, t."from", s.left FROM t, s"#,
        "select | select:s | select:t | +s.left | +t.from | +t.select",
    ),
    (r#"SELECT a AS from, b AS "where", c label FROM t"#, "select | select:t | +t.a | +t.b | +t.c"),
    ("SELECT /* FROM x /* FROM y */ */ a -- FROM z\nFROM t", "select | select:t | +t.a"),
    ("SELECT 'a' /* */ FROM t", "select | select:t"),
    ("SELECT a--b\nFROM t", "select | select:t | +t.a"),
    ("SELECT 'a'\n'b' FROM t", "select | select:t"),
    ("SELECT pg_catalog.lower(a) FROM t", "select | select:t | +t.a | ~t.a | pg_catalog.lower()"),
    ("SELECT public.f(a) FROM t", "select | select:t | +t.a | ~t.a | public.f()"),
    (
        "SELECT t.a[1], s.t.b[2:3], u.c[1].d FROM s.t, u",
        "select | select:s.t | select:u | +s.t.a | +s.t.b | +u.c | ~s.t.a | ~s.t.b | ~u.c",
    ),
    ("SELECT * FROM f(1) cycle JOIN secret ON true", "select | select:secret | +secret.* | *secret | f()"),
    ("SELECT * FROM f(1) search, secret", "select | select:secret | +secret.* | *secret | f()"),
    ("SELECT * EXCEPT (SELECT pan FROM cards)", "select | select:cards | +cards.pan"),
    ("SELECT a[:b], a[c:] FROM t", "select | select:t | +t.a | +t.b | +t.c | ~t.a | ~t.b | ~t.c"),
    (
        "WITH RECURSIVE r AS (SELECT a FROM t) CYCLE a SET c TO true DEFAULT false USING p, s AS (SELECT pan FROM cards) SELECT * FROM r, s",
        "select | select:cards | select:t | +cards.pan | +t.a | ~cards.pan | ~t.a",
    ),
    (
        "SELECT a FROM t WHERE b LIKE ANY (SELECT c FROM u) AND d NOT ILIKE ALL (ARRAY[e, 'x'])",
        "select | select:t | select:u | +t.a | +t.b | +t.c | +t.d | +t.e | +u.c | ~t.b | ~t.c | ~t.d | ~t.e | ~u.c",
    ),
    (
        r#"SELECT "row"(a), ROW (b), "array"(c), "user" FROM t"#,
        "select | select:t | +t.a | +t.b | +t.c | +t.user | ~t.a | ~t.b | ~t.c | array() | row()",
    ),
    ("SELECT a, rows FROM (f(1) AS x JOIN secret ON true)", "?"),
    (
        "SELECT rows FROM (SELECT f(pan) AS x FROM cards) s",
        "select | select:cards | +cards.pan | ~cards.pan | f()",
    ),
];
