//! PostgreSQL's functions that do more than compute a value from their arguments: what calling each adds to a
//! statement's facts, and why. A name counts in whatever schema it is called: a function of the same name elsewhere is
//! taken for the dangerous one. What the target's own functions do is not known here; rules may name them.
pub(crate) mod mysql;

use super::{Effect, Verb};

/// What a call adds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Act {
    /// An effect.
    Has(Effect),
    /// A verb without object.
    Does(Verb),
    /// Sets the setting that the first argument names.
    Sets,
    /// Touches the object that the argument of this index names, as `regclass` reads it.
    Touches(Verb, usize),
    /// Notifies the channel that the first argument names.
    Notifies,
}

use Act::{Does, Has, Notifies, Sets, Touches};

const DYNAMIC: &[Act] = &[Has(Effect::DynamicSql)];
const ADMIN: &[Act] = &[Does(Verb::Admin)];
const READS_FILE: &[Act] = &[Does(Verb::Admin), Has(Effect::ReadsFile)];
const WRITES_FILE: &[Act] = &[Does(Verb::Admin), Has(Effect::WritesFile)];
const LARGE_OBJECT_READ: &[Act] = &[Has(Effect::DynamicSql)];
const LARGE_OBJECT_WRITE: &[Act] = &[Does(Verb::Update), Has(Effect::DynamicSql)];
const ADVANCES: &[Act] = &[Touches(Verb::Update, 0)];
const LOOKS: &[Act] = &[Touches(Verb::Select, 0)];
const PAGES: &[Act] = &[Has(Effect::DynamicSql), Does(Verb::Admin)];
const REMOTE: &[Act] = &[Has(Effect::DynamicSql), Does(Verb::Admin)];

