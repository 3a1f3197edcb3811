//! CREATE, ALTER, DROP, RENAME, TRUNCATE. Queries that they hold are read as such; bodies of stored programs are
//! `dynamic-sql`; what else they say counts where it names another object, a file or another server.
use super::super::super::{Effect, Verb};
use super::super::cursor::{Cursor, Unit as _};
use super::super::names;
use super::super::reader::{NotUnderstood, Result, absent};
use super::super::scope::Use;
use super::lexer::Lexeme;
use super::reading::Reading;

/// Stored programs: their bodies run later.
const PROGRAMS: [&str; 6] = ["procedure", "function", "trigger", "event", "package", "library"];
/// Engines whose rows are elsewhere: on another server, in files of any name.
const REMOTE_ENGINES: [&str; 6] = ["federated", "federatedx", "connect", "spider", "sphinx", "s3"];

impl<'t> Reading<'t, '_> {
    /// A statement that begins with `first`, one of those that `statement` lists.
    pub(super) fn definition(&mut self, first: &str) -> Result {
        self.at.next();
        match first {
            "create" => self.create(),
            "alter" => self.alter(),
            "drop" => self.drop(),
            "rename" => self.rename(),
            _ => self.truncate(),
        }
    }

    fn truncate(&mut self) -> Result {
        self.at.word("table");
        let object = self.object()?;
        self.facts().effect(Effect::Unbounded);
        self.facts().touch(Verb::Delete, &object);
        self.facts().touch(Verb::Ddl, &object);
        self.patience();
        Ok(())
    }

    /// WAIT n, NOWAIT.
    fn patience(&mut self) {
        if self.at.one_of(&["nowait", "wait"]) == Some("wait") {
            self.at.next();
        }
    }

    fn rename(&mut self) -> Result {
        if self.at.word("user") {
            self.facts().verb(Verb::Grant);
            return self.rest_is_plain();
        }
        absent(self.at.one_of(&["table", "tables"]).is_none())?;
        self.if_exists();
        loop {
            let object = self.object()?;
            self.facts().touch(Verb::Ddl, &object);
            self.patience();
            self.expect("to")?;
            let object = self.object()?;
            self.facts().touch(Verb::Ddl, &object);
            if !self.at.sign(',') {
                return Ok(());
            }
        }
    }

    fn if_exists(&mut self) {
        let _ = self.at.words(&["if", "exists"]) || self.at.words(&["if", "not", "exists"]);
    }

    /// DEFINER, ALGORITHM and the like before what is made.
    fn modifiers(&mut self) -> Result {
        loop {
            if self.at.words(&["or", "replace"]) || self.at.words(&["sql", "security"]) {
                self.at.one_of(&["definer", "invoker"]);
            } else if self.at.word("definer") {
                absent(!self.at.operator("="))?;
                self.word_or_text()?;
                if self.at.sign('(') {
                    self.expect_sign(')')?;
                }
                if matches!(self.at.peek(), Some(Lexeme::UserVariable(_))) {
                    self.at.next();
                }
            } else if self.at.word("algorithm") {
                absent(!self.at.operator("="))?;
                self.at.name()?;
            } else if self
                .at
                .one_of(&[
                    "temporary",
                    "unique",
                    "fulltext",
                    "spatial",
                    "online",
                    "offline",
                    "aggregate",
                    "undo",
                ])
                .is_none()
            {
                return Ok(());
            }
        }
    }

    fn create(&mut self) -> Result {
        let before = self.at.rest();
        self.modifiers()?;
        let modifiers = before.len() - self.at.rest().len();
        if before.iter().take(modifiers).any(|it| it.is("temporary")) {
            self.facts().temporary();
        }
        let Some(Lexeme::Word { folded: kind, .. }) = self.at.next() else { return Err(NotUnderstood) };
        let kind = kind.as_str();
        if PROGRAMS.contains(&kind) {
            return self.program(kind);
        }
        match kind {
            "table" => {
                self.if_exists();
                self.created_table()
            }
            "view" => {
                self.if_exists();
                self.view()
            }
            "index" => self.index(),
            "sequence" => {
                self.if_exists();
                let object = self.object()?;
                self.facts().touch(Verb::Ddl, &object);
                self.rest_is_plain()
            }
            "database" | "schema" => {
                self.if_exists();
                self.database()
            }
            "user" | "role" => {
                self.facts().verb(Verb::Grant);
                self.rest_is_plain()
            }
            "server" => {
                self.facts().verb(Verb::Ddl);
                self.effect(Effect::DynamicSql);
                self.rest_is_plain()
            }
            "tablespace" | "logfile" => {
                self.facts().verb(Verb::Ddl);
                self.effect(Effect::WritesFile);
                self.rest_is_plain()
            }
            "resource" => {
                self.facts().verb(Verb::Admin);
                self.rest_is_plain()
            }
            _ => Err(NotUnderstood),
        }
    }

    fn effect(&mut self, effect: Effect) {
        self.facts().effect(effect);
    }

    fn database(&mut self) -> Result {
        if self.comes("default") || self.comes("character") || self.comes("collate") || self.comes("charset")
        {
            let own = names::part(self.database);
            self.facts().touch(Verb::Ddl, &own);
        } else {
            let name = self.name()?;
            self.facts().touch(Verb::Ddl, &names::part(&name));
        }
        self.rest_is_plain()
    }

    /// CREATE INDEX, DROP INDEX, behind the word.
    fn index(&mut self) -> Result {
        self.if_exists();
        self.name()?;
        if self.at.word("using") {
            self.at.name()?;
        }
        self.expect("on")?;
        let object = self.object()?;
        self.facts().touch(Verb::Ddl, &object);
        self.details()
    }

    /// A procedure, function, trigger, event or package, behind that word.
    fn program(&mut self, kind: &str) -> Result {
        self.facts().verb(Verb::Ddl);
        self.effect(Effect::DynamicSql);
        self.at.word("body");
        self.if_exists();
        let object = self.object()?;
        self.facts().touch(Verb::Ddl, &object);
        if kind == "trigger" {
            while !self.at.word("on") {
                absent(self.at.next().is_none())?;
            }
            let table = self.object()?;
            self.facts().touch(Verb::Ddl, &table);
        }
        // A library's function runs in the server.
        if self.at.rest().iter().any(|it| it.is("soname")) {
            self.facts().verb(Verb::Admin);
            self.effect(Effect::RunsProgram);
        }
        self.at = Cursor::new(&[]);
        Ok(())
    }

    fn view(&mut self) -> Result {
        let object = self.object()?;
        self.facts().touch(Verb::Ddl, &object);
        self.names()?;
        self.expect("as")?;
        self.query(Use::Output)?;
        if self.at.word("with") {
            self.at.one_of(&["cascaded", "local"]);
            absent(!self.at.words(&["check", "option"]))?;
        }
        Ok(())
    }

    /// CREATE TABLE, behind its words: columns, options, a query.
    fn created_table(&mut self) -> Result {
        let object = self.object()?;
        self.facts().touch(Verb::Ddl, &object);
        if self.at.word("like") {
            let other = self.object()?;
            self.facts().touch(Verb::Ddl, &other);
            return Ok(());
        }
        if self.comes_sign('(') && !self.query_opens() {
            let inner = self.at.parenthesised()?;
            if let [like, ..] = inner
                && like.is("like")
            {
                return self.within(inner, |it| {
                    it.at.next();
                    let other = it.object()?;
                    it.facts().touch(Verb::Ddl, &other);
                    Ok(())
                });
            }
            self.within(inner, Self::details)?;
        }
        let rest = self.at.rest();
        let mut depth = 0_usize;
        let query = rest.iter().enumerate().position(|(index, it)| {
            let here = depth == 0
                && (it.is("select")
                    || it.is("with") && !rest.get(index + 1).is_some_and(|it| it.is("system"))
                    || super::query::opens(rest.get(index..).unwrap_or_default())
                    || it.is("as")
                    || it.is("values")
                    || it.is("table"));
            match it {
                Lexeme::Sign('(') => depth += 1,
                Lexeme::Sign(')') => depth = depth.saturating_sub(1),
                _ => {}
            }
            here
        });
        let Some(query) = query else { return self.details() };
        let options = rest.get(..query).unwrap_or_default();
        self.within(options, Self::details)?;
        self.at = Cursor::new(rest.get(query..).unwrap_or_default());
        self.at.word("as");
        self.query(Use::Output).map(|_| ())
    }

    fn alter(&mut self) -> Result {
        self.modifiers()?;
        self.at.word("ignore");
        let Some(Lexeme::Word { folded: kind, .. }) = self.at.next() else { return Err(NotUnderstood) };
        match kind.as_str() {
            "table" => {
                self.if_exists();
                let object = self.object()?;
                self.facts().touch(Verb::Ddl, &object);
                self.patience();
                self.details()
            }
            "view" => self.view(),
            "sequence" => {
                self.if_exists();
                let object = self.object()?;
                self.facts().touch(Verb::Ddl, &object);
                self.rest_is_plain()
            }
            "database" | "schema" => self.database(),
            kind if PROGRAMS.contains(&kind) => self.program(kind),
            "user" => {
                self.facts().verb(Verb::Grant);
                self.rest_is_plain()
            }
            "server" => {
                self.facts().verb(Verb::Ddl);
                self.effect(Effect::DynamicSql);
                self.rest_is_plain()
            }
            "instance" | "resource" => {
                self.facts().verb(Verb::Admin);
                self.rest_is_plain()
            }
            "tablespace" | "logfile" => {
                self.facts().verb(Verb::Ddl);
                self.effect(Effect::WritesFile);
                self.rest_is_plain()
            }
            _ => Err(NotUnderstood),
        }
    }

    fn drop(&mut self) -> Result {
        self.modifiers()?;
        let Some(Lexeme::Word { folded: kind, .. }) = self.at.next() else { return Err(NotUnderstood) };
        match kind.as_str() {
            "table" | "tables" | "view" | "sequence" => {
                self.if_exists();
                self.objects(Verb::Ddl)?;
                self.at.one_of(&["restrict", "cascade"]);
                self.patience();
                Ok(())
            }
            "index" => self.index(),
            "database" | "schema" => {
                self.if_exists();
                let name = self.name()?;
                self.facts().touch(Verb::Ddl, &names::part(&name));
                Ok(())
            }
            kind if PROGRAMS.contains(&kind) => {
                self.at.word("body");
                self.if_exists();
                let object = self.object()?;
                self.facts().touch(Verb::Ddl, &object);
                Ok(())
            }
            "user" | "role" => {
                self.facts().verb(Verb::Grant);
                self.rest_is_plain()
            }
            "server" | "tablespace" | "logfile" => {
                self.facts().verb(Verb::Ddl);
                self.rest_is_plain()
            }
            _ => Err(NotUnderstood),
        }
    }

    /// Columns, keys, options, changes: what in them names another object, a file or another server.
    fn details(&mut self) -> Result {
        while let Some(lexeme) = self.at.peek() {
            let Lexeme::Word { folded, .. } = lexeme else {
                absent(matches!(lexeme, Lexeme::Parameter | Lexeme::UserVariable(_)))?;
                self.at.next();
                continue;
            };
            let other = match folded.as_str() {
                "select" | "table" => return Err(NotUnderstood),
                "references" => 1,
                "rename" if ["to", "as"].contains(&self.word_ahead(1)) => 2,
                "rename" if ["column", "index", "key"].contains(&self.word_ahead(1)) => 0,
                "rename" => 1,
                "with" | "convert" | "to" if self.word_ahead(1) == "table" => 2,
                "union" => {
                    self.at.next();
                    self.at.operator("=");
                    self.merged_tables()?;
                    continue;
                }
                "directory" => {
                    self.effect(Effect::WritesFile);
                    0
                }
                "import" if self.word_ahead(1) == "tablespace" => {
                    self.effect(Effect::ReadsFile);
                    0
                }
                "connection" => {
                    self.effect(Effect::DynamicSql);
                    0
                }
                "engine" => {
                    let name = match self.at.rest() {
                        [_, Lexeme::Operator("="), name, ..] | [_, name, ..] => Some(name),
                        _ => None,
                    };
                    let remote = match name {
                        Some(Lexeme::Text(name)) => {
                            REMOTE_ENGINES.iter().any(|it| name.eq_ignore_ascii_case(it))
                        }
                        name => {
                            name.and_then(|it| it.name()).is_some_and(|name| REMOTE_ENGINES.contains(&name))
                        }
                    };
                    self.facts().literals_matter();
                    if remote {
                        self.effect(Effect::DynamicSql);
                    }
                    0
                }
                _ => 0,
            };
            if other == 0 {
                self.at.next();
                continue;
            }
            for _ in 0..other {
                self.at.next();
            }
            let object = self.object()?;
            self.facts().touch(Verb::Ddl, &object);
        }
        Ok(())
    }

    /// Tables of which a table is made up.
    fn merged_tables(&mut self) -> Result {
        self.expect_sign('(')?;
        if self.at.sign(')') {
            return Ok(());
        }
        self.objects(Verb::Ddl)?;
        self.expect_sign(')')
    }
}
