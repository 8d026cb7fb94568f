import { danger, effect, type Danger, type DangerCode } from '@countersign/sql'
import type { Draft } from '../command.ts'
import type { Token } from '../lexer.ts'
import { Words, wordOf } from '../words.ts'

/* What a statement does to its own session. What is harmless is read to its end; of the rest the beginning will do. */

export type Reader = (words: Words) => Draft | undefined

const transact = (tag: string): Draft => ({
  tag,
  effects: [effect('transact', 'statement', { name: tag })],
  harmless: true,
})

/** Only when nothing is left that was not read. */
const whole = (words: Words, draft: Draft): Draft | undefined => (words.ended ? draft : undefined)

const begin: Reader = (words) => {
  words.take('WORK')
  return whole(words, transact('BEGIN'))
}

const endOfTransaction =
  (tag: string): Reader =>
  (words) => {
    words.take('WORK')
    if (tag === 'ROLLBACK' && words.take('TO')) {
      words.take('SAVEPOINT')
      return words.identifier() === undefined ? undefined : whole(words, transact('ROLLBACK TO'))
    }
    if (words.take('AND')) {
      words.take('NO')
      if (!words.take('CHAIN')) return undefined
    }
    if (words.take('NO') || words.next?.word === 'RELEASE') if (!words.take('RELEASE')) return undefined
    return whole(words, transact(tag))
  }

const start: Reader = (words) => {
  if (words.oneOf('SLAVE', 'REPLICA', 'GROUP_REPLICATION', 'ALL')) return control('START REPLICA')
  if (!words.take('TRANSACTION')) return undefined
  let writes = false
  while (!words.ended) {
    const isKnown =
      words.take('WITH', 'CONSISTENT', 'SNAPSHOT') ||
      words.take('READ', 'ONLY') ||
      (writes = words.take('READ', 'WRITE'))
    if (!isKnown) return undefined
    words.take(',')
  }
  return writable(transact('BEGIN'), writes)
}

/** `READ WRITE` takes back what somebody may rely on. */
const writable = (draft: Draft, isWritable: boolean): Draft =>
  isWritable ? { ...draft, harmless: false, dangers: [danger('read-write', draft.tag)] } : draft

const savepoint: Reader = (words) =>
  words.identifier() === undefined ? undefined : whole(words, transact('SAVEPOINT'))

const release: Reader = (words) =>
  words.take('SAVEPOINT') && words.identifier() !== undefined ? whole(words, transact('RELEASE')) : undefined

const use: Reader = (words) => {
  const name = words.identifier()
  if (name === undefined || !words.ended) return undefined
  return { tag: 'USE', effects: [effect('configure', 'schema', { name })], harmless: true, uses: name }
}

const control = (tag: string, code: DangerCode = 'server-control'): Draft => ({
  tag,
  effects: [effect('administer', 'statement', { name: tag })],
  dangers: [danger(code, tag)],
})

const unlock: Reader = (words) =>
  words.oneOf('TABLES', 'TABLE') && words.ended
    ? { tag: 'UNLOCK TABLES', effects: [effect('transact', 'statement', { name: 'UNLOCK TABLES' })], harmless: true }
    : control('UNLOCK INSTANCE')

const lock: Reader = (words) => {
  if (!words.oneOf('TABLES', 'TABLE')) return control('LOCK INSTANCE')
  const effects = namesIn(words).map((name) => effect('transact', 'relation', name))
  return effects.length === 0
    ? undefined
    : { tag: 'LOCK TABLES', effects, dangers: [danger('exclusive-lock', 'LOCK TABLES')] }
}

/** The first name after each comma: `a AS x READ, b WRITE`. */
const namesIn = (words: Words) => {
  const names = []
  do {
    const name = words.name()
    if (name) names.push(name)
    while (!words.ended && words.next?.text !== ',') words.at += 1
  } while (words.take(','))
  return names
}