/// Names, what they do, and why.
const TABLE: &[(&[&str], &[Act], &str)] = &[
    (&["set_config"], &[Sets], "SET as a function: role, search_path, session_authorization"),
    (&["nextval", "setval"], ADVANCES, "change a sequence"),
    (&["currval"], LOOKS, "reads a sequence"),
    (&["pg_notify"], &[Notifies], "hands its payload to other sessions"),
    (
        &["query_to_xml", "query_to_xmlschema", "query_to_xml_and_xmlschema"],
        DYNAMIC,
        "run the query that a string holds",
    ),
    (
        &[
            "table_to_xml",
            "table_to_xmlschema",
            "table_to_xml_and_xmlschema",
            "schema_to_xml",
            "schema_to_xmlschema",
            "schema_to_xml_and_xmlschema",
            "database_to_xml",
            "database_to_xmlschema",
            "database_to_xml_and_xmlschema",
            "cursor_to_xml",
            "cursor_to_xmlschema",
        ],
        DYNAMIC,
        "read tables or cursors that only their arguments name",
    ),
    (&["ts_stat", "ts_rewrite"], DYNAMIC, "run the query that a string holds"),
    (
        &["crosstab", "crosstab2", "crosstab3", "crosstab4", "crosstabn", "connectby"],
        DYNAMIC,
        "tablefunc: run a string",
    ),
    (&["xpath_table", "xslt_process"], DYNAMIC, "xml2: reads a table, a document, that only a string names"),
    (
        &["pg_execute", "pg_execute_sql", "execute", "exec", "exec_sql", "execute_sql", "eval", "run_sql"],
        DYNAMIC,
        "customary names of functions that run the SQL that a string holds",
    ),
    (
        &["spi_exec", "spi_query", "spi_prepare", "spi_exec_prepared", "dbms_sql_parse", "dbms_sql_execute"],
        DYNAMIC,
        "run a string",
    ),
    (
        &[
            "schedule",
            "schedule_in_database",
            "alter_job",
            "unschedule",
            "pg_background_launch",
            "add_job",
            "run_job",
        ],
        REMOTE,
        "pg_cron and the like: run a string later, out of sight",
    ),
    (
        &[
            "run_command_on_workers",
            "run_command_on_shards",
            "run_command_on_placements",
            "run_command_on_all_nodes",
            "run_command_on_colocated_placements",
            "run_command_on_coordinator",
            "master_run_on_worker",
            "distributed_exec",
        ],
        REMOTE,
        "run a string on other nodes",
    ),
    (
        &["postgres_fdw_disconnect", "postgres_fdw_disconnect_all", "postgres_fdw_get_connections"],
        ADMIN,
        "connections to other servers",
    ),
    (
        &[
            "http",
            "http_get",
            "http_post",
            "http_put",
            "http_delete",
            "http_patch",
            "http_head",
            "http_set_curlopt",
        ],
        REMOTE,
        "send what they are given over the network",
    ),
    (
        &["query_export_to_s3", "table_import_from_s3", "invoke", "export_query_to_file", "plsh", "system"],
        &[Has(Effect::DynamicSql), Has(Effect::WritesFile), Does(Verb::Admin)],
        "run a string and carry what it gives away",
    ),
    (
        &["lo_import"],
        &[Does(Verb::Insert), Does(Verb::Admin), Has(Effect::ReadsFile)],
        "reads a server's file",
    ),
    (&["lo_export"], &[Does(Verb::Admin), Has(Effect::WritesFile)], "writes a server's file"),
    (
        &[
            "lo_get",
            "lo_open",
            "lo_lseek",
            "lo_lseek64",
            "lo_tell",
            "lo_tell64",
            "loread",
            "lo_close",
            "lo_oid",
        ],
        LARGE_OBJECT_READ,
        "read a large object, which has no name that rules could see",
    ),
    (
        &[
            "lo_put",
            "lo_from_bytea",
            "lo_creat",
            "lo_create",
            "lo_truncate",
            "lo_truncate64",
            "lo_unlink",
            "lowrite",
            "lo_manage",
        ],
        LARGE_OBJECT_WRITE,
        "write a large object, which has no name that rules could see",
    ),
    (
        &[
            "pg_read_file",
            "pg_read_file_old",
            "pg_read_file_all",
            "pg_read_file_off_len",
            "pg_read_binary_file",
            "pg_read_binary_file_all",
            "pg_read_binary_file_off_len",
            "pg_ls_dir",
            "pg_ls_dir_1arg",
            "pg_ls_logdir",
            "pg_ls_waldir",
            "pg_ls_tmpdir",
            "pg_ls_archive_statusdir",
            "pg_ls_summariesdir",
            "pg_ls_logicalsnapdir",
            "pg_ls_logicalmapdir",
            "pg_ls_replslotdir",
            "pg_stat_file",
            "pg_stat_file_1arg",
            "pg_logdir_ls",
            "pg_hba_file_rules",
            "pg_ident_file_mappings",
            "pg_show_all_file_settings",
            "pg_current_logfile",
        ],
        READS_FILE,
        "read the server's files or folders",
    ),
    (
        &[
            "pg_file_write",
            "pg_file_sync",
            "pg_file_rename",
            "pg_file_unlink",
            "pg_file_read",
            "pg_file_length",
        ],
        WRITES_FILE,
        "adminpack: the server's files",
    ),
    (
        &[
            "get_raw_page",
            "heap_page_items",
            "heap_page_item_attrs",
            "bt_page_items",
            "bt_page_stats",
            "bt_multi_page_stats",
            "brin_page_items",
            "gin_leafpage_items",
            "gist_page_items",
            "gist_page_items_bytea",
            "hash_page_items",
            "tuple_data_split",
            "page_header",
            "pg_read_page",
            "pg_get_wal_records_info",
            "pg_get_wal_block_info",
            "pg_get_wal_fpi_info",
            "pgstattuple",
            "pgrowlocks",
            "pg_visibility",
            "heap_force_kill",
            "heap_force_freeze",
            "verify_heapam",
            "bt_index_check",
            "bt_index_parent_check",
        ],
        PAGES,
        "pageinspect, pg_walinspect and the like: a table's bytes behind its columns' back",
    ),
    (
        &[
            "pg_logical_slot_get_changes",
            "pg_logical_slot_peek_changes",
            "pg_logical_slot_get_binary_changes",
            "pg_logical_slot_peek_binary_changes",
            "pg_create_logical_replication_slot",
            "pg_create_physical_replication_slot",
            "pg_copy_logical_replication_slot",
            "pg_copy_physical_replication_slot",
            "pg_drop_replication_slot",
            "pg_replication_slot_advance",
            "pg_logical_emit_message",
        ],
        PAGES,
        "every table's rows, by replication",
    ),
    (
        &[
            "pg_terminate_backend",
            "pg_cancel_backend",
            "pg_reload_conf",
            "pg_rotate_logfile",
            "pg_rotate_logfile_old",
            "pg_promote",
            "pg_switch_wal",
            "pg_create_restore_point",
            "pg_backup_start",
            "pg_backup_stop",
            "pg_start_backup",
            "pg_stop_backup",
            "pg_wal_replay_pause",
            "pg_wal_replay_resume",
            "pg_log_backend_memory_contexts",
            "pg_log_standby_snapshot",
            "pg_sync_replication_slots",
            "pg_stat_reset",
            "pg_stat_reset_shared",
            "pg_stat_reset_slru",
            "pg_stat_reset_single_table_counters",
            "pg_stat_reset_single_function_counters",
            "pg_stat_reset_replication_slot",
            "pg_stat_reset_subscription_stats",
            "pg_stat_statements_reset",
            "pg_replication_origin_create",
            "pg_replication_origin_drop",
            "pg_replication_origin_advance",
            "pg_replication_origin_session_setup",
            "pg_replication_origin_session_reset",
            "pg_import_system_collations",
            "pg_nextoid",
            "pg_prewarm",
            "autoprewarm_start_worker",
            "autoprewarm_dump_now",
            "pg_buffercache_evict",
            "pg_repack_apply",
            "pg_collation_actual_version",
            "binary_upgrade_set_next_pg_type_oid",
            "pg_extension_config_dump",
            "pg_stop_making_pinned_objects",
            "brin_summarize_new_values",
            "brin_summarize_range",
            "brin_desummarize_range",
            "gin_clean_pending_list",
            "pg_restore_relation_stats",
            "pg_restore_attribute_stats",
            "pg_clear_relation_stats",
            "pg_clear_attribute_stats",
        ],
        ADMIN,
        "the server, its backends, its statistics or its files, not data",
    ),
    (
        &[
            "pg_advisory_lock",
            "pg_advisory_lock_shared",
            "pg_advisory_unlock_all",
            "pg_sleep",
            "pg_sleep_for",
            "pg_sleep_until",
        ],
        &[],
        "only wait; listed so that rules and readers find their names here",
    ),
    (&["pg_export_snapshot"], ADMIN, "lets another session see what this one sees"),
    (&["pg_get_replication_slots", "pg_show_replication_origin_status"], ADMIN, "replication's state"),
    (
        &["pg_drop_all", "drop_chunks", "create_hypertable", "create_distributed_table"],
        ADMIN,
        "make or drop tables",
    ),
    (
        &[
            "addgeometrycolumn",
            "dropgeometrycolumn",
            "dropgeometrytable",
            "updategeometrysrid",
            "populate_geometry_columns",
        ],
        &[Does(Verb::Ddl), Has(Effect::DynamicSql)],
        "PostGIS: alter tables that only strings name",
    ),
];

/// What calling the function of this folded name, without its schema, adds.
pub(crate) fn acts(name: &str) -> &'static [Act] {
    // dblink, dblink_exec, dblink_send_query…: other servers, or this one again with another role.
    if name.starts_with("dblink") {
        return REMOTE;
    }
    TABLE.iter().find(|(names, _, _)| names.contains(&name)).map_or(&[], |(_, acts, _)| acts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_entry_is_folded_listed_once_and_has_a_reason() {
        let mut seen = std::collections::BTreeSet::new();
        for (names, _, reason) in TABLE {
            assert!(!reason.is_empty());
            for name in *names {
                assert!(seen.insert(*name), "{name} stands twice");
                assert_eq!(**name, name.to_ascii_lowercase());
            }
        }
    }

    #[test]
    fn a_family_counts_by_its_prefix() {
        assert_eq!(acts("dblink_send_query"), REMOTE);
        assert_eq!(acts("lower"), &[]);
        assert_eq!(acts("set_config"), &[Sets]);
    }
}
