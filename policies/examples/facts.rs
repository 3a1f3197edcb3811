//! Prints the facts of statements, one JSON object a line: each line of standard input is a JSON string of SQL. For the
//! comparison with the servers themselves (tests/oracle.py, tests/mysql_oracle.py). With an argument, the statements are
//! MySQL's, in the database of that name.
use policies::statement::{Dialect, sql};
use std::io::{BufRead, Write};

fn main() -> std::io::Result<()> {
    let database = std::env::args().nth(1);
    let dialect = if database.is_some() { Dialect::Mysql } else { Dialect::Postgres };
    let context =
        sql::Context { database: database.as_deref().unwrap_or_default(), ..sql::Context::default() };
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    for line in std::io::stdin().lock().lines() {
        let text: String = serde_json::from_str(&line?)?;
        serde_json::to_writer(&mut out, &sql::analyse_in(&text, dialect, &context))?;
        out.write_all(b"\n")?;
    }
    out.flush()
}
