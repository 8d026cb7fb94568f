import { changesNaming, type Command, type Facts, type TransactionControl } from '@countersign/sql'
import type { SessionEffects } from './postgres-judgement.ts'

/** What nearly every statement does to its session. */
export const NO_EFFECTS: SessionEffects = {
  any: false,
  changesNames: false,
  changesHandles: false,
  says: false,
  changesCatalogue: false,
  taints: false,
  endsTransaction: false,
  endsPortals: false,
}

const STRUCTURAL = new Set(['create', 'alter', 'drop', 'grant', 'unknown'])

/**
 * What a command changes in the session's own state, once it has succeeded. `sensitive`: it may touch such columns.
 * `types`: of its parameters.
 */
export const effectsOf = (
  command: Command | undefined,
  facts: Facts,
  sql: string,
  { sensitive = true, types = [] }: { sensitive?: boolean; types?: readonly number[] } = {},
): SessionEffects => {
  if (!command || (command.readOnlyByText !== 'never' && isQuiet(facts) && isPlain(command))) return NO_EFFECTS
  const { prepares, deallocates, declares, executes, fetches, settings, closes, transaction } = command
  const ends = transaction !== undefined && !['begin', 'savepoint', 'release'].includes(transaction.kind)
  const text = command.inner?.runs === 'later' || declares !== undefined ? (command.analysable ?? sql) : sql
  return {
    any: true,
    changesNames: changesNames(command, facts),
    changesHandles: facts.behind.handles,
    taints: taints(facts, sensitive),
    says: settings.some(({ name }) => SAYING.test(name)),
    changesCatalogue: facts.uses.some(({ action, temporary }) => STRUCTURAL.has(action) && !temporary),
    endsTransaction: ends,
    ...(transaction && transactionAfter(transaction)),
    endsPortals: ends && transaction?.kind !== 'rollback-to',
    ...(prepares !== undefined && { prepares: { name: prepares, text, types } }),
    ...(executes && { executes: executes.name }),
    ...(deallocates && { deallocates: deallocates === 'all' ? 'ALL' : deallocates.name }),
    ...(closes && { closes: closes === 'all' ? 'ALL' : closes.cursor }),
    ...(command.discards === 'all' && { deallocates: 'ALL' as const, closes: 'ALL' as const }),
    ...(declares !== undefined && { declares: { name: declares, text, types, holds: command.holds === true } }),
    ...(fetches && { fetches: fetches.cursor }),
  }
}

/** A savepoint leaves a transaction where it was. */
const transactionAfter = ({ kind, chain }: TransactionControl): { readonly transaction?: 'idle' | 'open' } => {
  if (kind === 'savepoint' || kind === 'release') return {}
  return { transaction: kind === 'begin' || kind === 'rollback-to' || chain ? 'open' : 'idle' }
}

const isQuiet = ({ readOnly, behind }: Facts): boolean => readOnly && !behind.names && !behind.handles

/** Nothing in it is about the session. */
const isPlain = ({
  prepares,
  deallocates,
  declares,
  closes,
  settings,
  transaction,
  discards,
  creates,
}: Command): boolean =>
  prepares === undefined &&
  deallocates === undefined &&
  declares === undefined &&
  closes === undefined &&
  transaction === undefined &&
  discards === undefined &&
  settings.length === 0 &&
  creates.length === 0

/** Code that we have not read to its end may have filled temporary tables from anywhere. */
const taints = ({ readOnly, uses }: Facts, sensitive: boolean): boolean =>
  !readOnly &&
  (uses.some(({ action }) => action === 'execute' || action === 'unknown') ||
    (sensitive && uses.some(({ temporary, action }) => temporary && action !== 'read')))

const changesNames = (command: Command, { readOnly, uses, behind }: Facts): boolean =>
  behind.names ||
  command.discards !== undefined ||
  command.settings.some(changesNaming) ||
  command.creates.some(({ temporary }) => temporary) ||
  uses.some(({ temporary, action }) => temporary && STRUCTURAL.has(action)) ||
  (!readOnly && uses.some(({ action }) => STRUCTURAL.has(action)))

const SAYING = /^countersign\.(reason|ticket)$/i
