//! The server and its tables' upkeep.
use super::super::super::{Effect, Verb};
use super::super::reader::{NotUnderstood, Result, absent};
use super::reading::Reading;

impl Reading<'_, '_> {
    /// A statement of which the word `first` has been read; one that is listed nowhere is not understood.
    pub(super) fn maintenance(&mut self, first: &str) -> Result {
        match first {
            "analyze" | "check" | "checksum" | "optimize" | "repair" => {
                self.at.one_of(&["no_write_to_binlog", "local"]);
                absent(self.at.one_of(&["table", "tables", "view"]).is_none())?;
                self.objects(Verb::Admin)?;
                self.rest_is_plain()
            }
            "flush" => {
                self.facts().verb(Verb::Admin);
                self.at.one_of(&["no_write_to_binlog", "local"]);
                if self.at.one_of(&["table", "tables"]).is_some()
                    && !self.comes("with")
                    && self.at.peek().is_some()
                {
                    self.objects(Verb::Admin)?;
                }
                self.rest_is_plain()
            }
            "load" | "cache" => {
                self.facts().verb(Verb::Admin);
                absent(!self.at.word("index"))?;
                self.at.words(&["into", "cache"]);
                let object = self.object()?;
                self.facts().touch(Verb::Admin, &object);
                absent(self.comes_sign(','))?;
                self.rest_is_plain()
            }
            "install" => {
                self.facts().effect(Effect::RunsProgram);
                self.server()
            }
            // Runs events that only their bytes show.
            "binlog" => {
                self.facts().effect(Effect::DynamicSql);
                self.server()
            }
            "import" => {
                self.facts().effect(Effect::ReadsFile);
                self.server()
            }
            "clone" => {
                self.facts().effect(Effect::WritesFile);
                self.server()
            }
            "kill" | "reset" | "purge" | "change" | "uninstall" | "shutdown" | "restart" | "start"
            | "stop" | "backup" => self.server(),
            "help" => {
                self.facts().verb(Verb::Select);
                self.rest_is_plain()
            }
            _ => Err(NotUnderstood),
        }
    }

    fn server(&mut self) -> Result {
        self.facts().verb(Verb::Admin);
        self.rest_is_plain()
    }
}