const flush: Reader = (words) => ({
  tag: 'FLUSH',
  effects: [effect('administer', 'statement', { name: 'FLUSH' })],
  dangers: words.has('LOCK', 'EXPORT') ? [danger('exclusive-lock', 'FLUSH')] : [danger('input-output', 'FLUSH')],
})

const deallocate: Reader = (words) =>
  words.take('PREPARE') && words.identifier() !== undefined
    ? whole(words, {
        tag: 'DEALLOCATE',
        effects: [effect('configure', 'statement', { name: 'DEALLOCATE' })],
        harmless: true,
      })
    : undefined

const prepare: Reader = (words) => ({
  tag: 'PREPARE',
  effects: [effect('unknown', 'prepared', { name: words.identifier() ?? '' })],
  dangers: [danger('sql-in-string', 'PREPARE')],
  secrets: true,
})

const execute: Reader = (words) => {
  const isImmediate = words.take('IMMEDIATE')
  return {
    tag: 'EXECUTE',
    effects: [effect('unknown', 'prepared', { name: words.identifier() ?? '' })],
    dangers: [danger(isImmediate ? 'sql-in-string' : 'unknown-prepared', 'EXECUTE')],
    secrets: isImmediate,
  }
}

const handler: Reader = (words) => {
  const name = words.name()
  return (
    name && {
      tag: 'HANDLER',
      effects: [effect('unknown', 'relation', name)],
      dangers: [danger('unknown-statement', 'HANDLER')],
    }
  )
}

const xa: Reader = () => ({
  tag: 'XA',
  effects: [effect('transact', 'statement', { name: 'XA' })],
  dangers: [danger('two-phase', 'XA')],
})

const set: Reader = (words) => {
  if (words.take('PASSWORD')) return account('SET PASSWORD')
  if (words.take('DEFAULT', 'ROLE')) return account('SET DEFAULT ROLE')
  if (words.take('ROLE')) return configure('SET ROLE', [danger('role-switch', 'SET ROLE')])
  if (words.take('RESOURCE', 'GROUP')) return control('SET RESOURCE GROUP')
  if (words.take('STATEMENT')) return undefined
  if (words.take('NAMES')) return charset(words, 'SET NAMES')
  if (words.take('CHARACTER', 'SET') || words.take('CHARSET')) return charset(words, 'SET CHARACTER SET')
  const isWide = words.next?.word === 'GLOBAL' ? words.take('GLOBAL', 'TRANSACTION') : false
  if (isWide) return control('SET GLOBAL TRANSACTION')
  if (words.take('TRANSACTION') || words.take('SESSION', 'TRANSACTION') || words.take('LOCAL', 'TRANSACTION')) {
    return transaction(words)
  }
  return variables(words)
}

const account = (tag: string): Draft => ({ tag, effects: [effect('grant', 'role', { name: tag })], secrets: true })

const configure = (tag: string, dangers: readonly Danger[] = []): Draft => ({
  tag,
  effects: [effect('configure', 'setting', { name: tag })],
  dangers,
  harmless: dangers.length === 0,
})

const UTF8 = /^utf8(mb[34])?(_\w+)?$/i

/** The text of a name or a string. */
const plain = (token: Token | undefined): string | undefined =>
  token && ['word', 'quoted', 'string', 'number'].includes(token.kind) ? token.text : undefined

const charset = (words: Words, tag: string): Draft | undefined => {
  const first = plain(words.next)
  words.at += 1
  const collated = words.take('COLLATE') ? plain(words.tokens[words.at++]) : 'utf8'
  const isUtf8 = UTF8.test(first ?? '') && UTF8.test(collated ?? '') && (words.ended || words.next?.text === ',')
  const draft = configure(tag, isUtf8 ? [] : [danger('encoding', tag)])
  return words.take(',') ? withMore(draft, variables(words)) : draft
}

