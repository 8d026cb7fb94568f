import type { EventLog } from '@countersign/eventlog'
import { PROJECTED_TOPICS } from '../projection/read-record.ts'
import type { Counted, Status } from '../projection/status.ts'
import { lagOf } from './lag.ts'
import type { Figure, Sample } from './metrics.ts'

export interface Readiness {
  readonly ready: boolean
  /** What is in the way, for people. */
  readonly reasons: readonly string[]
}

/** Whether the projection can do its work, and figures about it. */
export class Health {
  readonly #status: Status
  readonly #log: () => EventLog | undefined
  readonly #now: () => number

  constructor(status: Status, log: () => EventLog | undefined, now: () => number) {
    this.#status = status
    this.#log = log
    this.#now = now
  }

  async readiness(): Promise<Readiness> {
    const faults = Array.from(this.#status.faults, ([what, fault]) => `${what}: ${fault}`)
    const reasons = [...(await this.#logFault()), ...faults]
    return { ready: reasons.length === 0, reasons }
  }

  /** A log that cannot be reached is waited for in silence, so it is asked. */
  async #logFault(): Promise<readonly string[]> {
    const log = this.#log()
    if (!log) return ['log: not open yet']
    try {
      await within(CHECK_TIMEOUT_MS, log.check())
      return []
    } catch (error) {
      return [`log: ${error instanceof Error ? error.message : String(error)}`]
    }
  }

  async figures(): Promise<readonly Figure[]> {
    return [
      gauge('clickhouse_up', 'Whether ClickHouse took the last write or answered the last question.', [
        { value: this.#status.faults.has('clickhouse') ? 0 : 1 },
      ]),
      gauge('log_up', 'Whether the log can be used.', [{ value: (await this.#logFault()).length === 0 ? 1 : 0 }]),
      ...(await this.#lag()),
      gauge('next_offset', 'First offset that has not been written to ClickHouse.', this.#positions()),
      ...COUNTERS.map(([key, name, help]) => counter(name, help, this.#status.counted[key])),
      gauge('memory_bytes', 'Resident memory of the process.', [{ value: process.memoryUsage.rss() }]),
    ]
  }

  /** Nothing is said of a log that cannot be asked: 0 would be a lie. */
  async #lag(): Promise<readonly Figure[]> {
    const log = this.#log()
    if (!log) return []
    const asked = PROJECTED_TOPICS.map(async (topic) => {
      const lag = await lagOf(log, topic, this.#status.written.get(topic) ?? {}, this.#now())
      return { labels: { topic }, ...lag }
    })
    const lags = (await Promise.allSettled(asked)).flatMap((lag) => (lag.status === 'fulfilled' ? [lag.value] : []))
    return [
      gauge(
        'lag_records',
        'Records that are in the log and not in ClickHouse.',
        lags.map(({ labels, records }) => ({ labels, value: records })),
      ),
      gauge(
        'lag_seconds',
        'Age of the oldest record that is not in ClickHouse.',
        lags.map(({ labels, seconds }) => ({ labels, value: seconds })),
      ),
    ]
  }

  #positions(): readonly Sample[] {
    return Array.from(this.#status.written).flatMap(([topic, cursor]) =>
      Object.entries(cursor).map(([partition, value]) => ({ labels: { topic, partition }, value })),
    )
  }
}

const CHECK_TIMEOUT_MS = 2_000

const within = (ms: number, check: Promise<void>): Promise<void> => {
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(() => late.reject(new Error('no answer in time')), ms)
  return Promise.race([check, late.promise]).finally(() => clearTimeout(timer))
}

const COUNTERS: readonly (readonly [keyof Counted, string, string])[] = [
  ['records', 'records_total', 'Records of the log that were written since the start.'],
  ['events', 'events_total', 'Events that were written since the start.'],
  ['void', 'events_void_total', 'Events of void commits among them.'],
  ['quarantined', 'quarantined_total', 'Records and events that no contract fits.'],
  ['statements', 'statement_rows_total', 'Rows of statements that were written, running and settled.'],
  ['batches', 'batches_total', 'Batches that were written.'],
  ['failures', 'clickhouse_failures_total', 'Times that ClickHouse failed and was asked again.'],
]

const PREFIX = 'countersign_audit_'

const gauge = (name: string, help: string, samples: readonly Sample[]): Figure => ({
  name: PREFIX + name,
  help,
  type: 'gauge',
  samples,
})

const counter = (name: string, help: string, value: number): Figure => ({
  name: PREFIX + name,
  help,
  type: 'counter',
  samples: [{ value }],
})
