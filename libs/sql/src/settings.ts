import { danger, type Danger, type DangerCode } from './danger.ts'

/** A change of a setting: SET, RESET, `set_config(…)`, a start-up option. */
export interface Setting {
  readonly name: string
  /** The list that was written; undefined for RESET and DEFAULT, or when a value is computed. */
  readonly values: readonly string[] | undefined
  readonly kind: 'set' | 'reset' | 'reset-all' | 'default' | 'computed'
  /** Until the end of the transaction. */
  readonly local: boolean
}

/** Settings on which it rests what names mean, and how texts are read. */
const NAMING = new Set([
  'search_path',
  'role',
  'session_authorization',
  'standard_conforming_strings',
  'client_encoding',
  'transform_null_equals',
])

/** Names may mean something else behind it. */
export const changesNaming = ({ name, kind }: Setting): boolean =>
  kind === 'reset-all' || kind === 'computed' || NAMING.has(name.toLowerCase())

type Judge = (values: readonly string[] | undefined, setting: Setting) => DangerCode | undefined

const always =
  (code: DangerCode): Judge =>
  () =>
    code

/** Harmless only when set to one of these values. RESET goes back to what the session began with, which is known. */
const unless =
  (code: DangerCode, harmless: RegExp): Judge =>
  (values, { kind }) =>
    kind === 'reset' || kind === 'default' || (values?.length === 1 && harmless.test(values[0] ?? ''))
      ? undefined
      : code

const ON = /^(on|true|yes|1|t|y)$/i
const OFF = /^(off|false|no|0|f|n)$/i
const NOT_ZERO = /^(?!0+\s*[a-z]*$)\d+\s*[a-z]*$/i
const UTF8 = /^(utf-?8|unicode)$/i

/** `"$user"` and `public` are what every session begins with. An empty path, or the catalogue alone, finds nothing else. */
const searchPath: Judge = (values, { kind }) => {
  if (kind === 'reset' || kind === 'default') return undefined
  const schemas = values?.flatMap((value) => value.split(',')).map((schema) => schema.trim().replaceAll('"', ''))
  return schemas?.every((schema) => ['', '$user', 'public', 'pg_catalog'].includes(schema)) && isCatalogueFirst(schemas)
    ? undefined
    : 'search-path'
}

/** A schema in front of pg_catalog can take the place of any built-in function. */
const isCatalogueFirst = (schemas: readonly string[]) => schemas.indexOf('pg_catalog') <= 0

const JUDGES: Readonly<Record<string, Judge>> = {
  role: always('role-switch'),
  session_authorization: always('role-switch'),
  search_path: searchPath,
  standard_conforming_strings: unless('lexing', ON),
  backslash_quote: unless('lexing', /^(safe_encoding|off|false|no|0)$/i),
  transform_null_equals: unless('lexing', OFF),
  array_nulls: unless('lexing', ON),
  client_encoding: unless('encoding', UTF8),
  row_security: unless('row-security', ON),
  statement_timeout: unless('time-limit', NOT_ZERO),
  transaction_timeout: unless('time-limit', NOT_ZERO),
  idle_in_transaction_session_timeout: unless('time-limit', NOT_ZERO),
  default_transaction_read_only: unless('read-write', ON),
  transaction_read_only: unless('read-write', ON),
  session_replication_role: always('guard-rail'),
  allow_system_table_mods: always('guard-rail'),
  allow_in_place_tablespaces: always('guard-rail'),
  zero_damaged_pages: always('guard-rail'),
  ignore_checksum_failure: always('guard-rail'),
  ignore_system_indexes: always('guard-rail'),
  lo_compat_privileges: always('guard-rail'),
  session_preload_libraries: always('server-code'),
  local_preload_libraries: always('server-code'),
  shared_preload_libraries: always('server-code'),
  dynamic_library_path: always('server-code'),
  extension_control_path: always('server-code'),
  jit_provider: always('server-code'),
}

/** Settings that turn the server's own log or its debugging output on or off. */
const GUARD_RAILS = /^(log_|debug_|trace_|track_|wal_|backtrace_|restrict_nonsystem_relation_kind)/

export const dangerOfSetting = (setting: Setting): Danger | undefined => {
  const name = setting.name.toLowerCase()
  if (setting.kind === 'reset-all') return undefined
  const judge = JUDGES[name] ?? (GUARD_RAILS.test(name) ? always('guard-rail') : undefined)
  const code = judge?.(setting.values, setting)
  return code && danger(code, `${setting.kind.startsWith('reset') ? 'RESET' : 'SET'} ${name}`)
}
