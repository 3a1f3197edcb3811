//! A server's own functions that compute a value and do nothing else, or whose facts name what they do. Every other
//! function may do anything (a body is not in the statement), so an allow rule must name it. PostgreSQL's are listed here,
//! MySQL's where statements are read: there they decide what a name means.

use crate::name;
use crate::statement::Dialect;
use crate::statement::functions::mysql;

/// By theme; each name stands once.
const HARMLESS: &[(&str, &str)] = &[
    (
        "aggregates and windows",
        "any_value array_agg avg bit_and bit_or bit_xor bool_and bool_or corr count covar_pop covar_samp \
         cume_dist dense_rank every first_value grouping json_agg json_agg_strict json_object_agg \
         json_object_agg_strict json_object_agg_unique jsonb_agg jsonb_agg_strict jsonb_object_agg \
         jsonb_object_agg_strict lag last_value lead max min mode nth_value ntile percent_rank \
         percentile_cont percentile_disc range_agg range_intersect_agg rank regr_avgx regr_avgy regr_count \
         regr_intercept regr_r2 regr_slope regr_sxx regr_sxy regr_syy row_number stddev stddev_pop \
         stddev_samp string_agg sum var_pop var_samp variance xmlagg",
    ),
    (
        "numbers",
        "abs acos acosd acosh asin asind asinh atan atan2 atan2d atand atanh bit_count cbrt ceil ceiling \
         coalesce cos cosd cosh cot cotd degrees div erf erfc exp factorial float4 float8 floor gcd get_bit \
         get_byte greatest int2 int4 int8 lcm least ln log log10 min_scale mod nullif numeric numeric_inc \
         pi pow power radians random random_normal round scale set_bit set_byte setseed sign sin sind sinh \
         sqrt tan tand tanh to_bin to_hex to_number to_oct trim_scale trunc width_bucket",
    ),
    (
        "texts and bytes",
        "ascii bit_length bpchar btrim casefold char_length character_length chr concat concat_ws convert \
         convert_from convert_to crc32 crc32c decode encode format initcap is_normalized left length like \
         lower lpad ltrim md5 name normalize notlike octet_length overlay parse_ident position quote_ident \
         quote_literal quote_nullable regexp_count regexp_instr regexp_like regexp_match regexp_matches \
         regexp_replace regexp_split_to_array regexp_split_to_table regexp_substr repeat replace reverse \
         right rpad rtrim sha224 sha256 sha384 sha512 similar_escape similar_to_escape split_part \
         starts_with string_to_array string_to_table strpos substr substring text to_ascii translate trim \
         unistr upper varchar",
    ),
    (
        "dates and times",
        "age clock_timestamp current_date current_time current_timestamp date date_add date_bin date_part \
         date_subtract date_trunc extract interval isfinite justify_days justify_hours justify_interval \
         localtime localtimestamp make_date make_interval make_time make_timestamp make_timestamptz now \
         overlaps statement_timestamp time timeofday timestamp timestamptz timetz timezone to_char to_date \
         to_timestamp transaction_timestamp",
    ),
    (
        "arrays, ranges, rows",
        "array_append array_cat array_dims array_fill array_length array_lower array_ndims array_position \
         array_positions array_prepend array_remove array_replace array_reverse array_sample array_shuffle \
         array_sort array_to_string array_upper cardinality datemultirange daterange enum_first enum_last \
         enum_range generate_series generate_subscripts int4multirange int4range int8multirange int8range \
         isempty lower_inc lower_inf multirange num_nonnulls num_nulls nummultirange numrange range_merge \
         row trim_array tsmultirange tsrange tstzmultirange tstzrange unnest upper_inc upper_inf",
    ),
    (
        "json and xml",
        "array_to_json json_array json_array_elements json_array_elements_text json_array_length \
         json_build_array json_build_object json_each json_each_text json_exists json_extract_path \
         json_extract_path_text json_object json_object_keys json_populate_record json_populate_recordset \
         json_query json_scalar json_serialize json_strip_nulls json_table json_to_record json_to_recordset \
         json_typeof json_value jsonb_array_elements jsonb_array_elements_text jsonb_array_length \
         jsonb_build_array jsonb_build_object jsonb_each jsonb_each_text jsonb_extract_path \
         jsonb_extract_path_text jsonb_insert jsonb_object jsonb_object_keys jsonb_path_exists \
         jsonb_path_exists_tz jsonb_path_match jsonb_path_match_tz jsonb_path_query jsonb_path_query_array \
         jsonb_path_query_array_tz jsonb_path_query_first jsonb_path_query_first_tz jsonb_path_query_tz \
         jsonb_populate_record jsonb_populate_record_valid jsonb_populate_recordset jsonb_pretty jsonb_set \
         jsonb_set_lax jsonb_strip_nulls jsonb_to_record jsonb_to_recordset jsonb_typeof row_to_json \
         to_json to_jsonb xml_is_well_formed xml_is_well_formed_content xml_is_well_formed_document \
         xmlcomment xmlconcat xmlelement xmlexists xmlforest xmlparse xmlpi xmlroot xmlserialize xmltable \
         xmltext xpath xpath_exists",
    ),
    (
        "text search",
        "array_to_tsvector get_current_ts_config json_to_tsvector jsonb_to_tsvector numnode \
         phraseto_tsquery plainto_tsquery querytree setweight strip to_tsquery to_tsvector ts_debug \
         ts_delete ts_filter ts_headline ts_lexize ts_rank ts_rank_cd tsquery_phrase tsvector_to_array \
         websearch_to_tsquery",
    ),
    (
        "networks, shapes, uuids",
        "abbrev area box broadcast center cidr circle diagonal diameter family gen_random_uuid height host \
         hostmask inet_merge inet_same_family isclosed isopen line lseg macaddr8_set7bit masklen netmask \
         network npoints path pclose point polygon popen radius set_masklen slope uuid_extract_timestamp \
         uuid_extract_version uuidv4 uuidv7 width",
    ),
    (
        "sequences, settings, channels: their facts name what they touch",
        "currval lastval nextval pg_notify set_config setval",
    ),
    (
        "the session and the catalog",
        "col_description current_catalog current_database current_query current_role current_schema \
         current_schemas current_setting current_user format_type getdatabaseencoding \
         has_any_column_privilege has_column_privilege has_database_privilege \
         has_foreign_data_wrapper_privilege has_function_privilege has_language_privilege \
         has_parameter_privilege has_schema_privilege has_sequence_privilege has_server_privilege \
         has_table_privilege has_tablespace_privilege has_type_privilege inet_client_addr inet_client_port \
         inet_server_addr inet_server_port obj_description pg_backend_pid pg_char_to_encoding \
         pg_client_encoding pg_collation_for pg_collation_is_visible pg_column_compression pg_column_size \
         pg_conf_load_time pg_conversion_is_visible pg_current_snapshot pg_current_xact_id \
         pg_current_xact_id_if_assigned pg_database_size pg_describe_object pg_encoding_to_char \
         pg_function_is_visible pg_get_constraintdef pg_get_expr pg_get_function_arguments \
         pg_get_function_identity_arguments pg_get_function_result pg_get_indexdef pg_get_keywords \
         pg_get_partition_constraintdef pg_get_partkeydef pg_get_ruledef pg_get_serial_sequence \
         pg_get_statisticsobjdef pg_get_triggerdef pg_get_userbyid pg_get_viewdef pg_has_role \
         pg_identify_object pg_index_column_has_property pg_index_has_property pg_indexam_has_property \
         pg_indexes_size pg_input_error_info pg_input_is_valid pg_is_in_recovery pg_is_other_temp_schema \
         pg_jit_available pg_last_wal_receive_lsn pg_last_wal_replay_lsn pg_last_xact_replay_timestamp \
         pg_my_temp_schema pg_opclass_is_visible pg_operator_is_visible pg_opfamily_is_visible \
         pg_options_to_table pg_partition_ancestors pg_partition_root pg_partition_tree \
         pg_postmaster_start_time pg_relation_filenode pg_relation_size pg_safe_snapshot_blocking_pids \
         pg_size_bytes pg_size_pretty pg_snapshot_xmax pg_snapshot_xmin pg_statistics_obj_is_visible \
         pg_table_is_visible pg_table_size pg_tablespace_location pg_tablespace_size pg_timezone_abbrevs \
         pg_timezone_names pg_total_relation_size pg_trigger_depth pg_ts_config_is_visible \
         pg_ts_dict_is_visible pg_ts_parser_is_visible pg_ts_template_is_visible pg_type_is_visible \
         pg_typeof pg_visible_in_snapshot pg_xact_commit_timestamp pg_xact_status row_security_active \
         session_user shobj_description system_user to_regclass to_regcollation to_regnamespace to_regoper \
         to_regoperator to_regproc to_regprocedure to_regrole to_regtype txid_current \
         txid_current_if_assigned txid_current_snapshot txid_status user version",
    ),
];

