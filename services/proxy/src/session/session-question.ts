import { cstring, FRONTEND, int16, int32, message, parse, ProtocolError, SYNC } from '@countersign/pgwire'
import { temporaryQuery } from '@countersign/sql'
import { randomUUID } from 'node:crypto'

/** What only the server knows of a session. */
export interface SessionTold {
  /** `current_schemas(true)`, without the temporary schema. */
  readonly searchPath: readonly string[]
  readonly temporary: readonly (readonly [string, 'table' | 'other'])[]
  /** `countersign.reason` and `countersign.ticket`, where they are set. */
  readonly reason: string | undefined
  readonly ticket: string | undefined
}

export type Answer = readonly (readonly (string | null)[])[]

/** One row with no name, and one for each temporary relation. */
const SQL = `SELECT NULL, pg_catalog.json_build_object(
    'path', pg_catalog.current_schemas(true),
    'reason', pg_catalog.current_setting('countersign.reason', true),
    'ticket', pg_catalog.current_setting('countersign.ticket', true))::pg_catalog.text UNION ALL${temporaryQuery}`

/** No name of a client's: what a client has prepared must not be in the way, nor be replaced. */
const NAME = `countersign ${randomUUID()}`

const close = (kind: 'S' | 'P'): Buffer => message(FRONTEND.close, Buffer.from(kind), cstring(NAME))

export const FLUSH: Buffer = message(FRONTEND.flush)

/** Not by a simple query, which would take the place of the client's unnamed statement. */
const QUESTION: Buffer = Buffer.concat([
  parse(NAME, SQL),
  message(FRONTEND.bind, cstring(NAME), cstring(NAME), int16(0), int16(0), int16(0)),
  message(FRONTEND.execute, cstring(NAME), int32(0)),
  close('P'),
  close('S'),
])

/** Between two groups. */
export const SESSION_QUESTION: Buffer = Buffer.concat([QUESTION, SYNC])

/** In the middle of a group, which must not end by it. */
export const SESSION_QUESTION_WITHIN: Buffer = Buffer.concat([QUESTION, FLUSH])

/** How many CloseComplete end the answer to the latter. */
export const CLOSES_WITHIN = 2

/** Throws `ProtocolError` when the answer is not what was asked for. */
export const toldIn = (rows: Answer): SessionTold => {
  const temporary: [string, 'table' | 'other'][] = []
  let said: { path?: unknown; reason?: unknown; ticket?: unknown } | undefined
  for (const [name, value] of rows) {
    if (typeof name === 'string') temporary.push([name, value === 'table' ? 'table' : 'other'])
    else said = jsonOf(value) as typeof said
  }
  if (!Array.isArray(said?.path))
    throw new ProtocolError('PGWIRE_UNEXPECTED', 'the server has not said what names mean')
  const searchPath = said.path.map(String).filter((schema) => !schema.startsWith('pg_temp'))
  return { searchPath, temporary, reason: sayingOf(said.reason), ticket: sayingOf(said.ticket) }
}

const jsonOf = (value: string | null | undefined): unknown => {
  try {
    return JSON.parse(value ?? '')
  } catch {
    return undefined
  }
}

/** What is set to nothing is not set. */
const sayingOf = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' ? value.slice(0, SAID_LENGTH_MAX) : undefined

const SAID_LENGTH_MAX = 500
