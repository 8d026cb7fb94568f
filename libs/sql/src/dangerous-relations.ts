import type { Name } from './action.ts'
import { danger, type Danger, type DangerCode } from './danger.ts'

interface Watched {
  readonly code: DangerCode
  /** Only these columns matter; without them every column does. */
  readonly columns?: readonly string[]
}

/** Relations of the server's own catalogue whose content is more than a description of the database. */
const WATCHED: Readonly<Record<string, Watched>> = {
  pg_authid: { code: 'password-hashes', columns: ['rolpassword'] },
  pg_shadow: { code: 'password-hashes', columns: ['passwd'] },
  pg_statistic: { code: 'statistics-values' },
  pg_statistic_ext_data: { code: 'statistics-values' },
  pg_stats: {
    code: 'statistics-values',
    columns: ['most_common_vals', 'histogram_bounds', 'most_common_elems', 'range_bounds_histogram'],
  },
  pg_stats_ext: { code: 'statistics-values', columns: ['most_common_vals'] },
  pg_stats_ext_exprs: {
    code: 'statistics-values',
    columns: ['most_common_vals', 'histogram_bounds', 'most_common_elems'],
  },
  pg_stat_activity: { code: 'other-statements', columns: ['query'] },
  pg_stat_statements: { code: 'other-statements', columns: ['query'] },
  pg_prepared_statements: { code: 'other-statements', columns: ['statement'] },
  pg_cursors: { code: 'other-statements', columns: ['statement'] },
  pg_user_mapping: { code: 'stored-credentials', columns: ['umoptions'] },
  pg_user_mappings: { code: 'stored-credentials', columns: ['umoptions'] },
  user_mapping_options: { code: 'stored-credentials', columns: ['option_value'] },
  pg_foreign_server: { code: 'stored-credentials', columns: ['srvoptions'] },
  pg_subscription: { code: 'stored-credentials', columns: ['subconninfo'] },
  pg_stat_wal_receiver: { code: 'stored-credentials', columns: ['conninfo'] },
  pg_hba_file_rules: { code: 'server-file' },
  pg_ident_file_mappings: { code: 'server-file' },
  pg_file_settings: { code: 'server-file' },
  pg_largeobject: { code: 'large-object' },
}

const SYSTEM_SCHEMAS = new Set(['pg_catalog', 'information_schema', 'pg_toast'])

/** The server's own catalogue, by the name as it is written or as the server resolved it. */
export const isSystemName = ({ schema, name }: Name): boolean =>
  schema === undefined ? name.startsWith('pg_') : SYSTEM_SCHEMAS.has(schema)

/** What reading this relation amounts to. `columns` are those that are used; undefined when that is not known. */
export const dangerOfRelation = (relation: Name, columns?: readonly string[]): Danger | undefined => {
  const watched = WATCHED[relation.name]
  if (!watched || (relation.schema !== undefined && !isWatchedSchema(relation))) return undefined
  const isUsed = !columns || !watched.columns || watched.columns.some((column) => columns.includes(column))
  return isUsed ? danger(watched.code, relation.name) : undefined
}

/** `pg_stat_statements` lies wherever its extension was put. */
const isWatchedSchema = (relation: Name) => isSystemName(relation) || relation.name === 'pg_stat_statements'
