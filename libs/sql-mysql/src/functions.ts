import type { DangerCode } from '@countersign/sql'

/*
 * Functions that the server brings along. One that is not here is not believed: it may be a loadable one, or one of a
 * later version.
 */

const words = (text: string): ReadonlySet<string> => new Set(text.trim().split(/\s+/))

/** They change nothing, and tell nothing but their arguments, the time, or who and where the session is. */
const HARMLESS = words(`
  abs acos adddate addtime aes_decrypt aes_encrypt any_value ascii asin atan atan2 avg bin bin_to_uuid bit_and bit_count
  bit_length bit_or bit_xor can_access_column cast ceil ceiling char char_length character_length charset chr coalesce
  coercibility collation compress concat concat_ws connection_id conv convert convert_tz cos cot count crc32 crc32c cume_dist
  curdate current_date current_role current_time current_timestamp current_user curtime database date date_add
  date_format date_sub datediff day dayname dayofmonth dayofweek dayofyear decode degrees dense_rank elt encode exp
  export_set extract extractvalue field find_in_set first_value floor format format_bytes format_pico_time found_rows
  from_base64 from_days from_unixtime get_format greatest group_concat grouping hex hour if ifnull in_to_uuid inet6_aton
  inet6_ntoa inet_aton inet_ntoa insert instr interval is_ipv4 is_ipv4_compat is_ipv4_mapped is_ipv6 is_uuid isnull json_array
  json_array_append json_array_insert json_arrayagg json_compact json_contains json_contains_path json_depth json_detailed
  json_equals json_exists json_extract json_insert json_keys json_length json_loose json_merge json_merge_patch
  json_merge_preserve json_normalize json_object json_objectagg json_overlaps json_pretty json_query json_quote
  json_remove json_replace json_schema_valid json_search json_set json_storage_size json_type json_unquote json_valid
  json_value lag last_day last_value lcase lead least left length length ln localtime localtimestamp locate log log10 log2
  lower lpad ltrim make_set makedate maketime max md5 median microsecond mid min minute mod month monthname name_const
  natural_sort_key now nth_value ntile nullif nvl nvl2 oct octet_length ord percent_rank percentile_cont percentile_disc period_add
  period_diff pi position pow power quarter quote radians rand random_bytes rank regexp_instr regexp_like regexp_replace
  regexp_substr repeat replace reverse right round row row_count row_number rpad rtrim schema sec_to_time second
  session_user sformat sha sha1 sha2 sign sin soundex space sqrt st_area st_asgeojson st_astext st_aswkt st_contains st_distance
  st_distance_sphere st_geomfromtext st_intersects st_length st_point st_srid st_within st_x st_y point std stddev
  stddev_pop stddev_samp str_to_date strcmp subdate substr substring substring_index subtime sum sysdate system_user tan
  time time_format time_to_sec timediff timestamp timestampadd timestampdiff to_base64 to_char to_days to_seconds trim
  truncate ucase uncompress uncompressed_length unhex unix_timestamp updatexml upper user utc_date utc_time utc_timestamp
  uuid uuid_short uuid_to_bin validate_password_strength value values var_pop var_samp variance version week weekday
  weekofyear weight_string year yearweek benchmark sleep
`)

/** What is more than it seems. Those that are not harmless besides change something. */
const DANGEROUS: Readonly<Record<string, DangerCode>> = {
  sleep: 'sleep',
  benchmark: 'sleep',
  get_lock: 'sleep',
  master_pos_wait: 'sleep',
  source_pos_wait: 'sleep',
  master_gtid_wait: 'sleep',
  wait_for_executed_gtid_set: 'sleep',
  wait_until_sql_thread_after_gtids: 'sleep',
  load_file: 'server-file',
  setval: 'sequence-reset',
}

/** They change the session, a sequence or a lock, as they are meant to. */
const CHANGING = words(
  'get_lock release_lock release_all_locks is_free_lock is_used_lock last_insert_id nextval lastval setval load_file master_pos_wait source_pos_wait master_gtid_wait wait_for_executed_gtid_set wait_until_sql_thread_after_gtids',
)

/** They fail, and tell their arguments in the error, when these are not what they should be; or fail for some of them. */
const TELLING = words(`
  extractvalue updatexml exp pow power cot name_const json_array_append json_array_insert json_contains json_contains_path json_depth
  json_extract json_insert json_keys json_length json_merge json_merge_patch json_merge_preserve json_remove json_replace json_search json_set
  json_storage_size json_type json_value json_table json_schema_valid st_area st_asgeojson st_astext st_contains st_distance
  st_distance_sphere st_geomfromtext st_intersects st_length st_srid st_within st_x st_y uuid_to_bin bin_to_uuid gtid_subset
  gtid_subtract regexp_instr regexp_like regexp_replace regexp_substr
`)

/** Their value is none of a value of their arguments' columns, but a number of rows. */
const COUNTING = words('count row_number rank dense_rank ntile cume_dist percent_rank found_rows row_count grouping')

/** The value of one of their arguments, as it is. */
const PASSING = words(
  'min max any_value coalesce ifnull nullif first_value last_value lag lead nth_value greatest least nvl nvl2',
)

/** They answer another thing in another session, or each time: what was counted with them is not what is changed. */
const OF_SESSION = words(
  'connection_id current_role current_user found_rows is_free_lock is_used_lock last_insert_id rand random_bytes row_count ' +
    'session_user system_user user uuid uuid_short',
)

export interface FunctionKind {
  readonly known: boolean
  readonly changes: boolean
  readonly tells: boolean
  readonly counts: boolean
  readonly passes: boolean
  readonly ofSession: boolean
  readonly danger?: DangerCode
}

export const functionKind = (name: string): FunctionKind => {
  const folded = name.toLowerCase()
  const found = Object.hasOwn(DANGEROUS, folded) ? DANGEROUS[folded] : undefined
  return {
    known: HARMLESS.has(folded) || CHANGING.has(folded),
    changes: CHANGING.has(folded),
    tells: TELLING.has(folded),
    counts: COUNTING.has(folded),
    passes: PASSING.has(folded),
    ofSession: OF_SESSION.has(folded),
    ...(found === undefined ? {} : { danger: found }),
  }
}
