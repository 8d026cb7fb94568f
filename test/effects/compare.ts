import { hash } from 'node:crypto'
import type { AccessEvent } from '@countersign/contracts'
import type { Measured } from './run-scripts.ts'

/*
 * What the node has said of each statement, beside what the server has seen it do.
 */

export interface Claim {
  readonly text: string
  readonly actions: readonly string[]
  readonly relations: readonly { readonly name: string; readonly actions: readonly string[] }[]
  readonly readOnly: boolean
}

/** What one message of a client did: everything that the server has written down of it. */
export interface Deed {
  readonly text: string
  readonly xid: boolean
  readonly wal: number
  readonly rows: readonly RowsOf[]
  readonly locks: readonly LockOf[]
  readonly advisory: number
  readonly objects: readonly (readonly [what: 'c' | 'a' | 'd' | 't', catalogue: number, object: number])[]
  readonly settings: readonly string[]
}

export type Named = readonly [schema: string, name: string, kind: string, persistence: string]
export type LockOf = readonly [...Named, modes: number]
export type RowsOf = readonly [...Named, inserted: number, updated: number, deleted: number, above: readonly Named[]]

export interface Pair {
  readonly claims: readonly Claim[]
  readonly deed: Deed
}

export interface Comparison {
  readonly statements: number
  readonly readOnly: number
  readonly pairs: readonly Pair[]
  /** Said to be read-only, and not. */
  readonly falselyReadOnly: readonly { readonly pair: Pair; readonly because: string }[]
  /** Rows changed in a relation of which nothing was said. */
  readonly untold: readonly { readonly pair: Pair; readonly relations: readonly string[] }[]
  /** Objects made, altered or dropped by what was said to do nothing of the kind. */
  readonly unstructured: readonly Pair[]
}

export const compare = ({ events, lines }: Pick<Measured, 'events' | 'lines'>): Comparison => {
  const claims = claimsBySession(events as readonly AccessEvent[])
  const deeds = deedsByProcess(lines)
  const pairs = [...claims.values()].flatMap(({ processId, said }) => paired(said, deeds.get(processId) ?? []))
  const all = [...claims.values()].flatMap(({ said }) => said)
  return {
    statements: all.length,
    readOnly: all.filter(({ claim }) => claim.readOnly).length,
    pairs,
    falselyReadOnly: pairs.flatMap((pair) => {
      const because = pair.claims.every(({ readOnly }) => readOnly) && !isUndone(pair) ? effectOf(pair.deed) : undefined
      return because === undefined ? [] : [{ pair, because }]
    }),
    untold: pairs.flatMap((pair) => {
      const relations = untoldOf(pair)
      return relations.length > 0 ? [{ pair, relations }] : []
    }),
    unstructured: pairs.filter(isUnstructured),
  }
}

// -- reading ----------------------------------------------------------------------------------------------------------

interface Said {
  readonly digest: string
  readonly claim: Claim
}

const claimsBySession = (events: readonly AccessEvent[]) => {
  const sessions = new Map<string, { processId: number; said: Said[] }>()
  for (const { type, data } of events) {
    if (type === 'session.opened') sessions.set(data.sessionId, { processId: data.upstream.processId, said: [] })
    if (type !== 'statement.intended') continue
    const { text, actions, relations, readOnly, digest } = data
    sessions.get(data.sessionId)?.said.push({ digest, claim: { text, actions, relations, readOnly } })
  }
  return sessions
}

interface Line extends Omit<Deed, 'text' | 'settings'> {
  readonly pid: number
  readonly at: string
  readonly q: string
  readonly settings?: string
}

/** Lines of one message stand together, because a process does one thing at a time. */
const deedsByProcess = (lines: readonly string[]): ReadonlyMap<number, readonly Deed[]> => {
  const processes = new Map<number, { at: string; q: string; lines: Line[] }[]>()
  for (const text of lines) {
    const line = JSON.parse(text) as Line
    const messages = processes.get(line.pid) ?? []
    const last = messages.at(-1)
    if (last && last.at === line.at && last.q === line.q) last.lines.push(line)
    else messages.push({ at: line.at, q: line.q, lines: [line] })
    processes.set(line.pid, messages)
  }
  return new Map([...processes].map(([pid, messages]) => [pid, messages.map(({ lines: own }) => deedOf(own))]))
}

const deedOf = (lines: readonly Line[]): Deed => ({
  text: lines[0]?.q ?? '',
  xid: lines.some(({ xid }) => xid),
  wal: lines.reduce((sum, { wal }) => sum + wal, 0),
  rows: lines.flatMap(({ rows }) => rows ?? []),
  locks: lines.flatMap(({ locks }) => locks ?? []),
  advisory: lines.reduce((sum, { advisory }) => sum + Math.abs(advisory ?? 0), 0),
  objects: lines.flatMap(({ objects }) => objects),
  settings: lines.flatMap(({ settings }) => settings ?? []),
})

