//! Expressions: the columns, functions, queries and literals within them.
use super::super::Verb;
use super::forms;
use super::names;
use super::reader::{NotUnderstood, Reader, Result, absent, parts, text as plain, values};
use super::scope::Use;
use sqlparser::ast::{
    AccessExpr, Array, ArrayElemTypeDef, BinaryOperator, CaseWhen, DataType, DateTimeField, Expr, Function,
    FunctionArg, FunctionArgExpr, FunctionArgumentClause, FunctionArguments, Ident, InTarget, Interval,
    ObjectName, ObjectNamePart, Subscript, TypedString, UnaryOperator, Value, WindowFrame, WindowFrameBound,
    WindowSpec, WindowType,
};

/// What an operand is used for, where the whole is used as `how`.
fn operand(op: &BinaryOperator, how: Use) -> Use {
    match (op, how) {
        (
            BinaryOperator::And | BinaryOperator::Or | BinaryOperator::Eq | BinaryOperator::NotEq,
            Use::Filter,
        ) => Use::Filter,
        _ => Use::Through,
    }
}

/// A condition keeps a filter a filter; anything else is computed.
fn condition(how: Use) -> Use {
    if how == Use::Filter { Use::Filter } else { Use::Through }
}

impl Reader<'_> {
    /// An expression at any place.
    pub(super) fn expr(&mut self, expr: &Expr, how: Use) -> Result {
        self.deeper(|it| it.spine(expr, how))
    }

    /// Operators lean to the left, as do casts and the like: walked in a loop, however long.
    fn spine(&mut self, mut expr: &Expr, mut how: Use) -> Result {
        loop {
            match expr {
                Expr::BinaryOp { left, op, right } => {
                    how = operand(op, how);
                    self.expr(right, how)?;
                    expr = left;
                }
                Expr::Nested(inner) => expr = inner,
                Expr::Cast { kind: _, expr: inner, data_type, format } => {
                    absent(format.is_some())?;
                    self.typed(data_type, || constant(inner))?;
                    how = Use::Through;
                    expr = inner;
                }
                Expr::IsNull(inner)
                | Expr::IsNotNull(inner)
                | Expr::IsTrue(inner)
                | Expr::IsNotTrue(inner)
                | Expr::IsFalse(inner)
                | Expr::IsNotFalse(inner)
                | Expr::IsUnknown(inner)
                | Expr::IsNotUnknown(inner) => {
                    how = condition(how);
                    expr = inner;
                }
                Expr::UnaryOp { op, expr: inner } => {
                    how = if *op == UnaryOperator::Not { condition(how) } else { Use::Through };
                    expr = inner;
                }
                Expr::Collate { expr: inner, collation } => {
                    parts(collation)?;
                    expr = inner;
                }
                Expr::AtTimeZone { timestamp, time_zone } => {
                    self.expr(time_zone, Use::Through)?;
                    how = Use::Through;
                    expr = timestamp;
                }
                Expr::IsNormalized { expr: inner, .. } | Expr::IsJson { expr: inner, .. } => {
                    how = Use::Through;
                    expr = inner;
                }
                other => return self.leaf(other, how),
            }
        }
    }

    fn leaf(&mut self, expr: &Expr, how: Use) -> Result {
        match expr {
            Expr::Identifier(name) => self.identifier(name, how),
            Expr::CompoundIdentifier(names) => {
                absent(names.len() > 4)?;
                self.column(&values(names)?, how)
            }
            Expr::Value(value) => literal(&value.value),
            Expr::Function(function) => self.function(function),
            Expr::Subquery(query) => self.query(query, how).map(|_| ()),
            Expr::Exists { subquery, negated: _ } => self.query(subquery, Use::Filter).map(|_| ()),
            Expr::In { .. } | Expr::Between { .. } | Expr::AnyOp { .. } | Expr::AllOp { .. } => {
                self.comparison(expr, how)
            }
            Expr::IsDistinctFrom(left, right) | Expr::IsNotDistinctFrom(left, right) => {
                self.exprs([&**left, &**right], condition(how))
            }
            Expr::Like { .. } | Expr::ILike { .. } | Expr::SimilarTo { .. } => self.pattern(expr),
            Expr::Tuple(list) => self.exprs(list, condition(how)),
            Expr::GroupingSets(lists) | Expr::Cube(lists) | Expr::Rollup(lists) => {
                lists.iter().try_for_each(|list| self.exprs(list, Use::Filter))
            }
            Expr::Array(Array { elem, named: _ }) => self.exprs(elem, Use::Through),
            Expr::QualifiedWildcard(name, _) => self.star_of(&parts(name)?, how).map(|_| ()),
            Expr::Wildcard(_) => Ok(()),
            Expr::CompoundFieldAccess { root, access_chain } => self.access(root, access_chain),
            Expr::TypedString(TypedString { data_type, value, uses_odbc_syntax }) => {
                absent(*uses_odbc_syntax)?;
                self.typed(data_type, || text(&value.value))
            }
            Expr::Interval(Interval { value, .. }) => self.expr(value, Use::Through),
            _ => self.special(expr),
        }
    }

    fn identifier(&mut self, name: &Ident, how: Use) -> Result {
        if name.quote_style.is_none() && name.value == "default" {
            return Ok(());
        }
        if name.quote_style.is_none() && VALUE_FUNCTIONS.contains(&name.value.as_str()) {
            self.facts.function(name.value.clone());
            return Ok(());
        }
        self.column(&[plain(name)?], how)
    }

    /// Functions with a syntax of their own.
    fn special(&mut self, expr: &Expr) -> Result {
        let (name, operands): (&str, Vec<&Expr>) = match expr {
            Expr::Extract { field, syntax: _, expr } => {
                if let DateTimeField::Custom(name) | DateTimeField::Week(Some(name)) = field {
                    plain(name)?;
                }
                ("extract", vec![&**expr])
            }
            Expr::Position { expr, r#in } => ("position", vec![&**expr, &**r#in]),
            Expr::Substring { expr, substring_from, substring_for, .. } => {
                let rest = substring_from.iter().chain(substring_for).map(|it| &**it);
                ("substring", std::iter::once(&**expr).chain(rest).collect())
            }
            Expr::Trim { trim_where: _, trim_what, expr, trim_characters } => {
                let rest = trim_what.iter().map(|it| &**it).chain(trim_characters.iter().flatten());
                ("trim", std::iter::once(&**expr).chain(rest).collect())
            }
            Expr::Overlay { expr, overlay_what, overlay_from, overlay_for } => {
                let rest =
                    [&**overlay_what, &**overlay_from].into_iter().chain(overlay_for.iter().map(|it| &**it));
                ("overlay", std::iter::once(&**expr).chain(rest).collect())
            }
            Expr::Case { case_token: _, end_token: _, operand, conditions, else_result } => {
                for CaseWhen { condition, result } in conditions {
                    self.exprs([condition, result], Use::Through)?;
                }
                return self.exprs(operand.iter().chain(else_result).map(|it| &**it), Use::Through);
            }
            _ => return Err(NotUnderstood),
        };
        self.facts.function(name.to_owned());
        self.exprs(operands, Use::Through)
    }

    fn comparison(&mut self, expr: &Expr, how: Use) -> Result {
        let how = condition(how);
        match expr {
            Expr::In { expr, target, negated: _, global } => {
                absent(*global)?;
                self.expr(expr, how)?;
                match target {
                    InTarget::List(list) => self.exprs(list, how),
                    InTarget::Subquery(query) => self.query(query, how).map(|_| ()),
                    _ => Err(NotUnderstood),
                }
            }
            // An order tells more than equality does, value by value.
            Expr::Between { expr, negated: _, low, high } => {
                self.exprs([&**expr, &**low, &**high], Use::Through)
            }
            Expr::AnyOp { left, compare_op, right, is_some: _ } | Expr::AllOp { left, compare_op, right } => {
                let how = operand(compare_op, how);
                self.exprs([&**left, &**right], how)
            }
            _ => Err(NotUnderstood),
        }
    }

    fn pattern(&mut self, expr: &Expr) -> Result {
        match expr {
            Expr::Like { negated: _, any: _, expr, pattern, escape_char }
            | Expr::ILike { negated: _, any: _, expr, pattern, escape_char }
            | Expr::SimilarTo { negated: _, expr, pattern, escape_char } => {
                let operands = [&**expr, &**pattern].into_iter().chain(escape_char.as_deref());
                self.exprs(operands, Use::Through)
            }
            _ => Err(NotUnderstood),
        }
    }

    /// `a[1]`, `(row).field`, `(row).*`.
    fn access(&mut self, root: &Expr, chain: &[AccessExpr]) -> Result {
        let mut rest = chain;
        if let Expr::Identifier(name) = root {
            // `table.column[1]`: names up to the first subscript are one reference.
            let mut path = vec![plain(name)?];
            while let [AccessExpr::Dot(Expr::Identifier(name)), behind @ ..] = rest {
                path.push(plain(name)?);
                rest = behind;
            }
            absent(path.len() > 4)?;
            self.column(&path, Use::Through)?;
        } else {
            self.expr(root, Use::Through)?;
        }
        for access in rest {
            match access {
                AccessExpr::Dot(Expr::Identifier(name)) => {
                    plain(name)?;
                }
                AccessExpr::Dot(Expr::Wildcard(_)) => {}
                // `row.function()`, and what else may stand behind a dot.
                AccessExpr::Dot(_) => return Err(NotUnderstood),
                AccessExpr::Subscript(Subscript::Index { index }) => self.expr(index, Use::Through)?,
                AccessExpr::Subscript(Subscript::Slice { lower_bound, upper_bound, stride }) => {
                    absent(stride.is_some())?;
                    self.exprs(lower_bound.iter().chain(upper_bound), Use::Through)?;
                }
            }
        }
        Ok(())
    }

    fn function(&mut self, function: &Function) -> Result {
        let Function {
            name,
            uses_odbc_syntax,
            parameters,
            args,
            within_group,
            filter,
            null_treatment: _,
            over,
        } = function;
        absent(*uses_odbc_syntax || !matches!(parameters, FunctionArguments::None))?;
        let unquoted =
            matches!(name.0.as_slice(), [ObjectNamePart::Identifier(it)] if it.quote_style.is_none());
        let name = called(name)?;
        match args {
            FunctionArguments::None => self.call(&name, |_| None)?,
            // ARRAY(SELECT …) is an expression; f(SELECT …) is not PostgreSQL's.
            FunctionArguments::Subquery(query) => {
                absent(!unquoted || name != ["array"])?;
                self.query(query, Use::Through)?;
            }
            FunctionArguments::List(list) => {
                // GROUPING SETS groups by what it holds; no text can call a function by this name.
                let groups = name == [forms::GROUPS];
                self.arguments(&list.args, if groups { Use::Filter } else { Use::Through })?;
                for clause in &list.clauses {
                    match clause {
                        FunctionArgumentClause::OrderBy(order) => self.order(order, Use::Through)?,
                        _ => return Err(NotUnderstood),
                    }
                }
                // ROW(…) is an expression; "row"(…) is a function.
                let row = unquoted && name == ["row"];
                if !row && !groups && name != [forms::COMPUTES] {
                    self.call(&name, |index| constant_argument(&list.args, index))?;
                }
            }
        }
        self.order(within_group, Use::Through)?;
        self.exprs(filter.iter().map(|it| &**it), Use::Filter)?;
        match over {
            Some(WindowType::WindowSpec(window)) => self.window(window),
            Some(WindowType::NamedWindow(name)) => plain(name).map(|_| ()),
            None => Ok(()),
        }
    }

    /// A function's arguments.
    pub(super) fn arguments(&mut self, args: &[FunctionArg], how: Use) -> Result {
        for arg in args {
            let arg = match arg {
                FunctionArg::Unnamed(arg) => arg,
                FunctionArg::Named { name, arg, operator: _ } => {
                    plain(name)?;
                    arg
                }
                FunctionArg::ExprNamed { name: Expr::Identifier(name), arg, operator: _ } => {
                    plain(name)?;
                    arg
                }
                FunctionArg::ExprNamed { .. } => return Err(NotUnderstood),
            };
            match arg {
                FunctionArgExpr::Expr(expr) => self.expr(expr, how)?,
                FunctionArgExpr::QualifiedWildcard(name) => {
                    self.star_of(&parts(name)?, how)?;
                }
                FunctionArgExpr::Wildcard => {}
                FunctionArgExpr::WildcardWithOptions(_) => return Err(NotUnderstood),
            }
        }
        Ok(())
    }

    /// A window's definition.
    pub(super) fn window(&mut self, window: &WindowSpec) -> Result {
        let WindowSpec { window_name, partition_by, order_by, window_frame } = window;
        window_name.as_ref().map(plain).transpose()?;
        self.exprs(partition_by, Use::Filter)?;
        self.order(order_by, Use::Filter)?;
        let Some(WindowFrame { units: _, start_bound, end_bound }) = window_frame else { return Ok(()) };
        for bound in std::iter::once(start_bound).chain(end_bound) {
            match bound {
                WindowFrameBound::CurrentRow => {}
                WindowFrameBound::Preceding(expr) | WindowFrameBound::Following(expr) => {
                    self.exprs(expr.iter().map(|it| &**it), Use::Through)?;
                }
            }
        }
        Ok(())
    }

    /// A cast. `'cards'::regclass` looks the object up.
    fn typed(&mut self, data_type: &DataType, literal: impl FnOnce() -> Option<String>) -> Result {
        if self.data_type(data_type)?.is_some_and(|name| name == "regclass") {
            self.facts.literals_matter();
            let object =
                literal().and_then(|text| names::in_literal(&text)).and_then(|parts| names::object(&parts));
            if let Some(object) = object {
                self.facts.touch(Verb::Select, &object);
            }
        }
        Ok(())
    }

    /// A type: its last name where it is not built into the grammar. Refuses types that PostgreSQL does not have.
    pub(super) fn data_type(&mut self, data_type: &DataType) -> Result<Option<String>> {
        match data_type {
            DataType::Custom(name, _) => Ok(parts(name)?.pop()),
            DataType::Regclass => Ok(Some("regclass".to_owned())),
            DataType::Array(
                ArrayElemTypeDef::SquareBracket(element, _) | ArrayElemTypeDef::Qualified(element, _),
            ) => self.data_type(element),
            DataType::Character(_)
            | DataType::Char(_)
            | DataType::CharacterVarying(_)
            | DataType::CharVarying(_)
            | DataType::Varchar(_)
            | DataType::Nvarchar(_)
            | DataType::Numeric(_)
            | DataType::Decimal(_)
            | DataType::Dec(_)
            | DataType::Float(_)
            | DataType::SmallInt(_)
            | DataType::Int(_)
            | DataType::Integer(_)
            | DataType::BigInt(_)
            | DataType::Real
            | DataType::DoublePrecision
            | DataType::Boolean
            | DataType::Time(_, _)
            | DataType::Timestamp(_, _)
            | DataType::Interval { .. }
            | DataType::JSON
            | DataType::Text
            | DataType::Bit(_)
            | DataType::BitVarying(_) => Ok(None),
            _ => Err(NotUnderstood),
        }
    }
}

