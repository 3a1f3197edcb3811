//! The state of reading one parsed statement, and what every part of it notes: columns, rows, functions, objects.
//! What is not handled by name ends in [`NotUnderstood`], never in nothing.
use super::super::functions::{self, Act};
use super::super::{Effect, Verb};
use super::builder::Builder;
use super::keywords::{self, Class};
use super::names;
use super::scope::{self, Columns, Found, Frame, Origin, Outputs, Source, Use};
use sqlparser::ast::{Ident, ObjectName, ObjectNamePart};

/// Nested queries and expressions at most; chains of operators and of UNION on their left side do not count.
const DEPTH_MAX: usize = 150;

/// Steps of name resolution at most in one statement.
const STEPS_MAX: usize = 1_000_000;
/// Outputs of a query at most: PostgreSQL allows 1,664.
pub(super) const OUTPUTS_MAX: usize = 1_664;

/// A form that is not handled: the statement is unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NotUnderstood;

/// Done, or not understood.
pub(super) type Result<T = ()> = std::result::Result<T, NotUnderstood>;

/// Refuses what PostgreSQL does not have: it cannot be meant as it was parsed.
pub(super) fn absent(present: bool) -> Result {
    if present { Err(NotUnderstood) } else { Ok(()) }
}

/// A WITH query in reach.
pub(super) struct Cte {
    pub(super) name: String,
    pub(super) outputs: Outputs,
}

/// Reads one statement's tree.
pub(super) struct Reader<'a> {
    pub(super) facts: &'a mut Builder,
    /// Innermost last.
    pub(super) frames: Vec<Frame>,
    /// Innermost last.
    pub(super) ctes: Vec<Cte>,
    captures: Vec<Columns>,
    depth: usize,
    steps: usize,
    /// Something has been read from a query whose outputs are not known.
    opaque: bool,
}

impl<'a> Reader<'a> {
    /// Facts go to `facts`.
    pub(super) fn new(facts: &'a mut Builder) -> Self {
        Self {
            facts,
            frames: Vec::new(),
            ctes: Vec::new(),
            captures: Vec::new(),
            depth: 0,
            steps: 0,
            opaque: false,
        }
    }

    /// One level deeper; [`Reader::ascend`] comes back.
    pub(super) fn descend(&mut self) -> Result {
        absent(self.depth >= DEPTH_MAX)?;
        self.depth += 1;
        Ok(())
    }

    pub(super) fn ascend(&mut self) {
        self.depth = self.depth.saturating_sub(1);
    }

