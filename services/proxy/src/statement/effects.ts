import type { Command, Facts } from '@countersign/sql'
import type { SessionEffects } from './judgement.ts'

const NONE: SessionEffects = { any: false, changesNames: false, changesCatalogue: false, endsTransaction: false }

/** Settings on which the meaning of names rests. */
const NAMING = new Set(['search_path', 'role', 'session_authorization'])

const STRUCTURAL = new Set(['create', 'alter', 'drop', 'grant', 'unknown'])

/** What a command changes in the session's own state, once it has succeeded. */
export const effectsOf = (command: Command | undefined, facts: Facts, sql: string): SessionEffects => {
  if (!command || (command.readOnlyByText !== 'never' && facts.readOnly && isPlain(command))) return NONE
  const { prepares, deallocates, declares, executes, fetches, settings } = command
  const says = settings.flatMap(({ name, values }) => sayingOf(name, values))[0]
  const text = command.inner?.runs === 'later' || declares !== undefined ? (command.analysable ?? sql) : sql
  return {
    any: true,
    changesNames: changesNames(command, facts),
    changesCatalogue: facts.uses.some(({ action, temporary }) => STRUCTURAL.has(action) && !temporary),
    endsTransaction:
      command.transaction !== undefined && !['begin', 'savepoint', 'release'].includes(command.transaction.kind),
    ...(prepares !== undefined && { prepares: { name: prepares, text } }),
    ...(executes && { executes: executes.name }),
    ...(deallocates && { deallocates: deallocates === 'all' ? 'ALL' : deallocates.name }),
    ...(command.discards === 'all' && { deallocates: 'ALL' as const }),
    ...(declares !== undefined && { declares: { name: declares, text } }),
    ...(fetches && { fetches: fetches.cursor }),
    ...(says && { says }),
  }
}

/** Nothing in it is about the session. */
const isPlain = ({ prepares, deallocates, declares, settings, transaction, discards, creates }: Command): boolean =>
  prepares === undefined &&
  deallocates === undefined &&
  declares === undefined &&
  transaction === undefined &&
  discards === undefined &&
  settings.length === 0 &&
  creates.length === 0

const PLAIN_DML = new Set(['INSERT', 'UPDATE', 'DELETE', 'MERGE', 'COPY', 'TRUNCATE TABLE', 'TRUNCATE'])

/** Code that we have not read to its end may set a path or make temporary tables as well. */
const changesNames = (command: Command, { readOnly, tag, uses }: Facts): boolean =>
  command.discards !== undefined ||
  command.settings.some(({ name, kind }) => kind === 'reset-all' || NAMING.has(name.toLowerCase())) ||
  command.creates.some(({ temporary }) => temporary) ||
  uses.some(({ temporary, action }) => temporary && STRUCTURAL.has(action)) ||
  (!readOnly &&
    !PLAIN_DML.has(tag) &&
    uses.some(({ action }) => action === 'execute' || action === 'unknown' || STRUCTURAL.has(action)))

const sayingOf = (name: string, values: readonly string[] | undefined): [] | [NonNullable<SessionEffects['says']>] => {
  const said = /^countersign\.(reason|ticket)$/i.exec(name)?.[1]?.toLowerCase()
  if (said !== 'reason' && said !== 'ticket') return []
  return [{ name: said, value: values?.join(', ').slice(0, SAID_LENGTH_MAX) || undefined }]
}

const SAID_LENGTH_MAX = 500
