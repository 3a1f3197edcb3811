//! SET: variables of the session, of the server and of the user; names, passwords, roles.
use super::super::super::Verb;
use super::super::cursor::Unit as _;
use super::super::reader::{NotUnderstood, Result, absent};
use super::super::scope::Use;
use super::lexer::Lexeme;
use super::reading::Reading;

/// Settings under which texts are read here, or answers there.
const CHARSETS: [&str; 4] =
    ["character_set_client", "character_set_connection", "character_set_results", "collation_connection"];
/// Character sets in which every byte is read as it is here.
const UTF8: [&str; 3] = ["utf8mb4", "utf8", "utf8mb3"];
/// What `sql_mode` may be made of: what does not change how a text is cut.
const MODES: [&str; 21] = [
    "",
    "allow_invalid_dates",
    "error_for_division_by_zero",
    "high_not_precedence",
    "no_auto_create_user",
    "no_auto_value_on_zero",
    "no_dir_in_create",
    "no_engine_substitution",
    "no_field_options",
    "no_key_options",
    "no_table_options",
    "no_unsigned_subtraction",
    "no_zero_date",
    "no_zero_in_date",
    "only_full_group_by",
    "pad_char_to_full_length",
    "real_as_float",
    "strict_all_tables",
    "strict_trans_tables",
    "time_truncate_fractional",
    "traditional",
];

/// Whether a request is one `SET NAMES DEFAULT`, or the like, and nothing else: the engine knows what the target's default is,
/// and lets it pass where that is UTF-8. No statement stands behind it that would be read otherwise.
pub(super) fn to_default(lexemes: &[Lexeme]) -> bool {
    let lexemes = lexemes.strip_suffix(&[Lexeme::Sign(';')]).unwrap_or(lexemes);
    let is = |words: &[&str]| {
        words.len() == lexemes.len() && words.iter().zip(lexemes).all(|(word, it)| it.is(word))
    };
    is(&["set", "names", "default"])
        || is(&["set", "character", "set", "default"])
        || is(&["set", "charset", "default"])
}

