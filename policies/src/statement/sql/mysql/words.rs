//! Words of MySQL and MariaDB that mean something by themselves (`sql/lex.h`, `sql_yacc.yy` of both), each list sorted.

/// Is this word, without quotes, a name nowhere on either server?
pub(super) fn is_reserved(word: &str) -> bool {
    RESERVED.binary_search(&word).is_ok()
}

/// May this word, without quotes, be an alias that no AS stands before? Words that begin a clause on one of the servers
/// may not.
pub(super) fn may_be_alias(word: &str) -> bool {
    !is_reserved(word) && !CLAUSES.contains(&word)
}

/// A character set by which a string may be introduced.
pub(super) fn is_charset(name: &str) -> bool {
    CHARSETS.contains(&name)
}

/// A unit of INTERVAL, EXTRACT and the like.
pub(super) fn is_unit(word: &str) -> bool {
    UNITS.contains(&word) || word.strip_prefix("sql_tsi_").is_some_and(|unit| UNITS.contains(&unit))
}

/// A function without parentheses.
pub(super) fn is_value_function(word: &str) -> bool {
    VALUE_FUNCTIONS.contains(&word)
}

/// Does the lexer know this function only where its parenthesis follows directly (`sql_functions` in `lex.h`)? With a
/// space between, the name is one of the database's own functions.
pub(super) fn needs_tight_call(word: &str) -> bool {
    TIGHT.contains(&word)
}

#[rustfmt::skip]
const RESERVED: &[&str] = &[
    "accessible", "add", "all", "alter", "analyze", "and", "as", "asc", "asensitive", "before", "between",
    "bigint", "binary", "blob", "both", "by", "call", "cascade", "case", "change", "char", "character", "check",
    "collate", "column", "condition", "constraint", "continue", "convert", "create", "cross", "current_date",
    "current_time", "current_timestamp", "current_user", "cursor", "database", "databases", "day_hour",
    "day_microsecond", "day_minute", "day_second", "dec", "decimal", "declare", "default", "delayed", "delete",
    "desc", "describe", "deterministic", "distinct", "distinctrow", "div", "double", "drop", "dual", "each",
    "else", "elseif", "enclosed", "escaped", "except", "exists", "exit", "explain", "false", "fetch", "float",
    "float4", "float8", "for", "force", "foreign", "from", "fulltext", "grant", "group", "having",
    "high_priority", "hour_microsecond", "hour_minute", "hour_second", "if", "ignore", "in", "index", "infile",
    "inner", "inout", "insensitive", "insert", "int", "int1", "int2", "int3", "int4", "int8", "integer",
    "intersect", "interval", "into", "is", "iterate", "join", "key", "keys", "kill", "leading", "leave", "left",
    "like", "limit", "linear", "lines", "load", "localtime", "localtimestamp", "lock", "long", "longblob",
    "longtext", "loop", "low_priority", "match", "mediumblob", "mediumint", "mediumtext", "middleint",
    "minute_microsecond", "minute_second", "mod", "modifies", "natural", "no_write_to_binlog", "not", "null",
    "numeric", "on", "optimize", "option", "optionally", "or", "order", "out", "outer", "outfile", "over",
    "partition", "precision", "primary", "procedure", "purge", "range", "read", "read_write", "reads", "real",
    "recursive", "references", "regexp", "release", "rename", "repeat", "replace", "require", "resignal",
    "restrict", "return", "revoke", "right", "rlike", "schema", "schemas", "second_microsecond", "select",
    "sensitive", "separator", "set", "show", "signal", "smallint", "spatial", "specific", "sql",
    "sql_big_result", "sql_calc_found_rows", "sql_small_result", "sqlexception", "sqlstate", "sqlwarning", "ssl",
    "starting", "straight_join", "table", "terminated", "then", "tinyblob", "tinyint", "tinytext", "to",
    "trailing", "trigger", "true", "undo", "union", "unique", "unlock", "unsigned", "update", "usage", "use",
    "using", "utc_date", "utc_time", "utc_timestamp", "values", "varbinary", "varchar", "varcharacter",
    "varying", "when", "where", "while", "window", "with", "write", "xor", "year_month", "zerofill",
];

/// Reserved on one server, or the beginning of a clause where an alias may stand.
const CLAUSES: &[&str] = &[
    "array",
    "cube",
    "empty",
    "end",
    "escape",
    "function",
    "grouping",
    "groups",
    "json_table",
    "lateral",
    "member",
    "minus",
    "of",
    "offset",
    "page_checksum",
    "qualify",
    "returning",
    "row",
    "row_number",
    "rows",
    "skip",
    "sounds",
    "system",
    "tablesample",
    "versioning",
];

const CHARSETS: &[&str] = &[
    "armscii8", "ascii", "big5", "binary", "cp1250", "cp1251", "cp1256", "cp1257", "cp850", "cp852", "cp866",
    "cp932", "dec8", "eucjpms", "euckr", "gb18030", "gb2312", "gbk", "geostd8", "greek", "hebrew", "hp8",
    "keybcs2", "koi8r", "koi8u", "latin1", "latin2", "latin5", "latin7", "macce", "macroman", "sjis", "swe7",
    "tis620", "ucs2", "ujis", "utf16", "utf16le", "utf32", "utf8", "utf8mb3", "utf8mb4",
];

const UNITS: &[&str] = &[
    "day",
    "day_hour",
    "day_microsecond",
    "day_minute",
    "day_second",
    "hour",
    "hour_microsecond",
    "hour_minute",
    "hour_second",
    "microsecond",
    "minute",
    "minute_microsecond",
    "minute_second",
    "month",
    "quarter",
    "second",
    "second_microsecond",
    "week",
    "year",
    "year_month",
];

const VALUE_FUNCTIONS: &[&str] = &[
    "current_date",
    "current_time",
    "current_timestamp",
    "current_user",
    "localtime",
    "localtimestamp",
    "utc_date",
    "utc_time",
    "utc_timestamp",
];

const TIGHT: &[&str] = &[
    "adddate",
    "bit_and",
    "bit_or",
    "bit_xor",
    "cast",
    "count",
    "curdate",
    "curtime",
    "date_add",
    "date_sub",
    "extract",
    "group_concat",
    "json_arrayagg",
    "json_objectagg",
    "max",
    "median",
    "mid",
    "min",
    "now",
    "percentile_cont",
    "percentile_disc",
    "position",
    "session_user",
    "st_collect",
    "std",
    "stddev",
    "stddev_pop",
    "stddev_samp",
    "subdate",
    "substr",
    "substring",
    "sum",
    "sysdate",
    "system_user",
    "trim",
    "var_pop",
    "var_samp",
    "variance",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lists_are_sorted() {
        for list in [RESERVED, CLAUSES, CHARSETS, UNITS, VALUE_FUNCTIONS, TIGHT] {
            assert!(list.is_sorted());
        }
        assert!(is_reserved("select") && !is_reserved("name"));
        assert!(may_be_alias("name") && !may_be_alias("lateral"));
        assert!(is_unit("sql_tsi_day") && is_unit("week"));
    }
}