/** `SET NAMES utf8mb4, a = 1` */
const withMore = ({ tag, effects = [], dangers = [] }: Draft, more: Draft | undefined): Draft | undefined => {
  if (!more) return undefined
  const all = [...dangers, ...(more.dangers ?? [])]
  return { tag, effects: [...effects, ...(more.effects ?? [])], dangers: all, harmless: all.length === 0 }
}

const LEVELS = ['READ COMMITTED', 'READ UNCOMMITTED', 'REPEATABLE READ', 'SERIALIZABLE']

const transaction = (words: Words): Draft | undefined => {
  const said = words.rest().map(wordOf).join(' ').split(' , ')
  const isKnown = said.every(
    (part) =>
      part === 'READ ONLY' || part === 'READ WRITE' || LEVELS.some((level) => part === `ISOLATION LEVEL ${level}`),
  )
  if (!isKnown) return undefined
  return writable(transact('SET TRANSACTION'), said.includes('READ WRITE'))
}

/** `SET a = 1, @b = 2, SESSION c = 3`: each with a constant. */
const variables = (words: Words): Draft | undefined => {
  const dangers: Danger[] = []
  const effects = []
  do {
    const one = variable(words)
    if (!one) return undefined
    dangers.push(...one.dangers)
    effects.push(effect('configure', 'setting', { name: one.name }))
  } while (words.take(','))
  return whole(words, { tag: 'SET', effects, dangers, harmless: dangers.length === 0 })
}

const SCOPES = ['GLOBAL', 'PERSIST', 'PERSIST_ONLY', 'SESSION', 'LOCAL']

const variable = (words: Words): { readonly name: string; readonly dangers: readonly Danger[] } | undefined => {
  const written = words.oneOf(...SCOPES)
  const { scope = written, name } = nameOfVariable(words) ?? {}
  if (name === undefined || !(words.take('=') || words.take(':='))) return undefined
  const value = constant(words)
  const isEnd = words.ended || words.next?.text === ','
  if (!isEnd) return undefined
  if (name.startsWith('@')) return value === undefined ? undefined : { name, dangers: [] }
  const code = scope !== undefined && /^(GLOBAL|PERSIST)/.test(scope) ? 'server-control' : dangerOfSetting(name, value)
  return { name, dangers: code ? [danger(code, `SET ${name}`)] : [] }
}

const nameOfVariable = (words: Words): { readonly scope?: string; readonly name: string } | undefined => {
  const token = words.next
  words.at += 1
  if (token?.kind !== 'variable')
    return token?.kind === 'word' || token?.kind === 'quoted' ? { name: token.text.toLowerCase() } : undefined
  if (!token.text.startsWith('@@')) return { name: token.text }
  const [first = '', second] = token.text.slice(2).split('.')
  return second === undefined
    ? { name: first.toLowerCase() }
    : { scope: first.toUpperCase(), name: second.toLowerCase() }
}

/** What is not a constant is passed as one token and answered with undefined. */
const constant = (words: Words): string | undefined => {
  const minus = words.take('-') ? '-' : ''
  const token = words.next
  words.at += 1
  if (token?.kind === 'variable') return undefined
  const value = plain(token)
  return value === undefined ? undefined : minus + value
}

const HARMLESS = new Set(
  (
    'autocommit time_zone wait_timeout interactive_timeout net_read_timeout net_write_timeout lock_wait_timeout ' +
    'innodb_lock_wait_timeout group_concat_max_len optimizer_switch optimizer_search_depth sql_select_limit sql_big_selects ' +
    'sql_auto_is_null sql_warnings sql_notes sql_quote_show_create lc_time_names lc_messages transaction_isolation tx_isolation ' +
    'sort_buffer_size join_buffer_size read_buffer_size read_rnd_buffer_size tmp_table_size max_heap_table_size ' +
    'completion_type div_precision_increment net_retry_count ' +
    'profiling profiling_history_size ' +
    'max_error_count query_cache_type sql_buffer_result explain_format information_schema_stats_expiry big_tables ' +
    'cte_max_recursion_depth max_recursive_iterations eq_range_index_dive_limit range_optimizer_max_mem_size ' +
    'auto_increment_increment auto_increment_offset default_week_format max_sort_length identity'
  ).split(' '),
)

