//! Bounds: long, deep and broken texts end as unknown, on a small stack, and soon.
use super::super::super::{Dialect, Facts, fingerprint};
use super::super::{TEXT_BYTES_MAX, analyse};
use super::facts;
use proptest::prelude::*;

/// On a stack far smaller than any thread of the processes has.
fn on_small_stack(text: String) -> Facts {
    let thread = std::thread::Builder::new().stack_size(1 << 20);
    thread.spawn(move || analyse(&text, Dialect::Postgres)).unwrap().join().unwrap()
}

#[test]
fn depth_is_bounded() {
    let nested = |open: &str, middle: &str, close: &str, times: usize| {
        format!("SELECT {}{middle}{}", open.repeat(times), close.repeat(times))
    };
    let deep = [
        nested("(", "1", ")", 50_000),
        nested("(SELECT ", "1", ")", 20_000),
        nested("f(", "1", ")", 20_000),
        nested("CASE WHEN true THEN ", "1", " END", 20_000),
        nested("NOT ", "true", "", 50_000),
        nested("- ", "1", "", 50_000),
        nested("", "1", "::int", 50_000),
        nested("", "1", " + 1", 100_000),
        nested("", "a", "[1]", 50_000),
        nested("", "1", " UNION SELECT 1", 20_000),
        nested("", "true", " AND true", 100_000),
        nested("", "1 FROM t", " JOIN t ON true", 20_000),
        nested("ARRAY[", "1", "]", 20_000),
        format!("SELECT 1 FROM {}t{}", "(".repeat(20_000), ")".repeat(20_000)),
        format!("{}SELECT 1{}", "EXPLAIN ".repeat(50_000), ""),
        format!("{}SELECT 1", "PREPARE a AS ".repeat(50_000)),
        format!("{}SELECT 1", "CREATE VIEW v AS ".repeat(50_000)),
        format!("{}SELECT 1", "CREATE RULE r AS ON SELECT TO v DO ".repeat(20_000)),
        format!("{}SELECT 1", "CREATE SCHEMA s ".repeat(50_000)),
        format!("SELECT {}", "a.".repeat(100_000)),
        "/*".repeat(400_000),
        "$a".repeat(400_000),
        "'".repeat(400_001),
        ";".repeat(400_000),
        "(".repeat(400_000),
    ];
    for text in deep {
        let start: String = text.chars().take(40).collect();
        let facts = on_small_stack(text);
        assert!(!facts.understood || facts.verbs.is_empty(), "{start}");
    }
}

#[test]
fn what_is_long_but_flat_is_understood() {
    let rows = (0..20_000).map(|row| format!("({row}, 'x', now())")).collect::<Vec<_>>().join(", ");
    let facts = on_small_stack(format!("INSERT INTO t VALUES {rows}"));
    assert!(facts.understood);
    let list = vec!["1"; 50_000].join(", ");
    assert!(on_small_stack(format!("SELECT a FROM t WHERE b IN ({list})")).understood);
    let all = vec!["a = 1"; 900].join(" OR ");
    assert!(on_small_stack(format!("SELECT a FROM t WHERE {all}")).understood);
    let nested = format!("SELECT {}1{}", "(".repeat(30), ")".repeat(30));
    assert!(on_small_stack(nested).understood);
    let union = vec!["SELECT a FROM t"; 200].join(" UNION ALL ");
    assert!(on_small_stack(union).understood);
}

#[test]
fn text_that_is_too_long_is_unknown() {
    let text = format!("SELECT '{}'", "x".repeat(TEXT_BYTES_MAX));
    assert_eq!(facts(&text), Facts::unknown());
    assert!(facts(&format!("SELECT '{}'", "x".repeat(TEXT_BYTES_MAX - 9))).understood);
}

