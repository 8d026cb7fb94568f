import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { ClickhouseStartError } from './start-error.ts'

/** Someone who may sign in to the embedded server. */
export interface Account {
  readonly user: string
  readonly password: string
}

export interface EngineSettings {
  /** Holds everything of this server. Absolute. */
  readonly directory: string
  /** May do everything but manage users. */
  readonly owner: Account
  /** May select from `database` and nothing else. */
  readonly readers: readonly Account[]
  readonly database: string
  readonly memoryBytesMax: number
}

/**
 * config.xml of the engine: what keeps it small enough for a laptop, and where its few files go.
 *
 * Left to itself, the engine merges each handful of fresh parts with the largest there is: of three inserts a second,
 * every row was rewritten seven times. It waits for a dozen instead.
 *
 * HTTP only. In the engine that npm brings (26.7.2), a client of the native protocol that hangs up aborts the whole
 * server, signed in or not.
 */
export const engineConfig = ({ directory, memoryBytesMax }: EngineSettings, usersFile: string): string => `<clickhouse>
  <users_config>${text(usersFile)}</users_config>
  <user_directories><users_xml><path>${text(usersFile)}</path></users_xml></user_directories>
  <logger>
    <log>${text(join(directory, 'engine.log'))}</log>
    <errorlog>${text(join(directory, 'engine.error.log'))}</errorlog>
    <size>10M</size>
    <count>2</count>
  </logger>
  <timezone>UTC</timezone>
  <tmp_path>${text(join(directory, 'tmp'))}/</tmp_path>
  <user_files_path>${text(join(directory, 'user_files'))}/</user_files_path>
  <max_server_memory_usage>${memoryBytesMax}</max_server_memory_usage>
  <mark_cache_size>67108864</mark_cache_size>
  <index_mark_cache_size>33554432</index_mark_cache_size>
  <uncompressed_cache_size>0</uncompressed_cache_size>
  <max_concurrent_queries>64</max_concurrent_queries>
  <background_pool_size>2</background_pool_size>
  <background_schedule_pool_size>4</background_schedule_pool_size>
  <background_common_pool_size>2</background_common_pool_size>
  <background_fetches_pool_size>1</background_fetches_pool_size>
  <background_move_pool_size>1</background_move_pool_size>
  <merge_tree>
    <min_parts_to_merge_at_once>12</min_parts_to_merge_at_once>
    <number_of_free_entries_in_pool_to_execute_mutation>1</number_of_free_entries_in_pool_to_execute_mutation>
    <number_of_free_entries_in_pool_to_execute_optimize_entire_partition>1</number_of_free_entries_in_pool_to_execute_optimize_entire_partition>
    <number_of_free_entries_in_pool_to_lower_max_size_of_merge>1</number_of_free_entries_in_pool_to_lower_max_size_of_merge>
  </merge_tree>
</clickhouse>
`

/**
 * users.xml of the engine. Passwords are on disk as SHA-256 only. Readers may set what clients like to set for a query
 * (`readonly` 2), but not the limits.
 *
 * CONTROL no-anonymous-access: the engine signs itself in as \`default\` without a password while it starts, and that
 * name cannot be taken away from it. Restricting \`default\` to ::1 does not keep anyone on this machine out (the
 * engine takes all its own addresses for one). What does: \`default\` may hold one session at a time, and the engine's
 * own, opened before it listens and held until it ends, is that one. Besides, it has no rights on any table.
 */
export const engineUsers = ({ owner, readers, database, memoryBytesMax }: EngineSettings): string => `<clickhouse>
  <profiles>
    <default>
      <max_threads>2</max_threads>
      <max_memory_usage>${Math.floor(memoryBytesMax * 0.8)}</max_memory_usage>
    </default>
    <bootstrap><max_sessions_for_user>1</max_sessions_for_user></bootstrap>
    <reader>
      <readonly>2</readonly>
      <max_threads>2</max_threads>
      <max_memory_usage>${Math.floor(memoryBytesMax * 0.5)}</max_memory_usage>
      <max_execution_time>120</max_execution_time>
      <constraints>
        <max_threads><readonly/></max_threads>
        <max_memory_usage><readonly/></max_memory_usage>
        <max_execution_time><max>120</max></max_execution_time>
      </constraints>
    </reader>
  </profiles>
  <quotas><default/></quotas>
  <users>
    <default>
      <no_password/>
      <networks><ip>::1</ip></networks>
      <profile>bootstrap</profile>
      <quota>default</quota>
      <grants>
        <query>GRANT SYSTEM LISTEN ON *.*</query>
        <query>GRANT READ ON FILE</query>
        <query>GRANT CREATE TEMPORARY TABLE ON *.*</query>
      </grants>
    </default>
${account(owner, 'default', '')}
${readers.map((reader) => account(reader, 'reader', grants(database))).join('\n')}
  </users>
</clickhouse>
`

const account = ({ user, password }: Account, profile: string, rights: string): string => `    <${elementName(user)}>
      <password_sha256_hex>${createHash('sha256').update(password).digest('hex')}</password_sha256_hex>
      <networks><ip>127.0.0.1</ip></networks>
      <profile>${profile}</profile>
      <quota>default</quota>${rights}
    </${user}>`

const grants = (database: string): string => `
      <grants><query>GRANT SELECT ON ${elementName(database)}.*</query></grants>`

/** A user's name is the name of an XML element, and a database's part of a statement: neither is quoted. */
const elementName = (name: string): string => {
  if (/^[a-z_][a-z0-9_]{0,62}$/i.test(name) && name !== 'default') return name
  throw new ClickhouseStartError(
    'CLICKHOUSE_BAD_NAME',
    `not a name for a ClickHouse user or database: \`${name}\`; use letters, digits and _, and not \`default\``,
  )
}

const text = (value: string): string => value.replace(/[&<>]/g, (char) => `&#${char.charCodeAt(0)};`)