const MODES = new Set(
  (
    'ALLOW_INVALID_DATES ERROR_FOR_DIVISION_BY_ZERO NO_AUTO_CREATE_USER NO_AUTO_VALUE_ON_ZERO NO_DIR_IN_CREATE ' +
    'NO_ENGINE_SUBSTITUTION NO_UNSIGNED_SUBTRACTION NO_ZERO_DATE NO_ZERO_IN_DATE ONLY_FULL_GROUP_BY ' +
    'PAD_CHAR_TO_FULL_LENGTH STRICT_ALL_TABLES STRICT_TRANS_TABLES TIME_TRUNCATE_FRACTIONAL TIME_ROUND_FRACTIONAL TRADITIONAL'
  ).split(' '),
)

/** Every mode by its name: a number could be any of them, and one that is not known could change how texts are read. */
const isPlainMode = (value: string | undefined): boolean =>
  value !== undefined && value.split(',').every((mode) => mode.trim() === '' || MODES.has(mode.trim().toUpperCase()))

const isOff = (value: string | undefined): boolean => value === undefined || /^(0|off|false)$/i.test(value)

const ENCODINGS = /^(character_set_|collation_)/

/** Why setting it is dangerous; undefined for what is harmless. `value` is undefined when it is computed. */
const dangerOfSetting = (name: string, value: string | undefined): DangerCode | undefined => {
  if (name === 'sql_mode') return isPlainMode(value) ? undefined : 'lexing'
  if (ENCODINGS.test(name)) {
    const isUntouched = name === 'character_set_results' && value === 'NULL'
    return UTF8.test(value ?? '') || isUntouched ? undefined : 'encoding'
  }
  if (HARMLESS.has(name)) return undefined
  if (/^(max_execution_time|max_statement_time)$/.test(name)) return isOff(value) ? 'time-limit' : undefined
  if (/^(tx_read_only|transaction_read_only)$/.test(name)) return isOff(value) ? 'read-write' : undefined
  if (
    /^(foreign_key_checks|unique_checks|check_constraint_checks|sql_safe_updates|sql_require_primary_key)$/.test(name)
  ) {
    return isOff(value) ? 'protection-off' : undefined
  }
  return 'guard-rail'
}

export const SESSION: Readonly<Record<string, Reader>> = {
  BEGIN: begin,
  START: start,
  STOP: () => control('STOP REPLICA'),
  COMMIT: endOfTransaction('COMMIT'),
  ROLLBACK: endOfTransaction('ROLLBACK'),
  SAVEPOINT: savepoint,
  RELEASE: release,
  USE: use,
  UNLOCK: unlock,
  LOCK: lock,
  FLUSH: flush,
  SET: set,
  DEALLOCATE: deallocate,
  PREPARE: prepare,
  EXECUTE: execute,
  HANDLER: handler,
  XA: xa,
  RESET: () => control('RESET'),
  PURGE: () => control('PURGE'),
  CHANGE: () => ({ ...control('CHANGE REPLICATION'), secrets: true }),
  KILL: () => control('KILL', 'session-control'),
  SHUTDOWN: () => control('SHUTDOWN'),
  RESTART: () => control('RESTART'),
  INSTALL: () => control('INSTALL', 'server-code'),
  UNINSTALL: () => control('UNINSTALL', 'server-code'),
  BINLOG: () => control('BINLOG'),
  BACKUP: () => control('BACKUP'),
  CACHE: () => control('CACHE INDEX', 'input-output'),
  CLONE: () => ({ ...control('CLONE'), secrets: true }),
  IMPORT: () => control('IMPORT TABLE', 'server-file'),
}
