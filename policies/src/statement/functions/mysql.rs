//! Functions of MySQL and MariaDB that are the server's own. Called without their database, these names mean no stored
//! function: the parser looks for its own functions first. One that only one of the two servers has may be a stored
//! function on the other; who may make such there decides what it does. POINT, POLYGON and the like are not here: with
//! another number of arguments than theirs, they mean a stored function.
use super::super::{Effect, Verb};
use super::Act::{self, Does, Has};

/// Compute a value and do nothing else. By theme; each name stands once.
const HARMLESS: &[(&str, &str)] = &[
    (
        "aggregates and windows",
        "any_value avg bit_and bit_or bit_xor count cube cume_dist dense_rank first_value group_concat grouping \
         json_arrayagg json_objectagg lag last_value lead max median min nth_value ntile percent_rank \
         percentile_cont percentile_disc rank rollup row_number st_collect std stddev stddev_pop stddev_samp sum \
         var_pop var_samp variance",
    ),
    (
        "numbers and conditions",
        "abs acos asin atan atan2 bit_count ceil ceiling coalesce conv cos cot crc32 crc32c decode_oracle default \
         degrees div exp field floor format format_pico_time greatest if ifnull interval isnull least ln log log10 \
         log2 mod natural_sort_key nullif nvl nvl2 oct pi pow power radians rand round sign sin sqrt tan to_number \
         truncate value values",
    ),
    (
        "texts and bytes",
        "ascii bin bin_to_uuid bit_length cast char char_length character_length charset chr coercibility \
         collation compress concat concat_operator_oracle concat_ws convert elt export_set find_in_set \
         from_base64 hex insert instr kdf lcase left length lengthb locate lower lpad ltrim make_set match md5 \
         mid octet_length ord position quote random_bytes regexp_instr regexp_like regexp_replace regexp_substr \
         repeat replace reverse right rpad rtrim sformat sha sha1 sha2 soundex space statement_digest \
         statement_digest_text strcmp substr substring substring_index to_base64 to_char trim trim_oracle ucase \
         uncompress uncompressed_length unhex upper uuid uuid_short uuid_to_bin uuid_v4 uuid_v7 is_uuid \
         validate_password_strength weight_string sys_guid",
    ),
    (
        "keys and passwords",
        "aes_decrypt aes_encrypt decode des_decrypt des_encrypt encode encrypt old_password password",
    ),
    (
        "dates and times",
        "add_months adddate addtime convert_tz curdate current_date current_time current_timestamp curtime date \
         date_add date_format date_sub datediff day dayname dayofmonth dayofweek dayofyear extract from_days \
         from_unixtime get_format hour last_day localtime localtimestamp makedate maketime microsecond minute \
         month monthname months_between now period_add period_diff quarter sec_to_time second str_to_date subdate \
         subtime sysdate time time_format time_to_sec timediff timestamp timestampadd timestampdiff to_days \
         to_seconds trunc unix_timestamp utc_date utc_time utc_timestamp week weekday weekofyear year yearweek",
    ),
    (
        "json, xml, columns within columns",
        "column_add column_check column_create column_delete column_exists column_get column_json column_list \
         extractvalue json_array json_array_append json_array_insert json_array_intersect json_compact \
         json_contains json_contains_path json_depth json_detailed json_equals json_exists json_extract \
         json_insert json_key_value json_keys json_length json_loose json_merge json_merge_patch \
         json_merge_preserve json_normalize json_object json_object_filter_keys json_object_to_array \
         json_overlaps json_pretty json_query json_quote json_remove json_replace json_schema_valid \
         json_schema_validation_report json_search json_set json_storage_free json_storage_size json_table \
         json_type json_unquote json_valid json_value updatexml",
    ),
    (
        "networks and vectors",
        "inet6_aton inet6_ntoa inet_aton inet_ntoa is_ipv4 is_ipv4_compat is_ipv4_mapped is_ipv6 \
         string_to_vector vec_distance vec_distance_cosine vec_distance_euclidean vec_fromtext vec_totext \
         vector_dim vector_to_string",
    ),
    (
        "shapes",
        "asbinary astext aswkb aswkt boundary buffer centroid contains convexhull crosses dimension disjoint \
         endpoint envelope equals exteriorring geomcollfromtext geomcollfromwkb \
         geometrycollectionfromtext geometrycollectionfromwkb geometryfromtext geometryfromwkb geometryn \
         geometrytype geomfromtext geomfromwkb glength interiorringn intersects isclosed isempty isring issimple \
         linefromtext linefromwkb linestringfromtext linestringfromwkb mbrcontains mbrcoveredby \
         mbrcovers mbrdisjoint mbrequal mbrequals mbrintersects mbroverlaps mbrtouches mbrwithin mlinefromtext \
         mlinefromwkb mpointfromtext mpointfromwkb mpolyfromtext mpolyfromwkb \
         multilinestringfromtext multilinestringfromwkb multipointfromtext multipointfromwkb \
         multipolygonfromtext multipolygonfromwkb numgeometries numinteriorrings numpoints overlaps \
         pointfromtext pointfromwkb pointn pointonsurface polyfromtext polyfromwkb polygonfromtext \
         polygonfromwkb srid st_area st_asbinary st_asgeojson st_astext st_aswkb st_aswkt st_boundary st_buffer \
         st_buffer_strategy st_centroid st_contains st_convexhull st_crosses st_difference st_dimension \
         st_disjoint st_distance st_distance_sphere st_endpoint st_envelope st_equals st_exteriorring \
         st_frechetdistance st_geohash st_geomcollfromtext st_geomcollfromwkb st_geometrycollectionfromtext \
         st_geometrycollectionfromwkb st_geometryfromtext st_geometryfromwkb st_geometryn st_geometrytype \
         st_geomfromgeojson st_geomfromtext st_geomfromwkb st_hausdorffdistance st_interiorringn st_intersection \
         st_intersects st_isclosed st_isempty st_isring st_issimple st_isvalid st_latfromgeohash st_latitude \
         st_length st_linefromtext st_linefromwkb st_lineinterpolatepoint st_lineinterpolatepoints \
         st_linestringfromtext st_linestringfromwkb st_longfromgeohash st_longitude st_makeenvelope \
         st_mlinefromtext st_mlinefromwkb st_mpointfromtext st_mpointfromwkb st_mpolyfromtext st_mpolyfromwkb \
         st_multilinestringfromtext st_multilinestringfromwkb st_multipointfromtext st_multipointfromwkb \
         st_multipolygonfromtext st_multipolygonfromwkb st_numgeometries st_numinteriorring st_numinteriorrings \
         st_numpoints st_overlaps st_pointatdistance st_pointfromgeohash st_pointfromtext st_pointfromwkb \
         st_pointn st_pointonsurface st_polyfromtext st_polyfromwkb st_polygonfromtext st_polygonfromwkb st_relate \
         st_simplify st_srid st_startpoint st_swapxy st_symdifference st_touches st_transform st_union \
         st_validate st_within st_x st_y startpoint touches within x y",
    ),
    (
        "the session and the server, told",
        "binlog_gtid_pos connection_id current_role current_user database found_rows icu_version \
         is_free_lock is_used_lock last_insert_id ps_current_thread_id ps_thread_id \
         row_count rownum schema session_user system_user user version wsrep_last_seen_gtid \
         wsrep_last_written_gtid gtid_subset gtid_subtract format_bytes \
        ",
    ),
];