    /// One level deeper, within bounds.
    pub(super) fn deeper<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        self.descend()?;
        let done = read(self);
        self.ascend();
        done
    }

    /// Reads within a frame of its own.
    pub(super) fn framed<T>(&mut self, frame: Frame, read: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        self.frames.push(frame);
        let done = read(self);
        self.frames.pop();
        done
    }

    /// Reads, and tells which columns were read meanwhile.
    pub(super) fn captured<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T>) -> Result<(T, Columns)> {
        self.capture();
        let done = read(self);
        let columns = self.release();
        done.map(|value| (value, columns))
    }

    /// Columns that are read from here on to [`Reader::release`] are told there.
    pub(super) fn capture(&mut self) {
        self.captures.push(Columns::new());
    }

    pub(super) fn release(&mut self) -> Columns {
        let columns = self.captures.pop().unwrap_or_default();
        if let Some(outer) = self.captures.last_mut() {
            outer.extend(columns.iter().cloned());
        }
        columns
    }

    /// Something is computed from these, which have been read.
    pub(super) fn computed(&mut self, columns: &Columns) {
        for column in columns {
            self.facts.transform(column);
        }
        if self.opaque {
            self.facts.transform_all();
        }
    }

    /// A column reference of one to three parts, of MySQL.
    pub(super) fn mysql_column(&mut self, parts: &[String], how: Use) -> Result {
        self.spend(self.frames.iter().map(|frame| frame.sources.len()).sum())?;
        let found = match parts {
            [name] => scope::resolve_column(&self.frames, name),
            [table, name] => scope::resolve_in_all(&self.frames, None, table, name).ok_or(NotUnderstood)?,
            [database, table, name] => {
                scope::resolve_in_all(&self.frames, Some(database), table, name).ok_or(NotUnderstood)?
            }
            _ => return Err(NotUnderstood),
        };
        self.note(&found, how)
    }

    /// `table.*` or `database.table.*`, of MySQL.
    pub(super) fn mysql_star(&mut self, parts: &[String], how: Use) -> Result<Outputs> {
        let (schema, name) = match parts {
            [name] => (None, name),
            [schema, name] => (Some(schema.as_str()), name),
            _ => return Err(NotUnderstood),
        };
        let sources: Vec<Source> = scope::sources(&self.frames, schema, name).cloned().collect();
        absent(sources.is_empty())?;
        self.star(&sources, how)
    }

    fn captured_column(&mut self, column: &str) {
        if let Some(innermost) = self.captures.last_mut() {
            innermost.insert(column.to_owned());
        }
    }

    /// A column reference of one to four parts.
    pub(super) fn column(&mut self, parts: &[String], how: Use) -> Result {
        self.spend(self.frames.iter().map(|frame| frame.sources.len()).sum())?;
        let found = match parts {
            [name] => scope::resolve(&self.frames, name),
            [qualifier, name] => scope::resolve_qualified(&self.frames, None, qualifier, name)
                .unwrap_or_else(|| unresolved(&names::part(qualifier), name)),
            [.., schema, qualifier, name] => {
                scope::resolve_qualified(&self.frames, Some(schema), qualifier, name).unwrap_or_else(|| {
                    unresolved(&format!("{}.{}", names::part(schema), names::part(qualifier)), name)
                })
            }
            [] => Found::default(),
        };
        self.note(&found, how)
    }

    fn note(&mut self, found: &Found, how: Use) -> Result {
        self.spend(found.columns.len() + found.derived_row.len())?;
        let through = how == Use::Through;
        for column in &found.columns {
            self.facts.read(column, through);
            self.captured_column(column);
        }
        for object in &found.rows {
            self.row_of(object, true);
        }
        for column in &found.derived_row {
            self.facts.transform(column);
            self.captured_column(column);
        }
        self.opaque |= found.opaque;
        if found.opaque && (through || !found.derived_row.is_empty()) {
            self.facts.transform_all();
        }
        Ok(())
    }

    /// Bounds the work that names can make: columns times tables, outputs of outputs.
    pub(super) fn spend(&mut self, steps: usize) -> Result {
        self.steps = self.steps.saturating_add(steps);
        absent(self.steps > STEPS_MAX)
    }

    /// The whole row of an object.
    pub(super) fn row_of(&mut self, object: &str, through: bool) {
        let any = names::any_column(object);
        self.facts.whole_row(object, &any, through);
        self.captured_column(&any);
    }

    /// `*` over these sources.
    pub(super) fn star(&mut self, sources: &[Source], how: Use) -> Result<Outputs> {
        let mut outputs = Outputs::default();
        for source in sources {
            match &source.origin {
                Origin::Object(object) => {
                    self.row_of(object, how == Use::Through);
                    if source.renamed.is_empty() {
                        outputs.stars.insert(object.clone());
                    } else {
                        outputs.columns.push((None, Columns::from([names::any_column(object)])));
                    }
                }
                Origin::Derived(derived) => {
                    self.spend(derived.size())?;
                    self.opaque |= derived.opaque;
                    for column in derived.all() {
                        if how == Use::Through {
                            self.facts.transform(&column);
                        }
                        self.captured_column(&column);
                    }
                    if derived.opaque && how == Use::Through {
                        self.facts.transform_all();
                    }
                    outputs.extend(&if source.renamed.is_empty() {
                        derived.clone()
                    } else {
                        derived.nameless()
                    });
                }
            }
            absent(outputs.columns.len() > OUTPUTS_MAX)?;
        }
        Ok(outputs)
    }

    /// `qualifier.*`: the sources that it names; where there is none, the qualifier is taken for an object.
    pub(super) fn star_of(&mut self, parts: &[String], how: Use) -> Result<Outputs> {
        let source = match parts {
            [name] => scope::source(&self.frames, None, name),
            [.., schema, name] => scope::source(&self.frames, Some(schema), name),
            [] => None,
        };
        if let Some(source) = source.cloned() {
            return self.star(&[source], how);
        }
        // A composite column, or an error: in either case its own columns are read as a whole.
        self.column(parts, Use::Through)?;
        Ok(Outputs::default())
    }

    /// A called function, and what calling it does. `constant` gives the literal of an argument where it is one.
    pub(super) fn call(&mut self, name: &[String], constant: impl Fn(usize) -> Option<String>) -> Result {
        self.facts.function(names::object(name).ok_or(NotUnderstood)?);
        self.acts(name, constant)
    }

    /// What calling a function or procedure of this name does.
    pub(super) fn acts(&mut self, name: &[String], constant: impl Fn(usize) -> Option<String>) -> Result {
        let last = name.last().ok_or(NotUnderstood)?;
        for act in functions::acts(last) {
            match *act {
                Act::Has(effect) => self.facts.effect(effect),
                Act::Does(verb) => self.facts.verb(verb),
                Act::Sets => self.named_by(Verb::Set, constant(0), |facts, name| {
                    facts.access(Verb::Set, &name.to_ascii_lowercase());
                    Some(())
                }),
                Act::Notifies => self.named_by(Verb::Call, constant(0), |facts, name| {
                    facts.access(Verb::Call, &names::part(name));
                    Some(())
                }),
                Act::Touches(verb, index) => self.named_by(verb, constant(index), |facts, name| {
                    facts.touch(verb, &names::object(&names::in_literal(name)?)?);
                    Some(())
                }),
            }
        }
        Ok(())
    }

    /// Notes what an argument names; where it is no plain literal, what it names is not known.
    fn named_by(
        &mut self,
        verb: Verb,
        literal: Option<String>,
        note: impl FnOnce(&mut Builder, &str) -> Option<()>,
    ) {
        self.facts.literals_matter();
        let noted = literal.filter(|it| !it.contains('\\')).and_then(|name| note(self.facts, &name));
        if noted.is_none() {
            self.facts.verb(verb);
            self.facts.effect(Effect::DynamicSql);
        }
    }
}

