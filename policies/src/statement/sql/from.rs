//! FROM: tables, joins, subqueries and functions, and the tables that statements change.
use super::super::Verb;
use super::forms;
use super::names;
use super::reader::{NotUnderstood, Reader, Result, absent, object, parts, text};
use super::scope::{Frame, Origin, Outputs, Source, Use};
use sqlparser::ast::{
    FunctionArg, Join, JoinConstraint, JoinOperator, JsonTableColumn, Query, TableAlias, TableFactor,
    TableSample, TableSampleKind, TableSampleModifier, TableWithJoins, XmlTableColumnOption,
};

impl Reader<'_> {
    /// FROM, USING of DELETE: its elements come into the innermost frame one after the other.
    pub(super) fn from(&mut self, list: &[TableWithJoins]) -> Result {
        list.iter().try_for_each(|element| self.joined(element))
    }

    fn joined(&mut self, element: &TableWithJoins) -> Result {
        let TableWithJoins { relation, joins } = element;
        self.factor(relation)?;
        for Join { relation, global, join_operator } in joins {
            absent(*global)?;
            self.factor(relation)?;
            match join_operator {
                JoinOperator::Join(constraint)
                | JoinOperator::Inner(constraint)
                | JoinOperator::Left(constraint)
                | JoinOperator::LeftOuter(constraint)
                | JoinOperator::Right(constraint)
                | JoinOperator::RightOuter(constraint)
                | JoinOperator::FullOuter(constraint)
                | JoinOperator::CrossJoin(constraint) => self.constraint(constraint)?,
                _ => return Err(NotUnderstood),
            }
        }
        Ok(())
    }

    fn constraint(&mut self, constraint: &JoinConstraint) -> Result {
        match constraint {
            JoinConstraint::None => Ok(()),
            JoinConstraint::On(expr) => self.expr(expr, Use::Filter),
            JoinConstraint::Using(columns) | JoinConstraint::UsingAlias(columns, _) => {
                for column in columns {
                    let parts = parts(column)?;
                    if let (Some(frame), Some(name)) = (self.frames.last_mut(), parts.last()) {
                        frame.merged.push(name.clone());
                    }
                    self.column(&parts, Use::Filter)?;
                }
                if let JoinConstraint::UsingAlias(_, alias) = constraint {
                    // The alias stands for the merged columns, of any of the sources.
                    let all = self.all_sources();
                    self.source(Some(text(alias)?), vec![], Origin::Derived(all));
                }
                Ok(())
            }
            JoinConstraint::Natural => {
                let sources = self.frames.last().map(|frame| frame.sources.clone()).unwrap_or_default();
                self.star(&sources, Use::Filter)?;
                if let Some(frame) = self.frames.last_mut() {
                    frame.natural = true;
                }
                Ok(())
            }
        }
    }

    /// Everything that the innermost frame holds, its names forgotten.
    fn all_sources(&self) -> Outputs {
        let mut all = Outputs::default();
        for source in self.frames.last().map(|frame| frame.sources.as_slice()).unwrap_or_default() {
            match &source.origin {
                Origin::Object(object) => {
                    all.stars.insert(object.clone());
                }
                Origin::Derived(outputs) => all.extend(outputs),
            }
        }
        all.nameless()
    }

    fn source(&mut self, name: Option<String>, renamed: Vec<String>, origin: Origin) {
        if let Some(frame) = self.frames.last_mut() {
            frame.sources.push(Source { name: name.unwrap_or_default(), schema: None, origin, renamed });
        }
    }

    /// A table, view or WITH query of this name, read.
    pub(super) fn relation(&mut self, parts: &[String], alias: Option<&TableAlias>) -> Result<Source> {
        let (last, schema) = match parts {
            [name] => (name, None),
            [.., schema, name] => (name, Some(schema.clone())),
            [] => return Err(NotUnderstood),
        };
        let cte = match parts {
            [name] => self.ctes.iter().rev().find(|cte| cte.name == *name),
            _ => None,
        };
        let origin = match cte {
            Some(cte) => {
                let outputs = cte.outputs.clone();
                self.spend(outputs.size())?;
                Origin::Derived(outputs)
            }
            None => {
                let object = names::object(parts).ok_or(NotUnderstood)?;
                self.facts.touch(Verb::Select, &object);
                Origin::Object(object)
            }
        };
        let (name, renamed) = match alias {
            Some(alias) => named(alias)?,
            None => (last.clone(), vec![]),
        };
        Ok(Source { name, schema: if alias.is_some() { None } else { schema }, origin, renamed })
    }

    /// One element of FROM.
    pub(super) fn factor(&mut self, factor: &TableFactor) -> Result {
        self.deeper(|it| match factor {
            TableFactor::Table { .. } => it.table(factor),
            TableFactor::Derived { lateral, subquery, alias, sample } => {
                absent(sample.is_some())?;
                it.derived(*lateral, subquery, alias.as_ref())
            }
            TableFactor::Function { lateral: _, name, args, with_ordinality: _, alias } => {
                let name = parts(name)?;
                it.table_function(alias.as_ref(), |it| it.called(&name, args))
            }
            TableFactor::UNNEST {
                alias,
                array_exprs,
                with_offset,
                with_offset_alias,
                with_ordinality: _,
            } => {
                absent(*with_offset || with_offset_alias.is_some())?;
                it.facts.function("unnest".to_owned());
                it.table_function(alias.as_ref(), |it| it.exprs(array_exprs, Use::Through))
            }
            TableFactor::NestedJoin { table_with_joins, alias } => {
                it.nested_join(table_with_joins, alias.as_ref())
            }
            TableFactor::JsonTable { json_expr, json_path: _, columns, alias } => {
                it.facts.function("json_table".to_owned());
                columns.iter().try_for_each(json_column)?;
                it.table_function(alias.as_ref(), |it| it.expr(json_expr, Use::Through))
            }
            TableFactor::XmlTable { namespaces, row_expression, passing, columns, alias } => {
                it.facts.function("xmltable".to_owned());
                it.table_function(alias.as_ref(), |it| {
                    for namespace in namespaces {
                        it.expr(&namespace.uri, Use::Through)?;
                    }
                    it.expr(row_expression, Use::Through)?;
                    for argument in &passing.arguments {
                        absent(argument.alias.is_some())?;
                        it.expr(&argument.expr, Use::Through)?;
                    }
                    for column in columns {
                        if let XmlTableColumnOption::NamedInfo { r#type, path, default, nullable: _ } =
                            &column.option
                        {
                            it.data_type(r#type)?;
                            it.exprs(path.iter().chain(default), Use::Through)?;
                        }
                    }
                    Ok(())
                })
            }
            _ => Err(NotUnderstood),
        })
    }

    fn table(&mut self, factor: &TableFactor) -> Result {
        let TableFactor::Table {
            name,
            alias,
            args,
            with_hints,
            version,
            with_ordinality: _,
            partitions,
            json_path,
            sample,
            index_directives,
            inheritance: _,
        } = factor
        else {
            return Err(NotUnderstood);
        };
        absent(!with_hints.is_empty() || version.is_some() || !partitions.is_empty() || json_path.is_some())?;
        absent(!index_directives.is_empty())?;
        let parts = parts(name)?;
        if let Some(args) = args {
            absent(args.settings.is_some() || sample.is_some())?;
            return self.table_function(alias.as_ref(), |it| it.called(&parts, &args.args));
        }
        let source = self.relation(&parts, alias.as_ref())?;
        if let Some(frame) = self.frames.last_mut() {
            frame.sources.push(source);
        }
        match sample {
            None => Ok(()),
            Some(TableSampleKind::BeforeTableAlias(_)) => Err(NotUnderstood),
            Some(TableSampleKind::AfterTableAlias(sample)) => self.sample(sample),
        }
    }

    fn sample(&mut self, sample: &TableSample) -> Result {
        let TableSample { modifier, name: _, quantity, seed: _, bucket, offset } = sample;
        absent(*modifier != TableSampleModifier::TableSample || bucket.is_some() || offset.is_some())?;
        match quantity {
            Some(quantity) => {
                absent(quantity.unit.is_some())?;
                self.expr(&quantity.value, Use::Through)
            }
            None => Ok(()),
        }
    }

    fn derived(&mut self, lateral: bool, subquery: &Query, alias: Option<&TableAlias>) -> Result {
        // Without LATERAL it does not see its neighbours.
        let neighbours = if lateral { None } else { self.frames.pop() };
        let outputs = self.query(subquery, Use::Output);
        self.frames.extend(neighbours);
        let (name, renamed) = alias.map(named).transpose()?.unwrap_or_default();
        self.source(Some(name), renamed, Origin::Derived(outputs?));
        Ok(())
    }

    fn nested_join(&mut self, inner: &TableWithJoins, alias: Option<&TableAlias>) -> Result {
        let Some(alias) = alias else { return self.joined(inner) };
        let (name, renamed) = named(alias)?;
        // What is inside is seen by its own conditions, and outside under the alias alone.
        let all = self.framed(Frame::default(), |it| {
            it.joined(inner)?;
            Ok(it.all_sources())
        })?;
        self.source(Some(name), renamed, Origin::Derived(all));
        Ok(())
    }

    /// A function in FROM: what it gives out is computed from all that its arguments read.
    fn table_function(
        &mut self,
        alias: Option<&TableAlias>,
        read: impl FnOnce(&mut Self) -> Result,
    ) -> Result {
        let ((), columns) = self.captured(read)?;
        let (name, renamed) = alias.map(named).transpose()?.unwrap_or_default();
        self.source(Some(name), renamed, Origin::Derived(Outputs::of(columns)));
        Ok(())
    }

    fn called(&mut self, name: &[String], args: &[FunctionArg]) -> Result {
        self.arguments(args, Use::Through)?;
        if name == [forms::COMPUTES] {
            return Ok(());
        }
        self.call(name, |index| super::expression::constant_argument(args, index))
    }

    /// A table that a statement changes: never a WITH query.
    pub(super) fn target(&mut self, factor: &TableFactor) -> Result<(String, Source)> {
        let TableFactor::Table {
            name,
            alias,
            args,
            with_hints,
            version,
            with_ordinality,
            partitions,
            json_path,
            sample,
            index_directives,
            inheritance: _,
        } = factor
        else {
            return Err(NotUnderstood);
        };
        absent(args.is_some() || !with_hints.is_empty() || version.is_some() || *with_ordinality)?;
        absent(
            !partitions.is_empty() || json_path.is_some() || sample.is_some() || !index_directives.is_empty(),
        )?;
        let object = object(name)?;
        let parts = parts(name)?;
        let (name, renamed) = match alias {
            Some(alias) => named(alias)?,
            None => (parts.last().cloned().unwrap_or_default(), vec![]),
        };
        let schema = if alias.is_some() { None } else { parts.iter().rev().nth(1).cloned() };
        let source = Source { name, schema, origin: Origin::Object(object.clone()), renamed };
        Ok((object, source))
    }
}

fn named(alias: &TableAlias) -> Result<(String, Vec<String>)> {
    let TableAlias { explicit: _, name, columns, at } = alias;
    absent(at.is_some())?;
    Ok((text(name)?, columns.iter().map(|column| text(&column.name)).collect::<Result<_>>()?))
}

fn json_column(column: &JsonTableColumn) -> Result {
    match column {
        JsonTableColumn::Named(_) | JsonTableColumn::ForOrdinality(_) => Ok(()),
        JsonTableColumn::Nested(nested) => nested.columns.iter().try_for_each(json_column),
    }
}
