import { danger, type Danger, type DangerCode } from './danger.ts'

/*
 * Functions that do more than compute a value from their arguments, by name, each group with its reason. Built-ins
 * and the extensions of the contrib folder. The name alone decides, whatever schema is written: a look-alike of the
 * user's own is judged by its body as well.
 */
const BY_DANGER: Partial<Record<DangerCode, string>> = {
  'server-file': `pg_read_file pg_read_binary_file pg_read_file_old pg_ls_dir pg_ls_logdir pg_ls_waldir pg_ls_tmpdir
    pg_ls_archive_statusdir pg_ls_logicalmapdir pg_ls_logicalsnapdir pg_ls_replslotdir pg_ls_summariesdir pg_stat_file
    pg_current_logfile pg_hba_file_rules pg_ident_file_mappings pg_show_all_file_settings lo_import lo_export
    pg_file_write pg_file_read pg_file_unlink pg_file_rename pg_file_sync pg_file_length pg_logdir_ls
    pg_logfile_rotate bt_page_items get_raw_page page_header heap_page_items pg_get_wal_records_info
    pg_get_wal_record_info pg_get_wal_block_info`,
  remote: `dblink dblink_exec dblink_connect dblink_connect_u dblink_disconnect dblink_open dblink_fetch dblink_close
    dblink_send_query dblink_is_busy dblink_get_result dblink_cancel_query dblink_get_notify dblink_error_message
    dblink_get_connections postgres_fdw_get_connections postgres_fdw_disconnect postgres_fdw_disconnect_all
    http http_get http_post http_put http_patch http_delete http_head lambda_invoke net_http_get net_http_post`,
  'sql-in-string': `query_to_xml query_to_xmlschema query_to_xml_and_xmlschema cursor_to_xml cursor_to_xmlschema
    table_to_xml table_to_xmlschema table_to_xml_and_xmlschema schema_to_xml schema_to_xmlschema
    schema_to_xml_and_xmlschema database_to_xml database_to_xmlschema database_to_xml_and_xmlschema ts_stat crosstab
    crosstab2 crosstab3 crosstab4 crosstabn connectby xpath_table dblink_build_sql_insert dblink_build_sql_delete
    dblink_build_sql_update run_command_on_workers run_command_on_shards cron.schedule`,
  'server-control': `pg_reload_conf pg_rotate_logfile pg_rotate_logfile_old pg_switch_wal pg_promote pg_backup_start
    pg_backup_stop pg_start_backup pg_stop_backup pg_create_restore_point pg_create_logical_replication_slot
    pg_create_physical_replication_slot pg_copy_logical_replication_slot pg_copy_physical_replication_slot
    pg_drop_replication_slot pg_replication_slot_advance pg_sync_replication_slots pg_logical_emit_message
    pg_logical_slot_get_changes pg_logical_slot_get_binary_changes pg_logical_slot_peek_changes
    pg_logical_slot_peek_binary_changes pg_replication_origin_create pg_replication_origin_drop
    pg_replication_origin_advance pg_replication_origin_session_setup pg_replication_origin_session_reset
    pg_replication_origin_xact_setup pg_replication_origin_xact_reset pg_wal_replay_pause pg_wal_replay_resume
    pg_import_system_collations pg_log_backend_memory_contexts pg_log_standby_snapshot pg_nextoid
    pg_stop_making_pinned_objects pg_restore_attribute_stats pg_restore_relation_stats pg_clear_attribute_stats
    pg_clear_relation_stats pg_extension_config_dump`,
  'session-control': 'pg_terminate_backend pg_cancel_backend',
  'large-object': `lo_create lo_creat lo_from_bytea lo_put lo_get lo_unlink lo_open lowrite loread lo_truncate
    lo_truncate64 lo_manage lo_close lo_lseek lo_lseek64 lo_tell lo_tell64`,
  'sequence-reset': 'setval',
  'statistics-reset': `pg_stat_reset pg_stat_reset_shared pg_stat_reset_single_table_counters
    pg_stat_reset_single_function_counters pg_stat_reset_slru pg_stat_reset_replication_slot
    pg_stat_reset_subscription_stats pg_stat_reset_backend_stats pg_stat_statements_reset`,
  sleep: 'pg_sleep pg_sleep_for pg_sleep_until',
}

const DANGER_OF = new Map<string, DangerCode>(
  Object.entries(BY_DANGER).flatMap(([code, names]) =>
    names.split(/\s+/).map((name): [string, DangerCode] => [name, code as DangerCode]),
  ),
)

