import { cstring, FRONTEND, int16, int32, message, parse, ProtocolError, SYNC } from '@countersign/pgwire'
import { TEMPORARY, temporaryQuery, type TemporaryColumn } from '@countersign/sql'
import { randomUUID } from 'node:crypto'
import { misreadIn, READING } from '../statement/reading.ts'
import type { SessionView } from '../understanding/parser-jobs.ts'

/** What only the server knows of a session. */
export interface SessionTold {
  /** `current_schemas(true)`; with `pg_temp` only where others come before it. */
  readonly searchPath: readonly string[]
  readonly temporary: SessionView['temporary']
  /** `countersign.reason` and `countersign.ticket`, where they are set. */
  readonly reason: string | undefined
  readonly ticket: string | undefined
  /** Why the server reads statements in another way than we do; undefined when it does not. */
  readonly misread: string | undefined
  /** Cursors, portals (`c` and the name) and prepared statements (`p`), where they were asked for. */
  readonly handles?: ReadonlyMap<string, string>
}

export type Answer = readonly (readonly (string | null)[])[]

/** No name of a client's: what a client has prepared must not be in the way, nor be replaced. */
const NAME = `countersign ${randomUUID()}`

const READING_NOW = READING.map((name) => `'${name}', pg_catalog.current_setting('${name}')`).join(', ')

/** Names of cursors, portals and prepared statements, with when each came to be: that tells one from another. */
const HANDLES = `(SELECT pg_catalog.json_object_agg(kind OPERATOR(pg_catalog.||) name, since) FROM (
    SELECT 'c' AS kind, name, creation_time::pg_catalog.text AS since FROM pg_catalog.pg_cursors
    UNION ALL SELECT 'p', name, prepare_time::pg_catalog.text FROM pg_catalog.pg_prepared_statements) handles)`

/** One row with no name, and one for each temporary relation. */
const sqlOf = (handles: string, mark: string): string => `SELECT NULL, pg_catalog.json_build_object(
    'path', pg_catalog.current_schemas(true),
    'reason', pg_catalog.current_setting('countersign.reason', true),
    'ticket', pg_catalog.current_setting('countersign.ticket', true),
    'reading', pg_catalog.json_build_object(${READING_NOW}),
    'handles', ${handles},
    'mark', ${mark})::pg_catalog.text UNION ALL${temporaryQuery}`

const close = (kind: 'S' | 'P'): Buffer => message(FRONTEND.close, Buffer.from(kind), cstring(NAME))

export const FLUSH: Buffer = message(FRONTEND.flush)

/**
 * Not by a simple query, which would take the place of the client's unnamed statement. What the last one has left behind,
 * because it was cancelled or out of time before it came to its end, is closed first.
 */
const questionOf = (handles: string, mark?: string): Buffer => askedOf(sqlOf(handles, mark ?? 'NULL'))

const askedOf = (sql: string): Buffer =>
  Buffer.concat([
    close('S'),
    parse(NAME, sql),
    message(FRONTEND.bind, cstring(NAME), cstring(NAME), int16(0), int16(0), int16(0)),
    message(FRONTEND.execute, cstring(NAME), int32(0)),
    close('P'),
    close('S'),
  ])

interface Questions {
  /** Between two groups. */
  readonly between: Buffer
  /** In the middle of a group, which must not end by it. */
  readonly within: Buffer
}

const questions = (question: Buffer): Questions => ({
  between: Buffer.concat([question, SYNC]),
  within: Buffer.concat([question, FLUSH]),
})

/** Another question of our own, which has to be one that no search path makes another. */
export const questionFor = (sql: string, within: boolean): Buffer =>
  questions(askedOf(sql))[within ? 'within' : 'between']

const SHORT = questions(questionOf('NULL'))
const WITH_HANDLES = questions(questionOf(HANDLES))

export interface Asking {
  readonly within: boolean
  readonly handles: boolean
  /** The name that the session is to have at the server; until the transaction ends, when one is open. */
  readonly mark?: { readonly name: string; readonly local: boolean } | undefined
}

export const sessionQuestion = ({ within, handles, mark }: Asking): Buffer => {
  const known = mark ? questions(questionOf(handles ? HANDLES : 'NULL', settingOf(mark))) : undefined
  return (known ?? (handles ? WITH_HANDLES : SHORT))[within ? 'within' : 'between']
}

const settingOf = ({ name, local }: NonNullable<Asking['mark']>): string =>
  `pg_catalog.set_config('application_name', '${name.replaceAll("'", "''")}', ${local})`

/** How many CloseComplete there are in the answer. */
export const CLOSES = 3

/** Throws `ProtocolError` when the answer is not what was asked for. */
export const toldIn = (rows: Answer): SessionTold => {
  const temporary: SessionView['temporary'][number][] = []
  let said: { path?: unknown; reason?: unknown; ticket?: unknown; reading?: Texts; handles?: Texts } | undefined
  for (const [name, value] of rows) {
    if (typeof name === 'string') temporary.push([name, whatIs(value)])
    else said = jsonOf(value) as typeof said
  }
  if (!Array.isArray(said?.path))
    throw new ProtocolError('PGWIRE_UNEXPECTED', 'the server has not said what names mean')
  return {
    searchPath: pathIn(said.path.map(String)),
    temporary,
    reason: sayingOf(said.reason),
    ticket: sayingOf(said.ticket),
    misread: misreadIn(Object.entries(said.reading ?? {})),
    ...(said.handles && { handles: new Map(Object.entries(said.handles)) }),
  }
}

type Texts = Readonly<Record<string, string>>

const whatIs = (value: string | null | undefined): 'other' | readonly TemporaryColumn[] =>
  (jsonOf(value?.startsWith('[') ? value : undefined) as readonly TemporaryColumn[] | undefined) ?? 'other'

/** Where it is not named, the temporary schema comes first. */
const pathIn = ([first = '', ...others]: readonly string[]): readonly string[] =>
  [
    ...(isTemporary(first) ? [] : [first]),
    ...others.map((schema) => (isTemporary(schema) ? TEMPORARY : schema)),
  ].filter((schema) => schema !== '')

const isTemporary = (schema: string): boolean => schema.startsWith('pg_temp_')

const jsonOf = (value: string | null | undefined): unknown => {
  try {
    return JSON.parse(value ?? '')
  } catch {
    return undefined
  }
}

/** What is set to nothing, or to blanks, is not set. */
const sayingOf = (value: unknown): string | undefined =>
  typeof value === 'string' && value.trim() !== '' ? value.slice(0, SAID_LENGTH_MAX) : undefined

const SAID_LENGTH_MAX = 500