/// Whether calling this function needs no rule's word. MySQL's own stand without a database. PostgreSQL looks in `pg_catalog` first, so an unqualified name is
/// that one, unless a function of the same name fits its arguments better; who may make such functions may do worse.
pub(crate) fn is_harmless(function: &str, dialect: Dialect) -> bool {
    let (schema, function) = name::split(function);
    if dialect == Dialect::Mysql {
        return schema.is_none() && mysql::is_harmless(function);
    }
    let is_operator =
        || !function.is_empty() && function.bytes().all(|byte| b"+-*/<>=~!@#%^&|`?".contains(&byte));
    matches!(schema, None | Some("pg_catalog")) && (is_operator() || is_listed(function))
}

fn is_listed(function: &str) -> bool {
    HARMLESS.iter().any(|(_, names)| names.split(' ').any(|name| name == function))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn harmless_is_what_is_listed_in_the_catalog_and_operators() {
        for function in ["lower", "pg_catalog.lower", "count", "pg_catalog.+", "<->"] {
            assert!(is_harmless(function, Dialect::Postgres), "{function}");
        }
        for function in
            ["public.lower", "lower2", "", "pg_sleep", "pg_read_file", "a.b.lower", "public.+", " "]
        {
            assert!(!is_harmless(function, Dialect::Postgres), "{function}");
        }
        assert!(is_harmless("lower", Dialect::Mysql) && is_harmless("ifnull", Dialect::Mysql));
        for function in ["shop.lower", "load_file", "sleep", "sys_exec", "pg_catalog.lower", "+"] {
            assert!(!is_harmless(function, Dialect::Mysql), "{function}");
        }
    }

    #[test]
    fn each_name_stands_once() {
        let mut seen = std::collections::BTreeSet::new();
        for name in HARMLESS.iter().flat_map(|(_, names)| names.split(' ')) {
            assert!(seen.insert(name) && !name.is_empty(), "{name}");
        }
    }
}