/** `ts_rewrite(query, text)` runs its text; the form with three arguments only computes. */
const RUNS_TEXT_WITH: Readonly<Record<string, number>> = { ts_rewrite: 2 }

export const dangerOfFunction = (name: string, argumentCount?: number): Danger | undefined => {
  if (argumentCount !== undefined && RUNS_TEXT_WITH[name] === argumentCount) return danger('sql-in-string', name)
  const code = name.startsWith('binary_upgrade_') ? 'server-control' : DANGER_OF.get(name)
  return code && danger(code, `${name}()`)
}

/** Takes credentials or keys as text: the constants of a statement that calls one are not shown. */
const TAKES_SECRETS =
  /^(dblink.*|postgres_fdw.*|crypt|hmac|encrypt|decrypt|encrypt_iv|decrypt_iv|pgp_(sym|pub)_(en|de)crypt(_bytea)?|http(_.*)?)$/

export const takesSecrets = (name: string): boolean => TAKES_SECRETS.test(name)

/**
 * Volatile built-ins that change nothing: they read a clock, a random source or counters. Stable and immutable
 * built-ins change nothing either, unless they are named above. What is in neither list is not proven harmless.
 */
const VOLATILE_HARMLESS = new Set(
  `random random_normal clock_timestamp timeofday gen_random_uuid uuidv4 uuidv7 array_sample array_shuffle
  currval lastval txid_status pg_xact_status pg_database_size pg_relation_size pg_table_size pg_indexes_size
  pg_total_relation_size pg_tablespace_size pg_sequence_last_value pg_get_sequence_data pg_blocking_pids
  pg_safe_snapshot_blocking_pids pg_is_in_recovery pg_is_wal_replay_paused pg_get_wal_replay_pause_state
  pg_last_wal_receive_lsn pg_last_wal_replay_lsn pg_last_xact_replay_timestamp pg_last_committed_xact
  pg_xact_commit_timestamp pg_xact_commit_timestamp_origin pg_current_wal_lsn pg_current_wal_insert_lsn
  pg_current_wal_flush_lsn pg_control_checkpoint pg_control_init pg_control_recovery pg_control_system pg_jit_available
  pg_lock_status pg_notification_queue_usage pg_partition_ancestors pg_partition_tree pg_prepared_xact
  pg_collation_actual_version pg_database_collation_actual_version pg_get_backend_memory_contexts
  pg_get_shmem_allocations pg_get_multixact_members pg_get_wait_events pg_get_wal_resource_managers
  pg_get_wal_summarizer_state pg_available_wal_summaries pg_wal_summary_contents pg_get_loaded_modules pg_get_aios
  pg_show_replication_origin_status pg_replication_origin_progress pg_stat_have_stats pg_stat_clear_snapshot
  pg_isolation_test_session_is_blocked current_query currtid2 amvalidate bernoulli system`.split(/\s+/),
)

export const isHarmlessVolatile = (name: string): boolean =>
  VOLATILE_HARMLESS.has(name) || name.startsWith('pg_stat_get_')

/**
 * They call themselves stable, or belong to an extension that is trusted, and change something all the same: a number is
 * assigned to the transaction, a setting of the session, what the server keeps in memory.
 */
const CHANGES = new Set(
  `txid_current pg_current_xact_id set_limit isn_weak pg_buffercache_evict pg_buffercache_evict_relation
  pg_buffercache_evict_all pg_buffercache_mark_dirty pg_buffercache_mark_dirty_relation
  pg_buffercache_mark_dirty_all pg_truncate_freespace_map`.split(/\s+/),
)

export const isChanging = (name: string): boolean => CHANGES.has(name)

/** Extensions whose C functions compute and nothing else. Functions in the table above are judged by it all the same. */
export const HARMLESS_EXTENSIONS: ReadonlySet<string> = new Set([
  'citext',
  'pgcrypto',
  'uuid-ossp',
  'pg_trgm',
  'hstore',
  'btree_gin',
  'btree_gist',
  'unaccent',
  'ltree',
  'intarray',
  'fuzzystrmatch',
  'cube',
  'earthdistance',
  'isn',
  'seg',
  'tcn',
  'bloom',
  'vector',
  'postgis',
  // These look at the server's own counters and pages. What of it is somebody's statement: see `source-functions.ts`.
  'pg_stat_statements',
  'pg_buffercache',
  'pg_freespacemap',
  'pgstattuple',
  'pgrowlocks',
  'sslinfo',
])
