//! Statements about the session, the server and its objects.

pub(super) const CASES: &[(&str, &str)] = &[
    (
        "SET @a = 1, @b := (SELECT max(pan) FROM cards)",
        "select:shop.cards | set:@a | set:@b | +shop.cards.pan | ~shop.cards.pan | max()",
    ),
    ("SET NAMES utf8mb4 COLLATE utf8mb4_unicode_ci", "set:names | #"),
    (
        "SET SESSION sql_mode = CONCAT(@@sql_mode, ',STRICT_TRANS_TABLES'), autocommit=0",
        "set:autocommit | set:sql_mode | concat() | #",
    ),
    ("SET GLOBAL max_connections = 5", "set:max_connections | admin"),
    ("SET TRANSACTION ISOLATION LEVEL READ COMMITTED", "set:transaction"),
    ("SET PASSWORD FOR u@h = PASSWORD('x')", "grant"),
    (
        "USE other; SELECT * FROM cards",
        "select | select:other.cards | set:database | +other.cards.* | *other.cards",
    ),
    (
        "SHOW TABLES; SHOW CREATE TABLE cards; SHOW COLUMNS FROM cards FROM other LIKE 'p%'; SHOW VARIABLES WHERE Variable_name = 'x'; SHOW GRANTS; SHOW FULL TABLES; SHOW TABLE STATUS LIKE 'a'",
        "select | select:other.cards | select:shop.cards | admin",
    ),
    (
        "DESCRIBE cards; EXPLAIN SELECT * FROM cards; EXPLAIN FORMAT=JSON UPDATE cards SET a=1; ANALYZE SELECT * FROM t; ANALYZE TABLE t",
        "select | select:shop.cards | select:shop.t | update:shop.cards | +shop.cards.* | +shop.t.* | =shop.cards.a | *shop.cards | *shop.t | !unbounded",
    ),
    (
        "BEGIN; START TRANSACTION READ ONLY; COMMIT AND CHAIN; ROLLBACK TO SAVEPOINT x; SAVEPOINT x; RELEASE SAVEPOINT x; XA START 'a'",
        "transaction | @begin",
    ),
    (
        "CALL p(1, (SELECT pan FROM cards)); CALL other.p",
        "select:shop.cards | call:other.p | call:shop.p | +shop.cards.pan | ~shop.cards.pan",
    ),
    (
        "DO sleep(1); HANDLER cards OPEN; HANDLER other.cards CLOSE",
        "select | select:other.cards | select:shop.cards | +shop.cards.* | *shop.cards | sleep()",
    ),
    ("SELECT last_insert_id()", "select | last_insert_id()"),
    (
        "SELECT last_insert_id(pan) FROM cards",
        "select | select:shop.cards | set:last_insert_id | +shop.cards.pan | ~shop.cards.pan | last_insert_id()",
    ),
    (
        "LOCK TABLES t READ, u AS v WRITE; UNLOCK TABLES",
        "transaction | admin:shop.t | admin:shop.u | @commit",
    ),
    ("UNLOCK INSTANCE", "admin"),
    (
        "CREATE TABLE t (id INT PRIMARY KEY, c INT, FOREIGN KEY (c) REFERENCES u (id)) ENGINE=InnoDB",
        "ddl:shop.t | ddl:shop.u | #",
    ),
    (
        "CREATE TABLE t AS SELECT * FROM cards; CREATE TABLE t LIKE cards; CREATE TEMPORARY TABLE IF NOT EXISTS t (a INT) SELECT pan FROM cards",
        "select:shop.cards | ddl:shop.cards | ddl:shop.t | +shop.cards.* | +shop.cards.pan | *shop.cards",
    ),
    (
        "CREATE OR REPLACE ALGORITHM=MERGE DEFINER=`root`@`localhost` SQL SECURITY DEFINER VIEW v AS SELECT pan FROM cards",
        "select:shop.cards | ddl:shop.v | +shop.cards.pan",
    ),
    (
        "ALTER TABLE t ADD COLUMN a INT DEFAULT 5, RENAME TO other.u, DROP COLUMN b",
        "ddl:other.u | ddl:shop.t",
    ),
    (
        "DROP TABLE IF EXISTS a, b.c; DROP DATABASE x; TRUNCATE t; RENAME TABLE a TO b, c TO d.e; DROP INDEX i ON t; CREATE UNIQUE INDEX i ON t (a)",
        "delete:shop.t | ddl:b.c | ddl:d.e | ddl:shop.a | ddl:shop.b | ddl:shop.c | ddl:shop.t | ddl:x | !unbounded",
    ),
    (
        "CREATE PROCEDURE p() SELECT 1; GRANT SELECT ON shop.* TO u@'%'; CREATE USER u IDENTIFIED BY 'x'; KILL 5; FLUSH TABLES; SHUTDOWN",
        "ddl | ddl:shop.p | grant | admin | !dynamic-sql",
    ),
    (
        "SET STATEMENT max_statement_time=1 FOR SELECT pan FROM cards",
        "select | select:shop.cards | set:max_statement_time | +shop.cards.pan",
    ),
    ("SET NAMES DEFAULT", "set:names | #"),
    ("set character set default;", "set:names | #"),
    ("SET CHARSET DEFAULT", "set:names | #"),
    (
        "SET STATEMENT sql_mode = 'STRICT_ALL_TABLES', max_statement_time = 1 FOR DELETE FROM cards",
        "delete:shop.cards | set:max_statement_time | set:sql_mode | !unbounded | #",
    ),
    ("SET character_set_results = NULL", "set:character_set_results | #"),
    // What mariadb-dump and mysqldump send.
    ("SET SESSION character_set_results = 'binary'", "set:character_set_results | #"),
    ("/*!40100 SET @@SQL_MODE='' */", "set:sql_mode | #"),
    ("/*M!100100 SET @@MAX_STATEMENT_TIME=0.000000 */", "set:max_statement_time"),
    (" /*!80000 SET SESSION information_schema_stats_expiry=0 */\n", "set:information_schema_stats_expiry"),
    ("START TRANSACTION /*!40100 WITH CONSISTENT SNAPSHOT */", "transaction | @begin"),
    (
        "SELECT /*!40001 SQL_NO_CACHE */ `id`, `pan` FROM `cards`",
        "select | select:shop.cards | +shop.cards.id | +shop.cards.pan",
    ),
    ("/*!99999 SELECT pan FROM cards */", "select | select:shop.cards | +shop.cards.pan"),
    ("LOCK TABLES `cards` READ /*!32311 LOCAL */", "admin:shop.cards"),
    (
        "SET @@session.autocommit = 0, @@global.read_only = ON, LOCAL wait_timeout = 5",
        "set:autocommit | set:read_only | set:wait_timeout | admin",
    ),
    ("SET ROLE admin", "grant | set:role"),
    ("SET sql_mode = '', foreign_key_checks = 0", "set:foreign_key_checks | set:sql_mode | #"),
    ("EXECUTE IMMEDIATE 'DELETE FROM cards'", "delete:shop.cards | !unbounded | #"),
    ("EXPLAIN EXTENDED SELECT pan FROM cards", "select | select:shop.cards | +shop.cards.pan"),
    ("DESC cards pan", "select:shop.cards"),
    ("EXPLAIN FOR CONNECTION 5", "admin"),
    ("SHOW INDEX FROM cards WHERE Key_name = 'x'", "select:shop.cards"),
    ("SHOW WARNINGS LIMIT 5", "select"),
    ("SHOW COUNT(*) ERRORS", "select"),
    ("SHOW PROCESSLIST", "admin"),
    ("SHOW CREATE PROCEDURE p", "select:shop.p"),
    ("SHOW ENGINE INNODB STATUS", "admin"),
    ("XA COMMIT 'a'", "transaction | @commit-prepared"),
    ("FLUSH TABLES a, b WITH READ LOCK", "admin | admin:shop.a | admin:shop.b"),
    ("CHECK TABLE a, other.b EXTENDED", "admin:other.b | admin:shop.a"),
    ("INSTALL PLUGIN x SONAME 'y.so'", "admin | !runs-program"),
    (
        "CREATE FUNCTION sys_exec RETURNS INTEGER SONAME 'lib_mysqludf_sys.so'",
        "ddl | ddl:shop.sys_exec | admin | !runs-program | !dynamic-sql",
    ),
    (
        "CREATE TRIGGER tr BEFORE INSERT ON t FOR EACH ROW SET @a = NEW.pan",
        "ddl | ddl:shop.t | ddl:shop.tr | !dynamic-sql",
    ),
    ("CREATE TABLE t (a INT) ENGINE=FEDERATED CONNECTION='mysql://u@h/d/t'", "ddl:shop.t | !dynamic-sql | #"),
    ("CREATE TABLE t (a INT) ENGINE=MERGE UNION=(x, y.z)", "ddl:shop.t | ddl:shop.x | ddl:y.z | #"),
    (
        "CREATE TABLE t (a INT CHECK (a > 1), b INT AS (a + 1)) DATA DIRECTORY='/tmp'",
        "ddl:shop.t | !writes-file",
    ),
    ("CREATE TABLE t (SELECT pan FROM cards)", "select:shop.cards | ddl:shop.t | +shop.cards.pan"),
    ("ALTER TABLE t EXCHANGE PARTITION p WITH TABLE u", "ddl:shop.t | ddl:shop.u"),
    (
        "ALTER TABLE t ADD CONSTRAINT f FOREIGN KEY (a) REFERENCES other.u (b), RENAME COLUMN c TO d",
        "ddl:other.u | ddl:shop.t",
    ),
    ("DROP USER u", "grant"),
    ("RENAME USER a TO b", "grant"),
    ("CREATE SERVER s FOREIGN DATA WRAPPER mysql OPTIONS (HOST 'h')", "ddl | !dynamic-sql"),
    ("CREATE TABLE t TABLE u", "select:shop.u | ddl:shop.t | +shop.u.* | *shop.u"),
    ("CREATE TABLE t (a INT) IGNORE VALUES ROW(1)", "ddl:shop.t"),
];