/// Functions that are called without parentheses, by words that are reserved.
pub(super) const VALUE_FUNCTIONS: &[&str] = &[
    "current_catalog",
    "current_date",
    "current_role",
    "current_time",
    "current_timestamp",
    "current_user",
    "localtime",
    "localtimestamp",
    "session_user",
    "system_user",
    "user",
];

/// A function's name. ARRAY stands before a query.
fn called(name: &ObjectName) -> Result<Vec<String>> {
    match name.0.as_slice() {
        [ObjectNamePart::Identifier(ident)]
            if VALUE_FUNCTIONS.contains(&ident.value.as_str()) || ident.value == "array" =>
        {
            Ok(vec![ident.value.clone()])
        }
        _ => parts(name),
    }
}

fn literal(value: &Value) -> Result {
    match value {
        Value::Number(_, _)
        | Value::SingleQuotedString(_)
        | Value::HexStringLiteral(_)
        | Value::Boolean(_)
        | Value::Null
        | Value::Placeholder(_) => Ok(()),
        _ => Err(NotUnderstood),
    }
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::SingleQuotedString(text) if !text.contains('\\') => Some(text.clone()),
        _ => None,
    }
}

/// The text of an expression that is a plain string, cast or not.
fn constant(mut expr: &Expr) -> Option<String> {
    loop {
        match expr {
            Expr::Value(value) | Expr::TypedString(TypedString { value, .. }) => return text(&value.value),
            Expr::Nested(inner) | Expr::Cast { expr: inner, .. } => expr = inner,
            _ => return None,
        }
    }
}

/// The text of the argument at `index`, where it is a plain string and no argument has a name.
pub(super) fn constant_argument(args: &[FunctionArg], index: usize) -> Option<String> {
    let plain = args.iter().all(|arg| matches!(arg, FunctionArg::Unnamed(_)));
    match args.get(index) {
        Some(FunctionArg::Unnamed(FunctionArgExpr::Expr(expr))) if plain => constant(expr),
        _ => None,
    }
}