/// Texts of pieces that matter to the lexer, the fingerprint and the analyser.
fn soup() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        "SELECT ",
        "a ",
        "FROM ",
        "t ",
        "WHERE ",
        "= ",
        "1",
        "22",
        "1.5",
        "'x'",
        "'it''s'",
        "''",
        "' -- '",
        "-",
        "--",
        "/*",
        "*/",
        "\n",
        ", ",
        "(",
        ")",
        "$1",
        "$$",
        "$a$",
        "E'\\''",
        "\"T\"",
        "\"",
        "'",
        "U&'x'",
        "N'x'",
        "x",
        "e",
        ".",
        "::",
        "regclass ",
        "nextval(",
        "set_config(",
        "'role'",
        "'public.t'",
        "é",
        "\\",
        ";",
        "UPDATE ",
        "SET ",
        "INSERT INTO ",
        "VALUES ",
        "UNION ",
        "AND ",
        "OR ",
        "LIMIT ",
        "1e5",
        "0x1",
        "1_0",
        "[",
        "]",
        "PREPARE ",
        "EXECUTE ",
        "AS ",
        "COPY ",
        "TO ",
        "STDOUT ",
        "date ",
    ]);
    prop::collection::vec(pieces, 0..24).prop_map(|pieces| pieces.concat())
}

/// A text with literals in some places, and the same with others.
fn pair() -> impl Strategy<Value = (String, String)> {
    let literal = || {
        prop::sample::select(vec![
            "1",
            "2",
            "3.5",
            "'a'",
            "'public.t'",
            "'role'",
            "'it''s'",
            "''",
            "'; DROP TABLE t; --'",
            "'$1'",
            "'/*'",
        ])
    };
    let frame = prop::sample::select(vec![
        "SELECT a FROM t WHERE b = ? AND c IN (?, ?)",
        "INSERT INTO t (a, b) VALUES (?, ?), (?, now())",
        "UPDATE t SET a = ? WHERE b = ?",
        "SELECT set_config(?, ?, false)",
        "SELECT nextval(?), ?::regclass, f(?)",
        "SELECT ?::text::regclass FROM t LIMIT ?",
        "COPY t TO ?",
        "PREPARE p AS SELECT ?",
        "SELECT date ?, ? AS x, interval ?",
        "SELECT * FROM f(?) AS x WHERE a LIKE ?",
        "SELECT query_to_xml(?, true, true, ?)",
        "SET a = ?",
        "CREATE TABLE t (a int DEFAULT nextval(?), b text DEFAULT ?)",
        "CALL p(?)",
        "NOTIFY c, ?",
        "SELECT a FROM t WHERE ? = ? OR b [ ? ] = ? ORDER BY ?",
        "SELECT pg_notify(?, ?); SELECT ?",
        "DELETE FROM t WHERE ? = ?",
        "LOAD ?",
        "COMMENT ON TABLE t IS ?",
    ]);
    (frame, prop::collection::vec((literal(), literal()), 5)).prop_map(|(frame, literals)| {
        let (mut one, mut other) = (String::new(), String::new());
        for (index, part) in frame.split('?').enumerate() {
            if let Some((a, b)) = index.checked_sub(1).and_then(|index| literals.get(index)) {
                one.push_str(a);
                other.push_str(b);
            }
            one.push_str(part);
            other.push_str(part);
        }
        (one, other)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3_000))]

    #[test]
    fn no_text_panics(text in soup()) {
        let facts = facts(&text);
        prop_assert_eq!(facts.understood, !facts.verbs.contains(&super::super::super::Verb::Unknown));
    }

    #[test]
    fn one_fingerprint_has_one_set_of_facts((one, other) in pair()) {
        let (mut first, mut second) = (String::new(), String::new());
        if fingerprint(&one, Dialect::Postgres, &mut first) && fingerprint(&other, Dialect::Postgres, &mut second) && first == second {
            let (one_facts, other_facts) = (facts(&one), facts(&other));
            prop_assert_eq!(one_facts.literals_matter, other_facts.literals_matter, "{} / {}", &one, &other);
            if !one_facts.literals_matter {
                prop_assert_eq!(one_facts, other_facts, "{} / {}", &one, &other);
            }
        }
    }

    #[test]
    fn a_fingerprint_with_literals_back_has_the_same_facts(text in soup()) {
        // The key with other literals in it is a text of the same key.
        let mut key = String::new();
        if fingerprint(&text, Dialect::Postgres, &mut key) {
            let own = facts(&text);
            for literal in ["7", "'z'"] {
                let other = key.replace("$?", literal);
                let mut again = String::new();
                if fingerprint(&other, Dialect::Postgres, &mut again) && again == key && !own.literals_matter {
                    let other_facts = facts(&other);
                    if !other_facts.literals_matter {
                        prop_assert_eq!(&own, &other_facts, "{} / {}", &text, &other);
                    }
                }
            }
        }
    }
}
