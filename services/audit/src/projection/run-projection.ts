import { MigrationError } from '@countersign/clickhouse'
import type { EventLog } from '@countersign/eventlog'
import { openCurrentGeneration, type AuditDatabase } from '../store/generations.ts'
import { followLog } from './follow-log.ts'
import { untilDone } from './patience.ts'
import type { Status } from './status.ts'

export interface ProjectionOptions {
  readonly log: EventLog
  readonly server: AuditDatabase
  readonly status: Status
  readonly signal: AbortSignal
  readonly now: () => number
  /** Called each time that it starts on a generation: its schema is there, and rows will follow. */
  readonly ready?: (data: string) => void
}

/**
 * Keeps ClickHouse up to date with the log for as long as the signal lets it: through outages of either, and on to
 * the next generation when a rebuild has made one.
 *
 * Resolves when it was told to stop; rejects with `MigrationError` when the schema in ClickHouse does not belong to
 * this version, which waiting does not cure.
 */
export const runProjection = async (options: ProjectionOptions): Promise<void> => {
  const { status, signal } = options
  const failed = (error: unknown) => {
    if (!signal.aborted) status.failed('clickhouse', error)
  }
  try {
    await untilDone(() => projectCurrent(options), { signal, failed, isFinal: isIncurable })
  } catch (error) {
    if (!signal.aborted) throw error
  }
}

const projectCurrent = async ({ server, status, ready, ...options }: ProjectionOptions): Promise<void> => {
  const data = await openCurrentGeneration(server)
  await followLog({ ...options, server, status, data, ready: () => ready?.(data) })
}

const isIncurable = (error: unknown): boolean => error instanceof MigrationError && error.code !== 'MIGRATION_FAILED'