/// What calling others of the server's own adds, and why. They are no harmless ones: a rule must name them.
const TABLE: &[(&[&str], &[Act], &str)] = &[
    (&["load_file"], &[Has(Effect::ReadsFile)], "reads a file of the server"),
    (&["nextval", "lastval", "setval"], &[], "sequences: what they touch stands in the facts"),
    (&["sleep", "benchmark"], &[], "hold the session up"),
    (&["get_lock", "release_lock", "release_all_locks"], &[], "wait for other sessions, and make them wait"),
    (
        &[
            "master_pos_wait",
            "master_gtid_wait",
            "source_pos_wait",
            "wait_for_executed_gtid_set",
            "wait_until_sql_thread_after_gtids",
            "wsrep_sync_wait_upto_gtid",
        ],
        &[Does(Verb::Admin)],
        "wait for replication",
    ),
    (&["name_const"], &[], "names a constant"),
];

/// Does this name, without a database, mean a function of the server's own?
pub(crate) fn is_native(name: &str) -> bool {
    is_harmless(name) || TABLE.iter().any(|(names, _, _)| names.contains(&name))
}

/// Does it compute a value and do nothing else?
pub(crate) fn is_harmless(name: &str) -> bool {
    HARMLESS.iter().any(|(_, names)| names.split_ascii_whitespace().any(|own| own == name))
}

/// What calling the function of this folded name adds.
pub(crate) fn acts(name: &str) -> &'static [Act] {
    TABLE.iter().find(|(names, _, _)| names.contains(&name)).map_or(&[], |(_, acts, _)| acts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_folded_and_stands_once() {
        let mut seen = std::collections::BTreeSet::new();
        let harmless = HARMLESS.iter().flat_map(|(_, names)| names.split_ascii_whitespace());
        for name in harmless.chain(TABLE.iter().flat_map(|(names, _, _)| names.iter().copied())) {
            assert!(seen.insert(name), "{name} stands twice");
            assert_eq!(name, name.to_ascii_lowercase());
        }
        assert!(is_native("lower") && is_native("sleep") && !is_native("sys_exec"));
        assert!(!is_harmless("load_file") && !is_harmless("sleep"));
    }
}
