//! `check`, `test`, `explain` and `apply`: manifests on this machine. The first three ask nobody: what they say is what
//! the same manifests say in the gateway, since both compile and decide by the policies crate.

mod apply;
mod check;
mod diagnose;
mod explain;
mod manifests;
mod test;

pub(crate) use self::apply::{Apply, apply};
pub(crate) use self::check::{Check, check};
pub(crate) use self::explain::{Explain, explain};
pub(crate) use self::test::{Test, test};

use std::path::Path;

use policies::decision::Decision;
use policies::snapshot::{Snapshot, TargetView};
use policies::statement::sql::{Context, analyse_in};
use policies::statement::{Dialect, Facts};

use self::manifests::Manifests;
use super::outcome::Failure;

/// Compiles the manifests of a folder; mistakes are shown and are an answer of no.
fn compile(dir: &Path) -> Result<Snapshot, Failure> {
    let manifests = Manifests::read(dir)?;
    match manifests.compile()? {
        Ok(compiled) => Ok(compiled.snapshot),
        Err(mistakes) => {
            diagnose::show(&manifests, &mistakes);
            Err(Failure::No(format!("the manifests in {} have mistakes: nothing was decided", dir.display())))
        }
    }
}

/// What a statement does at a target, in its language and its default database.
fn facts(target: &TargetView<'_>, statement: &str) -> Result<Facts, String> {
    let dialect = Dialect::of(target.protocol).ok_or_else(|| {
        format!("target {} does not speak SQL: its commands cannot be judged here", target.name)
    })?;
    let database = target.database.unwrap_or_default();
    Ok(analyse_in(statement, dialect, &Context { database, ..Context::default() }))
}

/// What policy decides for these groups; a login that no policy lets in is a denial.
fn decide(snapshot: &Snapshot, groups: &[String], target: &str, facts: &Facts) -> Decision {
    match snapshot.class(groups, target) {
        Some(class) => snapshot.decide(&class, target, facts),
        None => Decision::Deny {
            rule: "default".to_owned(),
            reason: format!("no policy lets these groups in at target {target}"),
        },
    }
}