impl<'t> Reading<'t, '_> {
    /// What follows SET.
    pub(super) fn set(&mut self) -> Result {
        match self.word_ahead(0) {
            "password" if !self.is_assigned(1) || self.word_ahead(1) == "for" => self.privileges(),
            "password" => self.privileges(),
            "role" if !self.is_assigned(1) => {
                self.facts().access(Verb::Set, "role");
                self.privileges()
            }
            "default" if self.word_ahead(1) == "role" => self.privileges(),
            "resource" if self.word_ahead(1) == "group" => {
                self.facts().verb(Verb::Admin);
                self.rest_is_plain()
            }
            _ => loop {
                self.one_setting()?;
                if !self.at.sign(',') {
                    return Ok(());
                }
            },
        }
    }

    fn privileges(&mut self) -> Result {
        self.facts().verb(Verb::Grant);
        self.rest_is_plain()
    }

    fn is_assigned(&self, ahead: usize) -> bool {
        matches!(self.at.rest().get(ahead), Some(Lexeme::Operator("=" | ":=")))
    }

    fn one_setting(&mut self) -> Result {
        if self.at.word("names") {
            self.facts().access(Verb::Set, "names");
            self.utf8()?;
            if self.at.word("collate") {
                self.word_or_text()?;
            }
            return Ok(());
        }
        if self.at.words(&["character", "set"])
            || (self.comes("charset") && !self.is_assigned(1) && self.at.word("charset"))
        {
            self.facts().access(Verb::Set, "names");
            return self.utf8();
        }
        if let Some(Lexeme::UserVariable(name)) = self.at.peek() {
            self.at.next();
            self.facts().access(Verb::Set, &format!("@{name}"));
            self.assigned()?;
            return self.expr(Use::Through);
        }
        if let Some(Lexeme::SystemVariable(path)) = self.at.peek() {
            self.at.next();
            let (scope, name) = path.split_once('.').unwrap_or(("", path));
            let scoped = ["global", "session", "local", "persist", "persist_only"].contains(&scope);
            return self.setting(if scoped { scope } else { "" }, if scoped { name } else { path });
        }
        let scoped = !self.is_assigned(1);
        let scope = if scoped {
            self.at.one_of(&["global", "session", "local", "persist", "persist_only"]).unwrap_or_default()
        } else {
            ""
        };
        if self.at.word("transaction") {
            self.facts().access(Verb::Set, "transaction");
            if scope == "global" {
                self.facts().verb(Verb::Admin);
            }
            return self.characteristics();
        }
        let name = self.path()?.join(".");
        self.setting(scope, &name)
    }

    fn characteristics(&mut self) -> Result {
        while let Some(lexeme) = self.at.next() {
            absent(lexeme.name().is_none() && !lexeme.is_sign(','))?;
        }
        Ok(())
    }

    fn assigned(&mut self) -> Result {
        absent(!self.at.operator("=") && !self.at.operator(":="))
    }

    /// A variable of the server and its value.
    fn setting(&mut self, scope: &str, name: &str) -> Result {
        self.facts().access(Verb::Set, name);
        if matches!(scope, "global" | "persist" | "persist_only") {
            self.facts().verb(Verb::Admin);
        }
        self.assigned()?;
        let before = self.at.rest();
        let word = matches!(before.first(), Some(Lexeme::Word { .. }))
            && before.get(1).is_none_or(|it| it.is_sign(',') || it.is("for"));
        if word {
            self.at.next();
        } else {
            self.expr(Use::Through)?;
        }
        let value = before.get(..before.len() - self.at.rest().len()).ok_or(NotUnderstood)?;
        // Whatever is said before its name.
        let last = name.rsplit('.').next().unwrap_or_default();
        // What the server tells of the session's changes: the gateway reads it.
        absent(last.starts_with("session_track_"))?;
        if last == "sql_mode" || CHARSETS.contains(&last) {
            self.facts().literals_matter();
            absent(!if last == "sql_mode" { is_mode(value) } else { is_utf8(last, value) })?;
        }
        Ok(())
    }

    /// A character set that changes nothing of how texts are read.
    fn utf8(&mut self) -> Result {
        self.facts().literals_matter();
        match self.at.next() {
            Some(Lexeme::Text(name)) if UTF8.contains(&name.to_ascii_lowercase().as_str()) => Ok(()),
            Some(Lexeme::Word { folded: name, .. } | Lexeme::Quoted(name))
                if UTF8.contains(&name.as_str()) =>
            {
                Ok(())
            }
            _ => Err(NotUnderstood),
        }
    }
}

/// Is the value of `sql_mode` surely one under which texts are cut as they are here? It may add to the value that the
/// gateway has pinned.
fn is_mode(value: &[Lexeme]) -> bool {
    value.iter().all(|it| match it {
        Lexeme::Text(modes) => {
            modes.split(',').all(|mode| MODES.contains(&mode.trim().to_ascii_lowercase().as_str()))
        }
        Lexeme::Word { folded, .. } => {
            ["concat", "concat_ws", "replace", "select"].contains(&folded.as_str())
                || MODES.contains(&folded.as_str())
        }
        Lexeme::SystemVariable(path) => path == "sql_mode" || path == "session.sql_mode",
        Lexeme::Sign(sign) => matches!(sign, '(' | ')' | ','),
        _ => false,
    })
}

fn is_utf8(name: &str, value: &[Lexeme]) -> bool {
    let text = match value {
        [Lexeme::Text(text)] => text.to_ascii_lowercase(),
        [Lexeme::Word { folded, .. }] => folded.clone(),
        _ => return false,
    };
    match name {
        // As they are stored: what drivers and dumps ask for. The gateway's engine sees to it that they can be read.
        "character_set_results" if text == "null" || text == "binary" => true,
        "collation_connection" => {
            UTF8.iter().any(|set| text.strip_prefix(set).is_some_and(|rest| rest.starts_with('_')))
        }
        _ => UTF8.contains(&text.as_str()),
    }
}
