import type {
  ClosePortalStmt,
  DeallocateStmt,
  DiscardStmt,
  FetchStmt,
  ListenStmt,
  Node,
  NotifyStmt,
  TransactionStmt,
  TransactionStmtKind,
  UnlistenStmt,
  VariableSetStmt,
} from 'libpg-query'
import { effect } from '../action.ts'
import type { Draft, TransactionControl } from '../command.ts'
import { danger } from '../danger.ts'
import { dangerOfSetting, type Setting } from '../settings.ts'
import { constantText, optionsOf } from '../syntax-tree.ts'
import type { Reader } from './reader.ts'

/*
 * Statements about the session itself: transactions, settings, cursors, prepared statements, notifications.
 */

const KINDS: Readonly<Record<TransactionStmtKind, readonly [tag: string, kind: TransactionControl['kind']]>> = {
  TRANS_STMT_BEGIN: ['BEGIN', 'begin'],
  TRANS_STMT_START: ['START TRANSACTION', 'begin'],
  TRANS_STMT_COMMIT: ['COMMIT', 'commit'],
  TRANS_STMT_ROLLBACK: ['ROLLBACK', 'rollback'],
  TRANS_STMT_SAVEPOINT: ['SAVEPOINT', 'savepoint'],
  TRANS_STMT_RELEASE: ['RELEASE', 'release'],
  TRANS_STMT_ROLLBACK_TO: ['ROLLBACK TO SAVEPOINT', 'rollback-to'],
  TRANS_STMT_PREPARE: ['PREPARE TRANSACTION', 'prepare'],
  TRANS_STMT_COMMIT_PREPARED: ['COMMIT PREPARED', 'commit-prepared'],
  TRANS_STMT_ROLLBACK_PREPARED: ['ROLLBACK PREPARED', 'rollback-prepared'],
}

const TWO_PHASE = new Set<TransactionControl['kind']>(['prepare', 'commit-prepared', 'rollback-prepared'])

/** These change nothing that outlives them; a COMMIT does. */
const CHANGES_NOTHING = new Set<TransactionControl['kind']>([
  'begin',
  'savepoint',
  'release',
  'rollback',
  'rollback-to',
])

export const readTransaction: Reader<TransactionStmt> = (statement) => {
  const [tag, kind] = KINDS[statement.kind ?? 'TRANS_STMT_COMMIT_PREPARED']
  const settings = modesOf(statement.options)
  return {
    tag,
    transaction: {
      kind,
      chain: statement.chain ?? false,
      ...(statement.savepoint_name ? { savepoint: statement.savepoint_name } : {}),
    },
    settings,
    effects: [effect('transact', 'statement', { name: tag })],
    dangers: [...dangersOf(settings), ...(TWO_PHASE.has(kind) ? [danger('two-phase', tag)] : [])],
    readOnlyByText: CHANGES_NOTHING.has(kind) ? 'if-functions-are' : 'never',
  }
}

/** `READ WRITE` is a setting in other words, and so are the other modes. */
const modesOf = (options: readonly Node[] | undefined): readonly Setting[] =>
  optionsOf(options).map(({ name, value }) => ({
    name,
    values: value === undefined ? undefined : [value],
    kind: 'set',
    local: true,
  }))

const dangersOf = (settings: readonly Setting[]) => settings.map(dangerOfSetting).filter((found) => found !== undefined)

export const readSet: Reader<VariableSetStmt> = (statement) => {
  const settings = settingsOf(statement)
  return {
    tag: statement.kind?.startsWith('VAR_RESET') ? 'RESET' : 'SET',
    settings,
    effects: settings.map(({ name }) => effect('configure', 'setting', { name: name || 'all' })),
    dangers: dangersOf(settings),
  }
}

const settingsOf = (statement: VariableSetStmt): readonly Setting[] => {
  const { kind, name = '', args, is_local: local = false } = statement
  if (kind === 'VAR_SET_MULTI') return multiple(name, args)
  if (kind === 'VAR_RESET_ALL') return [{ name: '', values: undefined, kind: 'reset-all', local }]
  if (kind === 'VAR_RESET') return [{ name, values: undefined, kind: 'reset', local }]
  if (kind === 'VAR_SET_DEFAULT') return [{ name, values: undefined, kind: 'default', local }]
  return [{ name, values: valuesOf(args), kind: 'set', local }]
}

/** SET TRANSACTION …, SET SESSION CHARACTERISTICS …, SET TRANSACTION SNAPSHOT. */
const multiple = (name: string, args: readonly Node[] | undefined): readonly Setting[] => {
  const modes = modesOf(args)
  if (modes.length > 0) return name === 'SESSION CHARACTERISTICS' ? modes.map(asDefault) : modes
  return [{ name: name.toLowerCase().replaceAll(' ', '_'), values: valuesOf(args), kind: 'set', local: true }]
}

const asDefault = (mode: Setting): Setting => ({ ...mode, name: `default_${mode.name}`, local: false })

const valuesOf = (args: readonly Node[] | undefined): readonly string[] | undefined => {
  const values = (args ?? []).map((arg) => constantText('TypeCast' in arg ? arg.TypeCast.arg : arg))
  return values.every((value) => typeof value === 'string') ? values : undefined
}

export const readFetch: Reader<FetchStmt> = ({ portalname, ismove }) => ({
  tag: ismove ? 'MOVE' : 'FETCH',
  fetches: { cursor: portalname ?? '', moves: ismove ?? false },
  effects: [effect('read', 'cursor', { name: portalname ?? '' })],
  readOnlyByText: 'if-functions-are',
})

export const readClose: Reader<ClosePortalStmt> = ({ portalname }) => ({
  ...harmless('CLOSE CURSOR'),
  closes: portalname === undefined ? 'all' : { cursor: portalname },
})

export const readDeallocate: Reader<DeallocateStmt> = ({ name }) => ({
  ...harmless('DEALLOCATE'),
  deallocates: name === undefined ? 'all' : { name },
})

const TARGETS = {
  DISCARD_ALL: 'all',
  DISCARD_PLANS: 'plans',
  DISCARD_SEQUENCES: 'sequences',
  DISCARD_TEMP: 'temp',
} as const

export const readDiscard: Reader<DiscardStmt> = ({ target }) => ({
  tag: 'DISCARD',
  discards: TARGETS[target ?? 'DISCARD_ALL'],
  effects: [effect('configure', 'statement', { name: 'DISCARD' })],
})

export const readListen: Reader<ListenStmt> = ({ conditionname }) => ({
  tag: 'LISTEN',
  listens: { channel: conditionname ?? '' },
  effects: [effect('read', 'channel', { name: conditionname ?? '' })],
})

export const readUnlisten: Reader<UnlistenStmt> = ({ conditionname }) => ({
  ...harmless('UNLISTEN'),
  unlistens: conditionname === undefined ? 'all' : { channel: conditionname },
})

/** The payload is a constant of the statement, so it carries nothing that its sender does not know. */
export const readNotify: Reader<NotifyStmt> = ({ conditionname }) => ({
  tag: 'NOTIFY',
  notifies: { channel: conditionname ?? '' },
  effects: [effect('write', 'channel', { name: conditionname ?? '' })],
})

/** Concerns the session alone. */
export const harmless = (tag: string): Draft => ({
  tag,
  effects: [effect('configure', 'statement', { name: tag })],
  readOnlyByText: 'if-functions-are',
})
