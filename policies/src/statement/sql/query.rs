//! SELECT, VALUES, TABLE, WITH, set operations, FROM: what they read, and what they give out.
use super::super::Verb;
use super::forms;
use super::names;
use super::reader::{Cte, NotUnderstood, OUTPUTS_MAX, Reader, Result, absent, object, parts, text, values};
use super::scope::{Frame, Origin, Outputs, Source, Use};
use sqlparser::ast::{
    Cte as CteTree, Distinct, Expr, Fetch, FunctionArg, GroupByExpr, GroupByWithModifier, Join,
    JoinConstraint, JoinOperator, JsonTableColumn, LimitClause, NamedWindowExpr, OrderBy, OrderByExpr,
    OrderByKind, OrderBySort, Query, Select, SelectItem, SelectItemQualifiedWildcardKind, SetExpr, Statement,
    TableAlias, TableFactor, TableSample, TableSampleKind, TableSampleModifier, TableWithJoins,
    WildcardAdditionalOptions, With, XmlTableColumnOption,
};

impl Reader<'_> {
    /// A query at any place. `how` tells what becomes of its rows.
    pub(super) fn query(&mut self, query: &Query, how: Use) -> Result<Outputs> {
        self.deeper(|it| {
            let ctes = it.ctes.len();
            let outputs = it.query_with(query, how);
            it.ctes.truncate(ctes);
            outputs
        })
    }

    fn query_with(&mut self, query: &Query, how: Use) -> Result<Outputs> {
        let Query {
            with,
            body,
            order_by: _,
            limit_clause: _,
            fetch: _,
            locks,
            for_clause,
            settings,
            format_clause,
            pipe_operators,
        } = query;
        absent(
            for_clause.is_some()
                || settings.is_some()
                || format_clause.is_some()
                || !pipe_operators.is_empty(),
        )?;
        // Locks name what stands in FROM.
        locks.iter().filter_map(|lock| lock.of.as_ref()).try_for_each(|name| parts(name).map(|_| ()))?;
        if let Some(with) = with {
            self.with(with)?;
        }
        match &**body {
            SetExpr::Select(select) => self.select(select, Some(query), how),
            body => {
                let outputs = self.body(body, how)?;
                self.framed(Frame::default(), |it| it.tail(query, &outputs))?;
                Ok(outputs)
            }
        }
    }

    /// ORDER BY, LIMIT, OFFSET, FETCH.
    fn tail(&mut self, query: &Query, outputs: &Outputs) -> Result {
        if let Some(order_by) = &query.order_by {
            let OrderBy { kind, interpolate } = order_by;
            absent(interpolate.is_some())?;
            match kind {
                OrderByKind::Expressions(list) => {
                    // A bare name is an output's before it is a column's.
                    let output =
                        |it: &&OrderByExpr| output_name(&it.expr).is_some_and(|name| outputs.has(&name));
                    for by in list.iter().filter(|it| !(matches!(it.expr, Expr::Identifier(_)) && output(it)))
                    {
                        self.order(std::slice::from_ref(by), Use::Filter)?;
                    }
                }
                OrderByKind::All(_) => return Err(NotUnderstood),
            }
        }
        match &query.limit_clause {
            None => {}
            Some(LimitClause::LimitOffset { limit, offset, limit_by }) => {
                absent(!limit_by.is_empty())?;
                for expr in limit.iter().chain(offset.as_ref().map(|offset| &offset.value)) {
                    self.expr(expr, Use::Through)?;
                }
            }
            Some(LimitClause::OffsetCommaLimit { .. }) => return Err(NotUnderstood),
        }
        if let Some(Fetch { with_ties: _, percent, quantity }) = &query.fetch {
            absent(*percent)?;
            self.exprs(quantity, Use::Through)?;
        }
        Ok(())
    }

    /// ORDER BY's list.
    pub(super) fn order(&mut self, list: &[OrderByExpr], how: Use) -> Result {
        for OrderByExpr { expr, options, with_fill } in list {
            absent(with_fill.is_some())?;
            if let Some(OrderBySort::Using(operator)) = &options.sort {
                parts(operator)?;
            }
            self.expr(expr, how)?;
        }
        Ok(())
    }

    /// WITH: each query sees those before it; under RECURSIVE all of them and itself.
    pub(super) fn with(&mut self, with: &With) -> Result {
        let With { with_token: _, recursive, cte_tables } = with;
        let first = self.ctes.len();
        if *recursive {
            let opaque = Outputs { opaque: true, ..Outputs::default() };
            let all = cte_tables
                .iter()
                .map(|cte| Cte { name: cte.alias.name.value.clone(), outputs: opaque.clone() });
            self.ctes.extend(all);
        }
        for (index, cte) in cte_tables.iter().enumerate() {
            let CteTree { alias, query, from, materialized: _, closing_paren_token: _ } = cte;
            let TableAlias { explicit: _, name, columns, at } = alias;
            absent(from.is_some() || at.is_some())?;
            let mut outputs = self.query(query, Use::Output)?;
            if !columns.is_empty() {
                outputs = outputs.nameless();
            }
            if *recursive {
                if let Some(known) = self.ctes.get_mut(first + index) {
                    known.outputs = outputs;
                }
            } else {
                self.ctes.push(Cte { name: text(name)?, outputs });
            }
        }
        Ok(())
    }

    fn body(&mut self, body: &SetExpr, how: Use) -> Result<Outputs> {
        // Set operations lean to the left: their left side is walked in a loop.
        let mut rights = Vec::new();
        let mut left = body;
        while let SetExpr::SetOperation { left: next, op: _, set_quantifier: _, right } = left {
            rights.push(&**right);
            left = next;
        }
        let mut outputs = self.deeper(|it| it.operand(left, how))?;
        for right in rights.into_iter().rev() {
            let other = self.deeper(|it| match right {
                SetExpr::SetOperation { .. } => it.body(right, how),
                operand => it.operand(operand, how),
            })?;
            self.spend(other.size())?;
            outputs.union(&other);
        }
        Ok(outputs)
    }

    fn operand(&mut self, body: &SetExpr, how: Use) -> Result<Outputs> {
        match body {
            SetExpr::Select(select) => self.select(select, None, how),
            SetExpr::Query(query) => self.query(query, how),
            SetExpr::Values(rows) => {
                let (_, columns) =
                    self.captured(|it| rows.rows.iter().try_for_each(|row| it.exprs(&row.content, how)))?;
                Ok(Outputs::of(columns))
            }
            SetExpr::Table(table) => {
                let parts: Vec<String> =
                    table.schema_name.iter().chain(&table.table_name).map(text).collect::<Result<_>>()?;
                let source = self.relation(&parts, None)?;
                self.star(&[source], how)
            }
            SetExpr::Insert(statement)
            | SetExpr::Update(statement)
            | SetExpr::Delete(statement)
            | SetExpr::Merge(statement) => self.change(statement),
            SetExpr::SetOperation { .. } => Err(NotUnderstood),
        }
    }

    fn change(&mut self, statement: &Statement) -> Result<Outputs> {
        match statement {
            Statement::Insert(insert) => self.insert(insert),
            Statement::Update(update) => self.update(update),
            Statement::Delete(delete) => self.delete(delete),
            Statement::Merge(merge) => self.merge(merge),
            _ => Err(NotUnderstood),
        }
    }

    fn select(&mut self, select: &Select, whole: Option<&Query>, how: Use) -> Result<Outputs> {
        self.plain_select(select)?;
        self.framed(Frame::default(), |it| {
            it.from(&select.from)?;
            it.clauses(select)?;
            let outputs = it.items(&select.projection, how)?;
            if let Some(query) = whole {
                it.tail(query, &outputs)?;
            }
            if let Some(into) = &select.into {
                for target in &into.targets {
                    let parts = match target {
                        Expr::Identifier(name) => vec![text(name)?],
                        Expr::CompoundIdentifier(names) => values(names)?,
                        _ => return Err(NotUnderstood),
                    };
                    let object = names::object(&parts).ok_or(NotUnderstood)?;
                    it.facts.touch(Verb::Ddl, &object);
                }
            }
            Ok(outputs)
        })
    }

    /// Refuses what PostgreSQL's SELECT does not have.
    fn plain_select(&mut self, select: &Select) -> Result {
        let Select {
            select_token: _,
            optimizer_hints,
            distinct: _,
            select_modifiers,
            top,
            top_before_distinct: _,
            projection: _,
            exclude,
            into: _,
            from: _,
            lateral_views,
            prewhere,
            selection: _,
            connect_by,
            group_by: _,
            cluster_by,
            distribute_by,
            sort_by,
            having: _,
            named_window: _,
            qualify,
            window_before_qualify: _,
            value_table_mode,
            flavor,
        } = select;
        absent(
            !optimizer_hints.is_empty() || select_modifiers.is_some() || top.is_some() || exclude.is_some(),
        )?;
        absent(
            !lateral_views.is_empty()
                || prewhere.is_some()
                || !connect_by.is_empty()
                || !cluster_by.is_empty(),
        )?;
        absent(
            !distribute_by.is_empty()
                || !sort_by.is_empty()
                || qualify.is_some()
                || value_table_mode.is_some(),
        )?;
        absent(*flavor != sqlparser::ast::SelectFlavor::Standard)
    }

    fn clauses(&mut self, select: &Select) -> Result {
        if let Some(Distinct::On(list)) = &select.distinct {
            self.exprs(list, Use::Filter)?;
        }
        self.exprs(&select.selection, Use::Filter)?;
        match &select.group_by {
            GroupByExpr::Expressions(list, modifiers) => {
                self.exprs(list, Use::Filter)?;
                for modifier in modifiers {
                    match modifier {
                        GroupByWithModifier::GroupingSets(sets) => self.expr(sets, Use::Filter)?,
                        _ => return Err(NotUnderstood),
                    }
                }
            }
            GroupByExpr::All(_) => return Err(NotUnderstood),
        }
        self.exprs(&select.having, Use::Filter)?;
        for window in &select.named_window {
            text(&window.0)?;
            match &window.1 {
                NamedWindowExpr::WindowSpec(window) => self.window(window)?,
                NamedWindowExpr::NamedWindow(_) => return Err(NotUnderstood),
            }
        }
        Ok(())
    }

    /// A list of outputs: of SELECT or RETURNING.
    pub(super) fn items(&mut self, items: &[SelectItem], how: Use) -> Result<Outputs> {
        let mut outputs = Outputs::default();
        for item in items {
            match item {
                SelectItem::UnnamedExpr(expr) => {
                    let ((), columns) = self.captured(|it| it.expr(expr, how))?;
                    outputs.columns.push((output_name(expr), columns));
                }
                SelectItem::ExprWithAlias { expr, alias } => {
                    let ((), columns) = self.captured(|it| it.expr(expr, how))?;
                    outputs.columns.push((Some(text(alias)?), columns));
                }
                SelectItem::Wildcard(options) => {
                    plain_star(options)?;
                    let sources = self.frames.last().map(|frame| frame.sources.clone()).unwrap_or_default();
                    let star = self.star(&sources, how)?;
                    outputs.extend(&star);
                }
                SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::ObjectName(name), options) => {
                    plain_star(options)?;
                    let star = self.star_of(&parts(name)?, how)?;
                    outputs.extend(&star);
                }
                SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::Expr(expr), options) => {
                    plain_star(options)?;
                    let ((), columns) = self.captured(|it| it.expr(expr, Use::Through))?;
                    outputs.columns.push((None, columns));
                }
                SelectItem::ExprWithAliases { .. } => return Err(NotUnderstood),
            }
            absent(outputs.columns.len() > OUTPUTS_MAX)?;
        }
        Ok(outputs)
    }

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

    /// Expressions, all used alike.
    pub(super) fn exprs<'e>(&mut self, list: impl IntoIterator<Item = &'e Expr>, how: Use) -> Result {
        list.into_iter().try_for_each(|expr| self.expr(expr, how))
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

fn plain_star(options: &WildcardAdditionalOptions) -> Result {
    let WildcardAdditionalOptions {
        wildcard_token: _,
        opt_ilike,
        opt_exclude,
        opt_except,
        opt_replace,
        opt_rename,
        opt_alias,
    } = options;
    absent(opt_ilike.is_some() || opt_exclude.is_some() || opt_except.is_some())?;
    absent(opt_replace.is_some() || opt_rename.is_some() || opt_alias.is_some())
}

fn json_column(column: &JsonTableColumn) -> Result {
    match column {
        JsonTableColumn::Named(_) | JsonTableColumn::ForOrdinality(_) => Ok(()),
        JsonTableColumn::Nested(nested) => nested.columns.iter().try_for_each(json_column),
    }
}

/// The name of an output without alias, where it is sure.
fn output_name(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Identifier(name) => Some(name.value.clone()),
        Expr::CompoundIdentifier(names) => names.last().map(|name| name.value.clone()),
        _ => None,
    }
}
