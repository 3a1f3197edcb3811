//! INSERT, UPDATE, DELETE and MERGE: what they change, where from, and what they give back.
use super::super::{Effect, Verb};
use super::forms::NAMELESS;
use super::names;
use super::reader::{NotUnderstood, Reader, Result, absent, object, parts, text};
use super::rewrite::CURRENT_OF;
use super::scope::{Frame, Origin, Outputs, Source, Use};
use sqlparser::ast::{
    Assignment, AssignmentTarget, ConflictTarget, Delete, DoUpdate, Expr, FromTable, Insert, Merge,
    MergeAction, MergeClause, MergeInsertExpr, MergeInsertKind, MergeUpdateExpr, MergeUpdateKind, OnConflict,
    OnConflictAction, OnInsert, OutputClause, SelectItem, TableObject, Update, UpdateTableFromKind, Value,
};

impl Reader<'_> {
    pub(super) fn insert(&mut self, insert: &Insert) -> Result<Outputs> {
        let Insert {
            insert_token: _,
            optimizer_hints,
            or,
            ignore,
            into,
            table,
            table_alias,
            columns,
            by_name,
            overwrite,
            source,
            assignments,
            partitioned,
            after_columns,
            overriding: _,
            has_table_keyword,
            on,
            returning,
            output,
            replace_into,
            priority,
            insert_alias,
            settings,
            format_clause,
            multi_table_insert_type,
            multi_table_into_clauses,
            multi_table_when_clauses,
            multi_table_else_clause,
        } = insert;
        absent(!optimizer_hints.is_empty() || or.is_some() || *ignore || !*into || *by_name || *overwrite)?;
        absent(
            !assignments.is_empty()
                || partitioned.is_some()
                || !after_columns.is_empty()
                || *has_table_keyword,
        )?;
        absent(output.is_some() || *replace_into || priority.is_some() || insert_alias.is_some())?;
        absent(settings.is_some() || format_clause.is_some() || multi_table_insert_type.is_some())?;
        absent(!multi_table_into_clauses.is_empty() || !multi_table_when_clauses.is_empty())?;
        absent(multi_table_else_clause.is_some())?;
        let TableObject::TableName(name) = table else { return Err(NotUnderstood) };
        let target = object(name)?;
        self.facts.touch(Verb::Insert, &target);
        if columns.is_empty() {
            self.facts.write(names::any_column(&target));
        }
        for column in columns {
            let parts = parts(column)?;
            let column = parts.first().ok_or(NotUnderstood)?;
            self.facts.write(names::column(&target, column));
        }
        if let Some(source) = source {
            self.query(source, Use::Output)?;
        }
        let parts = parts(name)?;
        let name = match table_alias {
            Some(alias) => text(&alias.alias)?,
            None => parts.last().cloned().unwrap_or_default(),
        };
        let schema = if table_alias.is_some() { None } else { parts.iter().rev().nth(1).cloned() };
        let target_source = own(name, schema, &target);
        match on {
            None => {}
            Some(OnInsert::OnConflict(conflict)) => self.on_conflict(conflict, &target, &target_source)?,
            Some(_) => return Err(NotUnderstood),
        }
        self.framed(Frame { sources: vec![target_source], ..Frame::default() }, |it| {
            it.returning(returning.as_deref(), &target)
        })
    }

    fn on_conflict(&mut self, conflict: &OnConflict, target: &str, source: &Source) -> Result {
        let OnConflict { conflict_target, action } = conflict;
        let excluded = own("excluded".to_owned(), None, target);
        let frame = |sources: Vec<Source>| Frame { sources, ..Frame::default() };
        self.framed(frame(vec![source.clone()]), |it| match conflict_target {
            Some(ConflictTarget::Columns { columns, predicate }) => {
                for column in columns.iter().filter(|it| it.value != NAMELESS) {
                    it.column(&[text(column)?], Use::Filter)?;
                }
                it.exprs(predicate, Use::Filter)
            }
            Some(ConflictTarget::OnConstraint(name)) => parts(name).map(|_| ()),
            None => Ok(()),
        })?;
        match action {
            OnConflictAction::DoNothing => Ok(()),
            OnConflictAction::DoUpdate(DoUpdate { assignments, selection }) => {
                self.facts.touch(Verb::Update, target);
                self.framed(frame(vec![source.clone(), excluded]), |it| {
                    it.assignments(assignments, target)?;
                    it.exprs(selection, Use::Filter)
                })
            }
        }
    }

    pub(super) fn update(&mut self, update: &Update) -> Result<Outputs> {
        let Update {
            update_token: _,
            optimizer_hints,
            table,
            on_cluster,
            assignments,
            from,
            selection,
            returning,
            output,
            or,
            order_by,
            limit,
            settings,
        } = update;
        absent(!optimizer_hints.is_empty() || on_cluster.is_some() || output.is_some() || or.is_some())?;
        absent(!order_by.is_empty() || limit.is_some() || settings.is_some() || !table.joins.is_empty())?;
        let (target, source) = self.target(&table.relation)?;
        self.facts.touch(Verb::Update, &target);
        self.framed(Frame { sources: vec![source], ..Frame::default() }, |it| {
            match from {
                None => {}
                Some(UpdateTableFromKind::AfterSet(list)) => it.from(list)?,
                Some(UpdateTableFromKind::BeforeSet(_)) => return Err(NotUnderstood),
            }
            it.assignments(assignments, &target)?;
            it.bounded_by(selection.as_ref())?;
            it.returning(returning.as_deref(), &target)
        })
    }

    pub(super) fn delete(&mut self, delete: &Delete) -> Result<Outputs> {
        let Delete {
            delete_token: _,
            optimizer_hints,
            tables,
            from,
            on_cluster,
            using,
            selection,
            returning,
            output,
            order_by,
            limit,
            settings,
        } = delete;
        absent(
            !optimizer_hints.is_empty() || !tables.is_empty() || on_cluster.is_some() || output.is_some(),
        )?;
        absent(!order_by.is_empty() || limit.is_some() || settings.is_some())?;
        let FromTable::WithFromKeyword(list) = from else { return Err(NotUnderstood) };
        let [table] = list.as_slice() else { return Err(NotUnderstood) };
        absent(!table.joins.is_empty())?;
        let (target, source) = self.target(&table.relation)?;
        self.facts.touch(Verb::Delete, &target);
        self.framed(Frame { sources: vec![source], ..Frame::default() }, |it| {
            if let Some(using) = using {
                it.from(using)?;
            }
            it.bounded_by(selection.as_ref())?;
            it.returning(returning.as_deref(), &target)
        })
    }

    pub(super) fn merge(&mut self, merge: &Merge) -> Result<Outputs> {
        let Merge { merge_token: _, optimizer_hints, into, table, source, on, clauses, output } = merge;
        absent(!optimizer_hints.is_empty() || !*into)?;
        let (target, target_source) = self.target(table)?;
        self.facts.touch(Verb::Merge, &target);
        self.framed(Frame::default(), |it| {
            it.factor(source)?;
            if let Some(frame) = it.frames.last_mut() {
                frame.sources.insert(0, target_source);
            }
            let ((), columns) = it.captured(|it| it.expr(on, Use::Filter))?;
            let bounded = !columns.is_empty();
            for clause in clauses {
                it.merge_clause(clause, &target, bounded)?;
            }
            match output {
                None => Ok(Outputs::default()),
                Some(OutputClause::Returning { returning_token: _, select_items }) => {
                    it.returning(Some(select_items), &target)
                }
                Some(OutputClause::Output { .. }) => Err(NotUnderstood),
            }
        })
    }

    fn merge_clause(&mut self, clause: &MergeClause, target: &str, bounded: bool) -> Result {
        let MergeClause { when_token: _, clause_kind: _, predicate, action } = clause;
        self.exprs(predicate, Use::Filter)?;
        match action {
            MergeAction::Insert(MergeInsertExpr { columns, kind, insert_predicate, .. }) => {
                absent(insert_predicate.is_some())?;
                self.facts.touch(Verb::Insert, target);
                if columns.is_empty() {
                    self.facts.write(names::any_column(target));
                }
                for column in columns {
                    let parts = parts(column)?;
                    self.facts.write(names::column(target, parts.first().ok_or(NotUnderstood)?));
                }
                match kind {
                    MergeInsertKind::Values(values) => {
                        values.rows.iter().try_for_each(|row| self.exprs(&row.content, Use::Output))
                    }
                    MergeInsertKind::Row | MergeInsertKind::Wildcard => Err(NotUnderstood),
                }
            }
            MergeAction::Update(MergeUpdateExpr {
                update_token: _,
                kind,
                update_predicate,
                delete_predicate,
            }) => {
                absent(update_predicate.is_some() || delete_predicate.is_some())?;
                self.changes(Verb::Update, target, bounded);
                match kind {
                    MergeUpdateKind::Set(assignments) => self.assignments(assignments, target),
                    MergeUpdateKind::Wildcard => Err(NotUnderstood),
                }
            }
            MergeAction::Delete { .. } => {
                self.changes(Verb::Delete, target, bounded);
                Ok(())
            }
            MergeAction::DoNothing { .. } => Ok(()),
        }
    }

    fn changes(&mut self, verb: Verb, target: &str, bounded: bool) {
        self.facts.touch(verb, target);
        if !bounded {
            self.facts.effect(Effect::Unbounded);
        }
    }

    fn assignments(&mut self, assignments: &[Assignment], target: &str) -> Result {
        for Assignment { target: column, value } in assignments {
            let names = match column {
                AssignmentTarget::ColumnName(name) => std::slice::from_ref(name),
                AssignmentTarget::Tuple(names) => names,
            };
            for name in names {
                // `SET column.field`: PostgreSQL knows no qualifier here.
                let parts = parts(name)?;
                self.facts.write(names::column(target, parts.first().ok_or(NotUnderstood)?));
            }
            self.expr(value, Use::Output)?;
        }
        Ok(())
    }

    /// WHERE of what changes rows. One that looks at no column picks none.
    fn bounded_by(&mut self, selection: Option<&Expr>) -> Result {
        let Some(selection) = selection else {
            self.facts.effect(Effect::Unbounded);
            return Ok(());
        };
        if let Expr::Value(value) = selection
            && value.value == Value::Placeholder(CURRENT_OF.to_owned())
        {
            return Ok(());
        }
        let ((), columns) = self.captured(|it| it.expr(selection, Use::Filter))?;
        if columns.is_empty() {
            self.facts.effect(Effect::Unbounded);
        }
        Ok(())
    }

    fn returning(&mut self, items: Option<&[SelectItem]>, target: &str) -> Result<Outputs> {
        let Some(items) = items else { return Ok(Outputs::default()) };
        self.facts.touch(Verb::Select, target);
        // Version 18: the rows as they were, and as they are. `*` is none of theirs.
        let mut before_and_after = vec![];
        for name in ["old", "new"] {
            before_and_after.push(own(name.to_owned(), None, target));
        }
        self.frames.insert(
            self.frames.len().saturating_sub(1),
            Frame { sources: before_and_after, ..Frame::default() },
        );
        let outputs = self.items(items, Use::Output);
        self.frames.remove(self.frames.len().saturating_sub(2));
        outputs
    }
}

/// The target as a source.
fn own(name: String, schema: Option<String>, object: &str) -> Source {
    Source { name, schema, origin: Origin::Object(object.to_owned()), renamed: vec![] }
}