// -- pairing ----------------------------------------------------------------------------------------------------------

/** Both are in the order in which things happened. The node asks the server things of its own in between. */
const paired = (said: readonly Said[], deeds: readonly Deed[]): readonly Pair[] => {
  const digests = new Set(said.map(({ digest }) => digest))
  const own = deeds
    .map((deed) => ({ deed, digest: hash('sha256', deed.text, 'hex') }))
    .filter(({ digest }) => digests.has(digest))
  const pairs: Pair[] = []
  let at = 0
  for (let next = 0; next < own.length;) {
    const digest = own[next]?.digest
    const messages = runOf(own, next, (each) => each.digest === digest)
    next += messages.length
    while (at < said.length && said[at]?.digest !== digest) at += 1
    const claims = runOf(said, at, (each) => each.digest === digest)
    at += claims.length
    pairs.push(
      ...together(
        claims,
        messages.map(({ deed }) => deed),
      ),
    )
  }
  return pairs
}

const runOf = <T>(items: readonly T[], from: number, belongs: (item: T) => boolean): readonly T[] => {
  const beyond = items.findIndex((item, index) => index >= from && !belongs(item))
  return items.slice(from, beyond < 0 ? undefined : beyond)
}

/** Several statements of one message, or one message for each; where nobody can say, each deed against all of them. */
const together = (said: readonly Said[], deeds: readonly Deed[]): readonly Pair[] => {
  const claims = said.map(({ claim }) => claim)
  if (claims.length === 0) return []
  if (claims.length === deeds.length)
    return deeds.map((deed, index) => ({ deed, claims: claims.slice(index, index + 1) }))
  return deeds.map((deed) => ({ deed, claims }))
}

// -- judging ----------------------------------------------------------------------------------------------------------

const TEMPORARY = 't'

/** The first thing about a deed that no reading does. */
export const effectOf = ({ xid, rows, locks, advisory, objects, settings }: Deed): string | undefined => {
  if (rows.length > 0) return `rows of ${rows.map(fullName).join(', ')}`
  if (objects.some(([what]) => what !== 'd'))
    return `objects ${objects.map(([what, catalogue]) => `${what}${catalogue}`).join(' ')}`
  if (xid) return 'a transaction number'
  if (objects.length > 0) return 'objects dropped'
  const strong = locks.filter(([, , , , modes]) => (modes & ~PLANNED) !== 0)
  if (strong.length > 0) return `locks ${strong.map((lock) => `${fullName(lock)} ${lock[4]}`).join(', ')}`
  if (advisory > 0) return 'an advisory lock'
  return settings.length > 0 ? `settings ${settings.join(' ')}` : undefined
}

/**
 * Bits of ACCESS SHARE, ROW SHARE and ROW EXCLUSIVE. To plan a change, or to look at a sequence, takes the last of them
 * and writes nothing: PREPARE and EXPLAIN of an UPDATE, `currval`. What it keeps out is that the structure be changed.
 */
const PLANNED = 0b1110

const fullName = ([schema, name]: Named | RowsOf | LockOf): string => `${schema}.${name}`

const CHANGES = new Set([
  'write',
  'delete',
  'truncate',
  'create',
  'alter',
  'drop',
  'copyIn',
  'maintain',
  'administer',
  'grant',
])

const untoldOf = ({ claims, deed }: Pair): readonly string[] => {
  if (claims.some(({ actions }) => actions.includes('unknown') || actions.includes('transact'))) return []
  const told = new Set(
    claims.flatMap(({ relations }) =>
      relations.filter(({ actions }) => actions.some((action) => CHANGES.has(action))).map(({ name }) => name),
    ),
  )
  return deed.rows
    .filter(([schema, , , persistence]) => persistence !== TEMPORARY && !schema.startsWith('pg_') && schema !== GONE)
    .filter((rows) => ![rows, ...rows[7]].some((one) => told.has(fullName(one)) || told.has(one[1])))
    .map(fullName)
}

/** Dropped by the very statement: it has no name any more. */
const GONE = '?'

/** A rollback takes back what was made. */
const isUndone = ({ claims, deed: { xid, rows, objects } }: Pair): boolean =>
  claims.every(({ actions }) => actions.includes('transact')) &&
  !xid &&
  rows.length === 0 &&
  objects.every(([what]) => what === 'd')

/** Large objects come and go without a structure that they would change; who makes them calls a function. */
const LARGE_OBJECTS = 2613

const STRUCTURAL = new Set(['create', 'alter', 'drop', 'grant', 'truncate', 'maintain', 'administer', 'unknown'])

const isUnstructured = ({ claims, deed }: Pair): boolean =>
  deed.objects.some(([, catalogue]) => catalogue !== LARGE_OBJECTS) &&
  !claims.some(({ actions }) => actions.includes('transact')) &&
  !claims.some(({ actions }) => actions.some((action) => STRUCTURAL.has(action)))
