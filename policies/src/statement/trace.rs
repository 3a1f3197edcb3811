//! Whether a statement may leave something in its session at the target that no reset undoes: then no other job may
//! have that session's connection. PostgreSQL's `DISCARD ALL` undoes settings, role and session user, prepared
//! statements, cursors, temporary tables, sequences' last values, advisory locks and channels listened to. It does not
//! undo what code keeps in the process: loaded libraries, variables of procedural languages, connections to other servers,
//! the seed of `random()`. MySQL's COM_RESET_CONNECTION undoes settings, variables, prepared statements, temporary tables,
//! open handlers and locks; not the database in use, roles, what is set for the whole server, prepared XA transactions.
//!
//! Not seen: what the target's own triggers, views and types do when a statement uses them; who defines those there
//! decides what they keep.
use super::{Dialect, Effect, Facts, TransactionVerb, Verb};
use crate::decide::is_harmless;

/// Harmless by what they compute, but what they set stays.
const LASTING: [&str; 2] = ["setseed", "pg_catalog.setseed"];
/// Not harmless by what they do (a rule must name them), but a reset undoes it, or it is over with the statement.
const UNDONE: [&str; 11] = [
    "pg_advisory_lock",
    "pg_advisory_lock_shared",
    "pg_advisory_unlock",
    "pg_advisory_unlock_all",
    "pg_advisory_unlock_shared",
    "pg_advisory_xact_lock",
    "pg_try_advisory_lock",
    "pg_try_advisory_xact_lock",
    "pg_sleep",
    "pg_sleep_for",
    "pg_sleep_until",
];

/// The same of MySQL.
const MYSQL_UNDONE: [&str; 8] =
    ["sleep", "benchmark", "get_lock", "release_lock", "release_all_locks", "nextval", "lastval", "setval"];

/// Whether the request may leave a trace. Whatever is not known to leave none does.
#[must_use]
pub fn leaves_trace(facts: &Facts, dialect: Dialect) -> bool {
    let (lasting, undone) = match dialect {
        Dialect::Postgres => (&LASTING[..], &UNDONE[..]),
        Dialect::Mysql => (&[][..], &MYSQL_UNDONE[..]),
    };
    let lasting_function = |name: &String| {
        lasting.contains(&name.as_str()) || !(is_harmless(name, dialect) || undone.contains(&name.as_str()))
    };
    let lasting_setting = |name: &String| match dialect {
        // A setting of no known module: its name stays known to the session. With another search_path a name that
        // passes for a harmless function may be any.
        Dialect::Postgres => name.contains('.') || name == "search_path" || name == "seed",
        Dialect::Mysql => name == "database" || name == "role",
    };
    let lasting_verb = |access: &super::Access| match access.verb {
        Verb::Unknown | Verb::Admin | Verb::Grant => true,
        // A procedure is an object, a channel is none.
        Verb::Call => access.object.as_ref().is_none_or(|name| facts.objects.contains(name)),
        Verb::Set => access.object.as_ref().is_some_and(lasting_setting),
        _ => false,
    };
    let lasting_effect = |effect: &Effect| {
        matches!(effect, Effect::DynamicSql | Effect::ReadsFile | Effect::WritesFile | Effect::RunsProgram)
    };
    !facts.understood
        || facts.accesses.iter().any(lasting_verb)
        || facts.effects.iter().any(lasting_effect)
        || facts.functions.iter().any(lasting_function)
        || matches!(
            facts.transaction,
            Some(
                TransactionVerb::Prepare
                    | TransactionVerb::CommitPrepared
                    | TransactionVerb::RollbackPrepared
            )
        )
        || facts.members.iter().any(|facts| leaves_trace(facts, dialect))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statement::{Dialect, sql};

    fn leaves(text: &str) -> bool {
        leaves_trace(&sql::analyse(text, Dialect::Postgres), Dialect::Postgres)
    }

    #[test]
    fn mysql_resets_what_is_its_sessions() {
        let leaves = |text: &str| leaves_trace(&sql::analyse(text, Dialect::Mysql), Dialect::Mysql);
        for text in [
            "",
            "select lower(a), count(*) from t",
            "set @a = 1",
            "set names utf8mb4",
            "set session sort_buffer_size = 1",
            "select get_lock('a', 1)",
            "prepare s from 'select 1'",
            "create temporary table t (a int)",
            "begin; commit",
            "handler t open",
            "replace t values (1)",
        ] {
            assert!(!leaves(text), "{text}");
        }
        for text in [
            "use shop",
            "set role r",
            "set global sort_buffer_size = 1",
            "set persist sort_buffer_size = 1",
            "flush tables",
            "xa prepare 'a'",
            "xa commit 'a'",
            "call p()",
            "select f()",
            "select load_file('a')",
            "execute s",
            "what is this",
            "lock tables t read",
            "select 1; use shop",
        ] {
            assert!(leaves(text), "{text}");
        }
    }

    #[test]
    fn what_a_reset_undoes_leaves_none() {
        for text in [
            "",
            "select 1",
            "select lower(a), count(*) from t group by 1",
            "insert into t values (1); update t set a = 2; delete from t",
            "begin; savepoint a; rollback to a; commit",
            "set timezone = 'UTC'",
            "set role reader",
            "set session authorization reader",
            "select set_config('timezone', 'UTC', false)",
            "create temp table t (a int)",
            "create table t (a int)",
            "drop table t",
            "truncate t",
            "prepare s as select 1",
            "prepare s as select 1; execute s",
            "deallocate s",
            "declare c cursor with hold for select 1",
            "fetch c",
            "listen a",
            "notify a",
            "unlisten *",
            "select pg_advisory_lock(1)",
            "select nextval('s')",
            "copy t to stdout",
            "copy t from stdin",
            "select pg_backend_pid()",
        ] {
            assert!(!leaves(text), "{text}");
        }
    }

    #[test]
    fn whatever_may_stay_leaves_one() {
        for text in [
            "load 'auto_explain'",
            "do $$ begin end $$",
            "call p()",
            "call s.p(1)",
            "execute s",
            "select f()",
            "select public.lower('a')",
            "select dblink_connect('dbname=x')",
            "select 1; select dblink('select 1')",
            "select setseed(0.5)",
            "set seed to 0.5",
            "select set_config('seed', '0.5', false)",
            "update pg_settings set setting = 'a, pg_catalog' where name = 'search_path'",
            "select pg_catalog.setseed(0.5)",
            "set my.secret = 'x'",
            "set search_path = mine, pg_catalog",
            "set schema 'mine'",
            "select set_config('search_path', 'mine', false)",
            "select set_config('my.secret', 'x', false)",
            "create extension plperl",
            "create function f() returns int language sql as 'select 1'",
            "create trigger t before insert on t execute function f()",
            "prepare transaction 'x'",
            "commit prepared 'x'",
            "vacuum t",
            "grant select on t to r",
            "alter role r set timezone = 'UTC'",
            "lock table t",
            "copy t to program 'cat'",
            "copy t to '/tmp/t'",
            "select lo_import('/etc/passwd')",
            "select query_to_xml('select 1', true, true, '')",
            "no statement at all",
            "select 1; what is this",
        ] {
            assert!(leaves(text), "{text}");
        }
    }
}
