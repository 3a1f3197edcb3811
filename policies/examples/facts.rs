//! Prints the facts of statements, one JSON object a line: each line of standard input is a JSON string of SQL. For the
//! comparison with PostgreSQL's own parser (tests/oracle.py).
use policies::statement::{Dialect, sql};
use std::io::{BufRead, Write};

fn main() -> std::io::Result<()> {
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    for line in std::io::stdin().lock().lines() {
        let text: String = serde_json::from_str(&line?)?;
        serde_json::to_writer(&mut out, &sql::analyse(&text, Dialect::Postgres))?;
        out.write_all(b"\n")?;
    }
    out.flush()
}
