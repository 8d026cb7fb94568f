import { array, assert, integer, property, record, shuffledSubarray, subarray } from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { LogRecord } from '@countersign/eventlog'
import { openStory } from '../testing/story.ts'
import { emptyMemory, forget, type Memory } from './memory.ts'
import { needsOf } from './needs.ts'
import { project, type EarlyEndings, type Ending } from './project.ts'
import { readBatch } from './read-batch.ts'
import { readEvent, readRecord } from './read-record.ts'
import type { EventRow } from './rows/event-row.ts'
import type { EarlyRow, Rows } from './rows/index.ts'

/*
 * The projection against tables that behave like ours in ClickHouse: of two rows with one key, the higher version
 * stays, else the later one. It is cut into batches anywhere, and killed anywhere: after some tables were written and
 * others not, and with no position stored.
 */

type AnyRow = Readonly<Record<string, unknown>>
type Tables = Readonly<Record<keyof Rows, Map<string, AnyRow>>>

const KEYS: Readonly<Record<keyof Rows, readonly string[]>> = {
  events: ['topic', 'partition', 'offset', 'event_index'],
  quarantine: ['topic', 'partition', 'offset', 'event_index'],
  sessions: ['person', 'principal_id', 'opened_at', 'session_id'],
  statements: ['person', 'principal_id', 'started_at', 'session_id', 'sequence'],
  touches: ['environment', 'db_namespace', 'relation', 'started_at', 'statement_id', 'touch_index'],
  approvals: ['request_id'],
  votes: ['request_id', 'voted_at', 'log_partition', 'log_offset', 'event_index'],
  coverage: ['node', 'worker', 'time', 'log_partition', 'log_offset', 'event_index'],
  _early: ['type', 'id', 'topic', 'partition', 'offset', 'event_index'],
}
const TIMEOUT_MS = 60_000
const NAMES = Object.keys(KEYS) as (keyof Rows)[]

const emptyTables = (): Tables => Object.fromEntries(NAMES.map((name) => [name, new Map()])) as unknown as Tables

const insert = (tables: Tables, name: keyof Rows, rows: Rows): void => {
  for (const row of rows[name] as readonly AnyRow[]) {
    const key = JSON.stringify(KEYS[name].map((column) => row[column]))
    const there = tables[name].get(key)
    if (Number(there?.['_version'] ?? 0) <= Number(row['_version'] ?? 0)) tables[name].set(key, row)
  }
}

/** What recall and headsBefore ask ClickHouse for. */
const remember = (tables: Tables, memory: Memory, needs: ReturnType<typeof needsOf>): EarlyEndings => {
  const take = (name: 'sessions' | 'statements' | 'approvals', key: string) => {
    const found = [...tables[name].values()].filter((row) => needs[name].includes(String(row[key])))
    for (const row of found) (memory[name] as Map<string, unknown>).set(String(row[key]), structuredClone(row))
  }
  take('sessions', 'session_id')
  take('statements', 'statement_id')
  take('approvals', 'request_id')
  const early = [...tables['_early'].values()] as unknown as EarlyRow[]
  return new Map(early.filter(({ id }) => needs.beginnings.includes(id)).map((row) => [row.id, endingOf(row)]))
}

const endingOf = ({ topic, partition, offset, event_index, event }: EarlyRow) => ({
  event: readEvent(topic as LogRecord['topic'], JSON.parse(event)) as Ending,
  place: { topic: topic as LogRecord['topic'], partition, offset, index: event_index },
})

const headOf = (
  tables: Tables,
  stream: string,
  done: ReadonlySet<LogRecord>,
  records: readonly LogRecord[],
): number => {
  const before = new Set(
    records.filter((r) => done.has(r)).map(({ topic, partition, offset }) => `${topic} ${partition} ${offset}`),
  )
  const rows = [...tables.events.values()] as unknown as EventRow[]
  const standing = rows.filter(
    (r) => r.stream === stream && !r.void && before.has(`${r.topic} ${r.partition} ${r.offset}`),
  )
  return Math.max(0, ...standing.map(({ revision }) => revision))
}

interface Cut {
  readonly length: number
  /** The tables that were written before it was killed; without it, it was not killed. */
  readonly killedAfter?: readonly (keyof Rows)[] | undefined
}