fn unresolved(object: &str, name: &str) -> Found {
    Found { columns: Columns::from([names::column(object, name)]), ..Found::default() }
}

/// The parts of a name.
pub(super) fn parts(name: &ObjectName) -> Result<Vec<String>> {
    name.0
        .iter()
        .map(|part| match part {
            ObjectNamePart::Identifier(ident) => text(ident),
            ObjectNamePart::Function(_) => Err(NotUnderstood),
        })
        .collect()
}

/// An object's name as facts write it.
pub(super) fn object(name: &ObjectName) -> Result<String> {
    names::object(&parts(name)?).ok_or(NotUnderstood)
}

/// Identifiers as strings.
pub(super) fn values(idents: &[Ident]) -> Result<Vec<String>> {
    idents.iter().map(text).collect()
}

/// An identifier as a string. A reserved word without quotes is never a name in PostgreSQL: where the parser takes one
/// for a name, it reads the statement otherwise than the target does (`SELECT pan and FROM cards`: there, `and` is a
/// label).
pub(super) fn text(ident: &Ident) -> Result<String> {
    match ident.quote_style {
        None => absent(keywords::class(&ident.value) == Some(Class::Reserved))?,
        Some('"') => {}
        // Other databases take a string for a name: `FROM 'cards'`.
        Some(_) => return Err(NotUnderstood),
    }
    Ok(ident.value.clone())
}
