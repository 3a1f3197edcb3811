//! SELECT and what it reads.

pub(super) const CASES: &[(&str, &str)] = &[
    (
        "SELECT point(a), st_x(b) FROM t",
        "select | select:shop.t | +shop.t.a | +shop.t.b | ~shop.t.a | ~shop.t.b | shop.point() | st_x()",
    ),
    ("SELECT 1", "select"),
    ("SELECT pan FROM cards", "select | select:shop.cards | +shop.cards.pan"),
    ("SELECT * FROM cards", "select | select:shop.cards | +shop.cards.* | *shop.cards"),
    (
        "SELECT c.pan p, reverse(c.cvv) FROM Cards AS c WHERE c.id = 5 AND c.x > 3 ORDER BY p LIMIT 5, 10",
        "select | select:shop.cards | +shop.cards.cvv | +shop.cards.id | +shop.cards.pan | +shop.cards.x | ~shop.cards.cvv | ~shop.cards.x | reverse()",
    ),
    (
        "SELECT `pan` FROM `other`.`Cards` WHERE id IN (SELECT id FROM t2 WHERE a = 'x')",
        "select | select:other.cards | select:shop.t2 | +other.cards.a | +other.cards.id | +other.cards.pan | +shop.t2.a | +shop.t2.id",
    ),
    (
        "SELECT count(*), max(pan) FROM cards GROUP BY brand WITH ROLLUP HAVING count(*) > 1",
        "select | select:shop.cards | +shop.cards.brand | +shop.cards.pan | ~shop.cards.pan | count() | max()",
    ),
    (
        "SELECT @a := pan FROM cards",
        "select | select:shop.cards | set:@a | +shop.cards.pan | ~shop.cards.pan",
    ),
    (
        "SELECT pan INTO @x FROM cards",
        "select | select:shop.cards | set:@x | +shop.cards.pan | ~shop.cards.pan",
    ),
    (
        "SELECT pan INTO OUTFILE '/tmp/x' FIELDS TERMINATED BY ',' FROM cards",
        "select | select:shop.cards | +shop.cards.pan | !writes-file",
    ),
    (
        r#"SELECT pan FROM cards INTO OUTFILE '/tmp/x' FIELDS TERMINATED BY ',' ENCLOSED BY '"' LINES TERMINATED BY '\n'"#,
        "select | select:shop.cards | +shop.cards.pan | !writes-file",
    ),
    (
        "SELECT a.pan FROM cards a JOIN users u ON a.uid = u.id LEFT JOIN z USING (id, q) WHERE u.name LIKE 'x%' FOR UPDATE",
        "select | select:shop.cards | select:shop.users | select:shop.z | +shop.cards.id | +shop.cards.pan | +shop.cards.q | +shop.cards.uid | +shop.users.id | +shop.users.name | +shop.users.q | +shop.z.id | +shop.z.q | ~shop.users.name",
    ),
    (
        "SELECT t.p FROM (SELECT pan AS p, id FROM cards) t",
        "select | select:shop.cards | +shop.cards.id | +shop.cards.pan",
    ),
    (
        "WITH RECURSIVE c AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM c WHERE n < 5) SELECT n FROM c",
        "select",
    ),
    (
        "WITH x AS (SELECT pan FROM cards) SELECT reverse(pan) FROM x",
        "select | select:shop.cards | +shop.cards.pan | ~shop.cards.pan | reverse()",
    ),
    (
        "SELECT CASE WHEN pan = '1' THEN 1 ELSE 0 END FROM cards",
        "select | select:shop.cards | +shop.cards.pan | ~shop.cards.pan",
    ),
    (
        "SELECT GROUP_CONCAT(DISTINCT pan ORDER BY id DESC SEPARATOR ', ') FROM cards",
        "select | select:shop.cards | +shop.cards.id | +shop.cards.pan | ~shop.cards.id | ~shop.cards.pan | group_concat()",
    ),
    (
        "SELECT CAST(pan AS CHAR(10) CHARACTER SET utf8mb4), CONVERT(pan USING utf8mb4), CONVERT(a, DECIMAL(10,2)) FROM cards",
        "select | select:shop.cards | +shop.cards.a | +shop.cards.pan | ~shop.cards.a | ~shop.cards.pan | cast() | convert()",
    ),
    (
        "SELECT DATE_ADD(now(), INTERVAL 1 DAY), now() + INTERVAL a MINUTE, INTERVAL(1,2,3) FROM t",
        "select | select:shop.t | +shop.t.a | ~shop.t.a | date_add() | now()",
    ),
    (
        "SELECT MATCH (a,b) AGAINST ('x' IN BOOLEAN MODE) FROM t WHERE MATCH(a) AGAINST ('+x' WITH QUERY EXPANSION)",
        "select | select:shop.t | +shop.t.a | +shop.t.b | ~shop.t.a | ~shop.t.b",
    ),
    ("SELECT j->'$.a', j->>'$.b' FROM t", "select | select:shop.t | +shop.t.j | ~shop.t.j"),
    (
        "SELECT * FROM t, JSON_TABLE(t.j, '$[*]' COLUMNS (a INT PATH '$.a' DEFAULT '1' ON EMPTY, NESTED PATH '$.b' COLUMNS (c TEXT PATH '$'))) jt",
        "select | select:shop.t | +shop.t.* | +shop.t.j | ~shop.t.j | *shop.t | json_table()",
    ),
    (
        "SELECT row_number() OVER (PARTITION BY a ORDER BY b DESC ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) FROM t",
        "select | select:shop.t | +shop.t.a | +shop.t.b | ~shop.t.b | row_number()",
    ),
    (
        "SELECT a FROM t UNION SELECT b FROM u ORDER BY a LIMIT 3",
        "select | select:shop.t | select:shop.u | +shop.t.a | +shop.u.b",
    ),
    (
        "(SELECT a FROM t) UNION ALL (SELECT b FROM u) ORDER BY 1",
        "select | select:shop.t | select:shop.u | +shop.t.a | +shop.u.b",
    ),
    (
        "SELECT substring(pan FROM 1 FOR 4), TRIM(LEADING '0' FROM pan), POSITION('a' IN pan), EXTRACT(YEAR FROM d) FROM cards",
        "select | select:shop.cards | +shop.cards.d | +shop.cards.pan | ~shop.cards.d | ~shop.cards.pan | extract() | position() | substring() | trim()",
    ),
    (
        "SELECT f(pan), other.g(pan), sleep(5), load_file('/etc/passwd') FROM cards",
        "select | select:shop.cards | +shop.cards.pan | ~shop.cards.pan | !reads-file | load_file() | other.g() | shop.f() | sleep()",
    ),
    (
        "SELECT count (pan) FROM cards",
        "select | select:shop.cards | +shop.cards.pan | ~shop.cards.pan | shop.count()",
    ),
    (
        "SELECT /*! SQL_NO_CACHE */ pan FROM cards /*!40101 WHERE id = 1 */",
        "select | select:shop.cards | +shop.cards.id | +shop.cards.pan",
    ),
    ("SELECT 'a' -- '", "select"),
    (
        "SELECT table_name FROM information_schema.tables WHERE table_schema = database()",
        "select | select:information_schema.tables | +information_schema.tables.table_name | +information_schema.tables.table_schema | database()",
    ),
    (
        "SELECT pan AS x, (SELECT reverse(x)) FROM cards",
        "select | select:shop.cards | +shop.cards.pan | +shop.cards.x | ~shop.cards.pan | ~shop.cards.x | reverse()",
    ),
    (
        "SELECT A.pan FROM cards a, t A",
        "select | select:shop.cards | select:shop.t | +shop.cards.pan | +shop.t.pan",
    ),
    ("VALUES (1,2),(3,4); TABLE cards", "select | select:shop.cards | +shop.cards.* | *shop.cards"),
    ("SELECT a FROM t PROCEDURE ANALYSE(10, 2000)", "select | select:shop.t | +shop.t.a | ~shop.t.a"),
    (
        "SELECT a FROM t1 PARTITION (p0) AS x USE INDEX (i, PRIMARY) IGNORE KEY FOR ORDER BY (j) WHERE x.a BETWEEN 1 AND 2 AND b = 1",
        "select | select:shop.t1 | +shop.t1.a | +shop.t1.b | ~shop.t1.a",
    ),
    (
        "SELECT pan FROM cards LIMIT 1 OFFSET 2 LOCK IN SHARE MODE",
        "select | select:shop.cards | +shop.cards.pan",
    ),
    (
        "SELECT (a, b) = (1, 2), a IS NOT NULL, NOT b, a <=> 3, a XOR b, BINARY a = 'x', -a FROM t",
        "select | select:shop.t | +shop.t.a | +shop.t.b | ~shop.t.a | ~shop.t.b",
    ),
    (
        "SELECT NEXT VALUE FOR s, NEXTVAL(s), LASTVAL(db2.s)",
        "select | select:db2.s | update:shop.s | lastval() | nextval()",
    ),
    ("SELECT d.a FROM (VALUES (1,2)) d (a, b)", "select"),
    (
        r#"SELECT pan FROM cards WHERE name = '\' or 1=1 -- '"#,
        "select | select:shop.cards | +shop.cards.name | +shop.cards.pan",
    ),
    (r#"SELECT "a""b", 'it\'s; DROP TABLE cards' FROM t"#, "select | select:shop.t"),
    ("SELECT a--1 FROM t", "select | select:shop.t | +shop.t.a | ~shop.t.a"),
    ("SELECT a -- 1 FROM x\nFROM t", "select | select:shop.t | +shop.t.a"),
    ("SELECT a /* /* FROM x */ FROM t", "select | select:shop.t | +shop.t.a"),
    ("SELECT a # FROM x", "select"),
    ("SELECT 0x48, x'4A', b'01', N'x', _latin1'y', _utf8mb4 0x41 FROM t", "select | select:shop.t"),
    (
        "SELECT `a``b`, `a.b`, `select` FROM `t.u`.`v`",
        r#"select | select:"t.u".v | +"t.u".v."a.b" | +"t.u".v.a`b | +"t.u".v.select"#,
    ),
    (
        "SELECT t.select, .t.a, shop . t . b FROM t",
        "select | select:shop.t | +shop.t.a | +shop.t.b | +shop.t.select",
    ),
    (
        "SELECT 1a, 2b.c FROM t, 2b",
        "select | select:shop.2b | select:shop.t | +shop.2b.1a | +shop.2b.c | +shop.t.1a",
    ),
    (r#"SELECT \N, @a, @'b c', @@session.sql_mode, @@version"#, "select"),
    (
        "SELECT pan FROM CARDS WHERE Cards.ID = 1",
        "select | select:shop.cards | +shop.cards.id | +shop.cards.pan",
    ),
    (
        "SELECT (SELECT a.pan FROM t A LIMIT 1) FROM cards a",
        "select | select:shop.cards | select:shop.t | +shop.cards.pan | +shop.t.pan",
    ),
    (
        "SELECT pan p FROM cards HAVING p LIKE '4%'",
        "select | select:shop.cards | +shop.cards.p | +shop.cards.pan | ~shop.cards.p | ~shop.cards.pan",
    ),
    (
        "SELECT x.y FROM (SELECT reverse(pan) 'y' FROM cards) x",
        "select | select:shop.cards | +shop.cards.pan | ~shop.cards.pan | reverse() | #",
    ),
    (
        "SELECT * FROM (SELECT pan FROM cards UNION SELECT a FROM t) s",
        "select | select:shop.cards | select:shop.t | +shop.cards.pan | +shop.t.a",
    ),
    (
        "SELECT a FROM t1 NATURAL LEFT JOIN t2",
        "select | select:shop.t1 | select:shop.t2 | +shop.t1.* | +shop.t1.a | +shop.t2.* | +shop.t2.a | *shop.t1 | *shop.t2",
    ),
    (
        "SELECT a FROM t1 JOIN t2 JOIN t3 ON t2.a = t3.a ON t1.a = t2.a",
        "select | select:shop.t1 | select:shop.t2 | select:shop.t3 | +shop.t1.a | +shop.t2.a | +shop.t3.a",
    ),
    (
        "SELECT a FROM (t1, t2) LEFT JOIN (t3 CROSS JOIN t4) ON t1.x = t3.x",
        "select | select:shop.t1 | select:shop.t2 | select:shop.t3 | select:shop.t4 | +shop.t1.a | +shop.t1.x | +shop.t2.a | +shop.t3.a | +shop.t3.x | +shop.t4.a",
    ),
    (
        "SELECT a FROM t1 STRAIGHT_JOIN t2 WHERE a NOT IN (1, 2) AND b NOT BETWEEN 1 AND 2 AND c NOT LIKE 'x' ESCAPE '|'",
        "select | select:shop.t1 | select:shop.t2 | +shop.t1.a | +shop.t1.b | +shop.t1.c | +shop.t2.a | +shop.t2.b | +shop.t2.c | ~shop.t1.b | ~shop.t1.c | ~shop.t2.b | ~shop.t2.c",
    ),
    (
        "SELECT a FROM t WHERE a > ALL (SELECT b FROM u) OR EXISTS (SELECT 1 FROM v WHERE v.x = t.y)",
        "select | select:shop.t | select:shop.u | select:shop.v | +shop.t.a | +shop.t.b | +shop.t.y | +shop.u.b | +shop.v.x | ~shop.t.a | ~shop.t.b | ~shop.u.b",
    ),
    (
        "SELECT a FROM t1, LATERAL (SELECT b FROM t2 WHERE t2.c = t1.c) d",
        "select | select:shop.t1 | select:shop.t2 | +shop.t1.a | +shop.t1.b | +shop.t1.c | +shop.t2.b | +shop.t2.c",
    ),
    ("SELECT a FROM t FOR SYSTEM_TIME AS OF TIMESTAMP '2020-01-01' x", "select | select:shop.t | +shop.t.a"),
    (
        "SELECT JSON_VALUE(j, '$.a' RETURNING DECIMAL(4,2) NULL ON EMPTY ERROR ON ERROR) FROM t",
        "select | select:shop.t | +shop.t.j | ~shop.t.j | json_value()",
    ),
    (
        "SELECT TIMESTAMPDIFF(MINUTE, a, b), GET_FORMAT(DATE, 'EUR'), CHAR(65, 66 USING utf8mb4), WEIGHT_STRING(c AS CHAR(3)) FROM t",
        "select | select:shop.t | +shop.t.a | +shop.t.b | +shop.t.c | ~shop.t.a | ~shop.t.b | ~shop.t.c | char() | get_format() | timestampdiff() | weight_string()",
    ),
    (
        "SELECT sum(a) OVER w, NTH_VALUE(b, 2) FROM FIRST IGNORE NULLS OVER (w ORDER BY c) FROM t WINDOW w AS (PARTITION BY d)",
        "select | select:shop.t | +shop.t.a | +shop.t.b | +shop.t.c | +shop.t.d | ~shop.t.a | ~shop.t.b | nth_value() | sum()",
    ),
    (
        "SELECT IF(pan = '1', 2, 3), LEFT(pan, 4), REPLACE(pan, '1', '2'), DATABASE(), USER(), CURRENT_USER, NOW() FROM cards",
        "select | select:shop.cards | +shop.cards.pan | ~shop.cards.pan | current_user() | database() | if() | left() | now() | replace() | user()",
    ),
    ("SELECT a FROM t ORDER BY b DESC, 2 LIMIT ?, ?", "select | select:shop.t | +shop.t.a | +shop.t.b"),
    ("SELECT a FROM dual", "select"),
    (
        "SELECT a.* , t.b FROM shop.t a, u AS t",
        "select | select:shop.t | select:shop.u | +shop.t.* | +shop.u.b | *shop.t",
    ),
    ("SELECT 1 FROM t GROUP BY a ASC, b DESC", "select | select:shop.t | +shop.t.a | +shop.t.b"),
    // To the server another column may be called so.
    ("SELECT `pan ` FROM cards", "select | select:shop.cards | +shop.cards.*"),
    (
        "SELECT t.b, cards.pän FROM cards, t",
        "select | select:shop.cards | select:shop.t | +shop.cards.* | +shop.t.b",
    ),
    ("SELECT a AS `größe` FROM t ORDER BY `größe`", "select | select:shop.t | +shop.t.a"),
    (
        "SELECT hex(x.a) FROM (SELECT pan AS ä, b FROM cards) x",
        "select | select:shop.cards | +shop.cards.b | +shop.cards.pan | ~shop.cards.pan | hex()",
    ),
    (
        "SELECT hex(x.a) FROM (SELECT pan AS p, b FROM cards) x (ä, c)",
        "select | select:shop.cards | +shop.cards.b | +shop.cards.pan | ~shop.cards.b | ~shop.cards.pan | hex()",
    ),
    (
        "WITH x AS (SELECT pan AS ä, b FROM cards) SELECT hex(a), c AS ö FROM x",
        "select | select:shop.cards | +shop.cards.b | +shop.cards.pan | ~shop.cards.pan | hex()",
    ),
    (
        "SELECT pan AS ä FROM cards HAVING hex(a) = 1",
        "select | select:shop.cards | +shop.cards.a | +shop.cards.pan | ~shop.cards.a | ~shop.cards.pan | hex()",
    ),
];
