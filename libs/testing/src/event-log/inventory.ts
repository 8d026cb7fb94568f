import { TOPICS } from '@countersign/contracts'
import type { Cursor, EventLog, LogOptions, LogRecord } from '@countersign/eventlog'
import { collect } from './collect.ts'
import { runJob, type RunningJob } from './run-job.ts'
import { isWhole } from './whole.ts'

const topic = TOPICS.access

/** A process that writes to `cs.access` until it is killed, and tells of everything that was acknowledged to it. */
export const runWriter = (options: LogOptions, prefix: string): RunningJob =>
  runJob({ kind: 'append', options, topic, key: prefix, prefix, inFlight: 8, bytesMax: 20_000 })

/** What the writers were told, held against what the log holds. */
export interface Inventory {
  readonly acked: number
  /** Acknowledged, and not where they were said to be. */
  readonly lost: readonly string[]
  /** There, and not as they were written. */
  readonly torn: readonly string[]
  /** There more than once. */
  readonly doubled: readonly string[]
}

export const inventory = async (log: EventLog, from: Cursor, writers: readonly RunningJob[]): Promise<Inventory> => {
  const records = await everythingSince(log, from)
  const at = Map.groupBy(records, idOf)
  const acked = writers.flatMap(({ said }) => said.flatMap((one) => (one.said === 'acked' ? [one] : [])))
  const lost = acked.filter(
    ({ id, partition, offset }) => !at.get(id)?.some((r) => r.partition === partition && r.offset === offset),
  )
  return {
    acked: acked.length,
    lost: lost.map(({ id }) => id),
    torn: records.filter((record) => !isWhole(record)).map(idOf),
    doubled: Array.from(at).flatMap(([id, copies]) => (copies.length > 1 ? [id] : [])),
  }
}

const everythingSince = async (log: EventLog, from: Cursor): Promise<readonly LogRecord[]> => {
  const end = await log.end(topic)
  const isBehind = (records: readonly LogRecord[]) => {
    const reached = new Map(records.map(({ partition, offset }) => [partition, offset + 1]))
    return Object.entries(end).every(([p, offset]) => (reached.get(Number(p)) ?? from[Number(p)] ?? 0) >= offset)
  }
  const collected = collect(log, topic, from)
  const records = await collected.until(isBehind)
  await collected.close()
  return records
}

const idOf = ({ headers, partition, offset }: LogRecord) => headers['id'] ?? `${partition}/${offset}`
