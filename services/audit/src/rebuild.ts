import type { EventLog } from '@countersign/eventlog'
import { followLog } from './projection/follow-log.ts'
import { PROJECTED_TOPICS } from './projection/read-record.ts'
import { Status, type FaultListener } from './projection/status.ts'
import { createGeneration, dataDatabase, makeCurrent, type AuditDatabase } from './store/generations.ts'
import type { Positions } from './store/positions.ts'

export interface RebuildOptions {
  readonly log: EventLog
  readonly server: AuditDatabase
  readonly signal: AbortSignal
  readonly now: () => number
  readonly told?: FaultListener
}

/**
 * Projects the whole log into a new generation, and when that has come as far as the log reached, lets people read
 * it in place of the old one, which is dropped. Readers see the old one until then. An auditor that runs meanwhile
 * goes on with the new one by itself. Resolves to the name of the new data database.
 */
export const rebuild = async ({ log, server, signal, now, told }: RebuildOptions): Promise<string> => {
  const generation = await createGeneration(server)
  const data = dataDatabase(server, generation)
  const end = await endOf(log)
  await followLog({
    log,
    server,
    data,
    signal,
    now,
    status: new Status(told),
    isDone: (written) => reaches(written, end),
  })
  await makeCurrent(server, generation)
  return data
}

const endOf = async (log: EventLog): Promise<Positions> => {
  const ends = await Promise.all(PROJECTED_TOPICS.map(async (topic) => [topic, await log.end(topic)] as const))
  return Object.fromEntries(ends)
}

const reaches = (written: Positions, end: Positions): boolean =>
  PROJECTED_TOPICS.every((topic) =>
    Object.entries(end[topic] ?? {}).every(([partition, next]) => (written[topic]?.[Number(partition)] ?? 0) >= next),
  )
