import { openClickhouse } from '@countersign/clickhouse'
import type { Topic } from '@countersign/contracts'
import type { Cursor, EventLog, LogRecord } from '@countersign/eventlog'
import type { AuditDatabase } from '../store/generations.ts'
import type { Positions } from '../store/positions.ts'
import { openBatchWriter, type BatchWriter, type Persist } from './batch-writer.ts'
import { openIntake, type Intake } from './intake.ts'
import { openMinuteCounter, type MinuteCounter } from './minute-counter.ts'
import { delay, untilDone } from './patience.ts'
import { ProjectionError } from './projection-error.ts'
import { PROJECTED_TOPICS } from './read-record.ts'
import type { Status } from './status.ts'

export interface FollowOptions {
  readonly log: EventLog
  readonly server: AuditDatabase
  /** The database to write to: it has the newest schema. */
  readonly data: string
  readonly status: Status
  readonly signal: AbortSignal
  readonly now: () => number
  /** Called once, when it knows where to go on and can write. */
  readonly ready?: () => void
  /** Asked between batches; when it says so, what was written is counted, and that is it. */
  readonly isDone?: (written: Positions) => boolean
}

/**
 * How long after the one before a batch is started, at the earliest. Few large inserts cost less than many small, and
 * the machine may be the node's as well: the longer a batch takes, the more there is to do for others, so the longer
 * the rest. Never so long that a row would be later than a second.
 */
const PACE_MS_MIN = 200
const PACE_MS_MAX = 700
const PACE_OF_DURATION = 5

const paceAfter = (durationMs: number): number =>
  Math.min(PACE_MS_MAX, Math.max(PACE_MS_MIN, durationMs * PACE_OF_DURATION))

/**
 * Writes the log into a data database, from where the last run got to, until it is done or told to stop. Failures of
 * ClickHouse and of the log are waited out, and told to `status`.
 *
 * Rejects when the database is gone, which is how a rebuild takes over, and with the signal's reason.
 */
export const followLog = async (options: FollowOptions): Promise<void> => {
  const { log, server, data, status, now } = options
  const client = openClickhouse(server, data)
  // What still goes on when this ends, for whatever reason, must end with it.
  const ended = new AbortController()
  const signal = AbortSignal.any([options.signal, ended.signal])
  const persist = persistence(status, signal)
  let intake: Intake | undefined
  try {
    const writer = await openBatchWriter(client, persist)
    const counter = await openMinuteCounter(client, persist, writer.positions(), now)
    await demandSameLog(log, writer.positions(), status, signal)
    status.reached(writer.positions())
    intake = openIntake(log, PROJECTED_TOPICS, writer.positions(), tellOf(status))
    options.ready?.()
    await writeAsItComes(intake, writer, counter, { ...options, signal })
  } finally {
    ended.abort()
    await intake?.close()
    await client.close()
  }
}

const writeAsItComes = async (intake: Intake, writer: BatchWriter, counter: MinuteCounter, options: FollowOptions) => {
  const { status, signal, now } = options
  const isDone = () => options.isDone?.(writer.positions()) ?? false
  while (!isDone()) {
    await intake.ready(wakeAt(counter.dueIn(), signal))
    signal.throwIfAborted()
    const begun = now()
    await writeBatch(intake.take(), writer, counter, status)
    const pace = paceAfter(now() - begun)
    // Not waited for: counting a busy minute takes longer than a row may be late. What ends it ends the writing too.
    if (counter.dueIn() === 0) counter.count(writer.positions()).catch(() => {})
    await delay(Math.max(0, begun + pace - now()), signal)
  }
  await counter.count(writer.positions())
}

const writeBatch = async (
  records: readonly LogRecord[],
  writer: BatchWriter,
  counter: MinuteCounter,
  status: Status,
): Promise<void> => {
  if (records.length === 0) return
  const rows = await writer.write(records)
  counter.note(rows)
  status.wrote(records, rows)
  status.reached(writer.positions())
}

const wakeAt = (dueIn: number | undefined, signal: AbortSignal): AbortSignal =>
  dueIn === undefined ? signal : AbortSignal.any([signal, AbortSignal.timeout(dueIn)])

/** ClickHouse is waited for, whatever it says; but when what we write to is not there, someone has taken it away. */
const persistence =
  (status: Status, signal: AbortSignal): Persist =>
  async (what) => {
    const failed = (error: unknown) => {
      if (!signal.aborted) status.failed('clickhouse', error)
    }
    const result = await untilDone(what, { signal, failed, isFinal: isGone })
    status.works('clickhouse')
    return result
  }

const isGone = (error: unknown): boolean =>
  error instanceof Error && 'type' in error && (error.type === 'UNKNOWN_DATABASE' || error.type === 'UNKNOWN_TABLE')

/** Waits until the log is there, and is the one that was projected: it must reach as far as we have come. */
const demandSameLog = async (log: EventLog, written: Positions, status: Status, signal: AbortSignal): Promise<void> => {
  for (const topic of PROJECTED_TOPICS) {
    const failed = (error: unknown) => status.failed(topic, error)
    const check = async () => demandReaches(topic, await log.end(topic), written[topic] ?? {})
    await untilDone(check, { signal, failed, isFinal: () => false })
    status.works(topic)
  }
}

const demandReaches = (topic: Topic, end: Cursor, written: Cursor): void => {
  for (const [partition, next] of Object.entries(written)) {
    if ((end[Number(partition)] ?? 0) >= next) continue
    throw new ProjectionError(
      'PROJECTION_LOG_REPLACED',
      `${topic}, partition ${partition}, ends before offset ${next}, up to which it was projected: it is not the same log, or has lost its end; bring it back, or project this one from its start with --rebuild`,
    )
  }
}

const tellOf =
  (status: Status) =>
  (topic: Topic, error?: unknown): void =>
    error === undefined ? status.works(topic) : status.failed(topic, error)