const run = (records: readonly LogRecord[], cuts: readonly Cut[]): Tables => {
  const tables = emptyTables()
  const done = new Set<LogRecord>()
  let memory = emptyMemory(false)
  let at = 0
  for (let n = 0; at < records.length; n++) {
    const { length, killedAfter } = cuts[n] ?? { length: records.length }
    const batch = records.slice(at, at + length)
    const readings = batch.map(readRecord)
    for (const reading of readings) {
      if (!('commit' in reading)) continue
      const heads = memory.heads[reading.record.topic]
      const { stream } = reading.commit
      if (!heads.has(stream)) heads.set(stream, headOf(tables, stream, done, records))
    }
    const read = readBatch(readings, memory.heads)
    const early = remember(tables, memory, needsOf(read.placed, memory))
    const rows = project(read, memory, early)
    for (const name of killedAfter ?? NAMES) insert(tables, name, rows)
    if (killedAfter) {
      memory = emptyMemory(tables['_early'].size > 0)
      continue
    }
    forget(memory, rows)
    for (const record of batch) done.add(record)
    at += length
  }
  return tables
}

/** What people can read: all but what is our own. */
const readable = (tables: Tables): readonly string[] =>
  NAMES.filter((name) => name !== '_early').flatMap((name) =>
    Array.from(tables[name].values(), (row) => `${name} ${JSON.stringify(row)}`).sort(),
  )

const cut = record(
  { length: integer({ min: 1, max: 12 }), killedAfter: subarray(NAMES, { minLength: 0 }) },
  { requiredKeys: ['length'] },
)

const told = (seed: number) => {
  const story = openStory(seed)
  return { records: story.tell(120), truth: story.truth }
}

/** The records of a story as a log with some partitions delivers them: in order within each, else in any. */
const delivered = (seed: number, order: readonly number[]): readonly LogRecord[] => {
  const partitions: LogRecord[][] = [[], [], []]
  const offsets = new Map<string, number>()
  for (const one of told(seed).records) {
    const partition = [...one.key].reduce((sum, char) => sum + char.charCodeAt(0), 0) % partitions.length
    const place = `${one.topic}/${partition}`
    offsets.set(place, (offsets.get(place) ?? -1) + 1)
    partitions[partition]?.push({ ...one, partition, offset: offsets.get(place) ?? 0 })
  }
  const merged: LogRecord[] = []
  for (let n = 0; partitions.some((left) => left.length > 0); n++) {
    const from = partitions[(order[n % order.length] ?? 0) % partitions.length]
    merged.push(...(from?.splice(0, 1 + ((n * 11) % 23)) ?? []))
    if (n > 100_000) throw new Error('the order leaves a partition out')
  }
  return merged
}

const order = shuffledSubarray([0, 1, 2, 0, 1, 2], { minLength: 6 })

describe('the projection', () => {
  it(
    'makes the rows that the story tells of',
    () => {
      assert(
        property(integer(), order, (seed, order) => {
          const tables = run(delivered(seed, order), [])
          const { truth } = told(seed)
          expect(tables.statements.size).toBe(truth.statements.size)
          expect(tables.sessions.size).toBe(truth.sessions.size)
          expect(tables.touches.size).toBe(truth.touches)
          expect(tables.events.size).toBe(truth.events)
        }),
        { numRuns: 10 },
      )
    },
    TIMEOUT_MS,
  )

  it(
    'makes the same rows however it is cut, and whenever it is killed',
    () => {
      assert(
        property(integer(), order, array(cut, { minLength: 15, maxLength: 40 }), (seed, order, cuts) => {
          const records = delivered(seed, order)
          expect(readable(run(records, cuts))).toEqual(readable(run(records, [])))
        }),
        { numRuns: 30 },
      )
    },
    TIMEOUT_MS,
  )

  it(
    'makes the same rows in whatever order partitions are read',
    () => {
      assert(
        property(integer(), order, order, (seed, one, other) => {
          expect(readable(run(delivered(seed, one), []))).toEqual(readable(run(delivered(seed, other), [])))
        }),
        { numRuns: 15 },
      )
    },
    TIMEOUT_MS,
  )
})
