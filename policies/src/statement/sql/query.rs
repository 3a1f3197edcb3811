//! SELECT, VALUES, TABLE, WITH, set operations, FROM: what they read, and what they give out.
use super::super::Verb;
use super::names;
use super::reader::{Cte, NotUnderstood, OUTPUTS_MAX, Reader, Result, absent, parts, text, values};
use super::scope::{Frame, Outputs, Use};
use sqlparser::ast::{
    Cte as CteTree, Distinct, Expr, Fetch, GroupByExpr, GroupByWithModifier, LimitClause, NamedWindowExpr,
    OrderBy, OrderByExpr, OrderByKind, OrderBySort, Query, Select, SelectItem,
    SelectItemQualifiedWildcardKind, SetExpr, Statement, TableAlias, WildcardAdditionalOptions, With,
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

    /// Expressions, all used alike.
    pub(super) fn exprs<'e>(&mut self, list: impl IntoIterator<Item = &'e Expr>, how: Use) -> Result {
        list.into_iter().try_for_each(|expr| self.expr(expr, how))
    }
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

/// The name of an output without alias, where it is sure.
fn output_name(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Identifier(name) => Some(name.value.clone()),
        Expr::CompoundIdentifier(names) => names.last().map(|name| name.value.clone()),
        _ => None,
    }
}
