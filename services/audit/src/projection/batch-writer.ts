import type { ClickHouseClient } from '@countersign/clickhouse'
import type { Topic } from '@countersign/contracts'
import { after, type Cursor, type LogRecord } from '@countersign/eventlog'
import { hasEarly, headsBefore, recall } from '../store/look-up.ts'
import { entriesOf, readPositions, storePositions, type Positions } from '../store/positions.ts'
import { writeRows } from '../store/write-rows.ts'
import { emptyMemory, forget, type Memory } from './memory.ts'
import { needsOf } from './needs.ts'
import { project } from './project.ts'
import { readBatch } from './read-batch.ts'
import { readRecord, type Reading } from './read-record.ts'
import type { Rows } from './rows/index.ts'

/** Does it, and again for as long as ClickHouse fails; rejects only when there is no sense in going on. */
export type Persist = <Result>(what: () => Promise<Result>) => Promise<Result>

export interface BatchWriter {
  /** For each topic, what comes next. */
  readonly positions: () => Positions
  /** Resolves, with what the records became, when all of it is stored. Takes one batch after the other. */
  readonly write: (records: readonly LogRecord[]) => Promise<Rows>
}

/** Goes on in a data database where the last run got to: after the last position that was stored there. */
export const openBatchWriter = async (client: ClickHouseClient, persist: Persist): Promise<BatchWriter> => {
  let positions = await persist(() => readPositions(client, 'rows'))
  const memory = emptyMemory(await persist(() => hasEarly(client)))

  const write = async (records: readonly LogRecord[]): Promise<Rows> => {
    const readings = records.map(readRecord)
    await learnHeads(client, persist, memory, readings, positions)
    const batch = readBatch(readings, memory.heads)
    const needs = needsOf(batch.placed, memory)
    const early = await persist(() => recall(client, needs, memory))
    const rows = project(batch, memory, early)

    // Nothing of a record is forgotten by a crash in here: the next run starts at `positions` and writes it all again.
    const reached = advanced(positions, records)
    await persist(() => writeRows(client, rows, tokenOf(reached, positions)))
    await persist(() => storePositions(client, 'rows', reached))
    positions = { ...positions, ...reached }
    forget(memory, rows)
    return rows
  }
  return { positions: () => positions, write }
}

const learnHeads = async (
  client: ClickHouseClient,
  persist: Persist,
  memory: Memory,
  readings: readonly Reading[],
  positions: Positions,
): Promise<void> => {
  for (const [topic, streams] of unknownStreams(readings, memory)) {
    const heads = await persist(() => headsBefore(client, topic, [...streams], positions[topic] ?? {}))
    for (const stream of streams) memory.heads[topic].set(stream, heads.get(stream) ?? 0)
  }
}

const unknownStreams = (readings: readonly Reading[], { heads }: Memory): Map<Topic, Set<string>> => {
  const unknown = new Map<Topic, Set<string>>()
  for (const reading of readings) {
    if (!('commit' in reading)) continue
    const { topic } = reading.record
    if (heads[topic].has(reading.commit.stream)) continue
    unknown.set(topic, (unknown.get(topic) ?? new Set()).add(reading.commit.stream))
  }
  return unknown
}

/** The new cursors of the topics that the records belong to. */
const advanced = (positions: Positions, records: readonly LogRecord[]): Positions => {
  const reached: Partial<Record<Topic, Cursor>> = {}
  for (const record of records) {
    reached[record.topic] = after(reached[record.topic] ?? positions[record.topic] ?? {}, record)
  }
  return reached
}

/** Names a batch by the stretches of the log that it covers. */
const tokenOf = (reached: Positions, before: Positions): string =>
  entriesOf(reached)
    .flatMap(([topic, cursor]) =>
      Object.entries(cursor).map(([p, next]) => `${topic}/${p}:${before[topic]?.[Number(p)] ?? 0}-${next}`),
    )
    .sort()
    .join(',')
