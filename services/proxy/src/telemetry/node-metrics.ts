import { monitorEventLoopDelay } from 'node:perf_hooks'
import { AggregatorRegistry, Registry } from 'prom-client'
import type { AccessEvent, Target } from '@countersign/contracts'
import type { DatabaseState } from '../health.ts'
import { DURATION_BOUNDS_MS, Histogram, SIZE_BOUNDS } from './histogram.ts'
import {
  FAULT_KINDS,
  KINDS,
  OUTCOMES,
  REFUSALS,
  SQLSTATE_CLASSES,
  VERDICTS,
  type ClosedBecause,
  type FaultKind,
  type LoginFailure,
} from './labels.ts'
import { RecordTimes } from './record-times.ts'
import { StageTimes, StatementFigures } from './statement-figures.ts'
import type { StatementTracer } from './statement-tracer.ts'

/** What is only looked at when somebody asks for it. */
export interface NodeState {
  readonly sessions: ReadonlyMap<string, number>
  readonly held: number
  readonly logAvailable: boolean
  readonly records: number
  readonly parserReplaced: number
  readonly databases: readonly DatabaseState[]
}

/** One metric as data, as `prom-client` gives and takes it: what a worker hands to its supervisor. */
export interface Figure {
  readonly name: string
  readonly help: string
  readonly type: 'counter' | 'gauge' | 'histogram'
  readonly aggregator: Aggregator
  readonly values: readonly Sample[]
}

export interface Sample {
  readonly value: number
  readonly labels: Readonly<Record<string, string | number>>
  readonly metricName?: string
}

/** How the values of several workers become one. */
type Aggregator = 'sum' | 'min' | 'max'

const LAG_RESOLUTION_MS = 20
const SECONDS = 1_000

/**
 * What this worker counts, and how Prometheus reads it. Counting is adding to numbers; a series comes into being when
 * it is scraped. No label is anything that a client can choose (`labels.ts`).
 */
export class NodeMetrics {
  readonly #worker: string
  readonly #figures: (() => Figure)[] = []
  readonly #state: () => NodeState
  readonly #databases = new Map<string, StatementFigures>()
  readonly #stages = new StageTimes()
  readonly #records = new RecordTimes()
  readonly #commits = new Histogram(DURATION_BOUNDS_MS)
  readonly #batches = new Histogram(SIZE_BOUNDS)
  readonly #connects = new Histogram(DURATION_BOUNDS_MS)
  readonly #faults = new Map<FaultKind, number>(FAULT_KINDS.map((kind) => [kind, 0]))
  readonly #logins = new Map<LoginFailure | 'ok', number>()
  readonly #closed = new Map<ClosedBecause, number>()
  readonly #lag: ReturnType<typeof monitorEventLoopDelay>

  /** `worker`: its name, for what cannot be added up over workers. */
  constructor(worker: string, state: () => NodeState) {
    this.#worker = worker
    this.#state = state
    this.#lag = monitorEventLoopDelay({ resolution: LAG_RESOLUTION_MS })
    this.#lag.enable()
    this.#registerStatements()
    this.#registerSessions()
    this.#registerUpstreams()
    this.#registerLog()
    this.#registerProcess()
  }

  /** Counts the statements for this database; with another configuration it goes on counting. */
  statementsOf(target: Target, tracer: () => StatementTracer | undefined): StatementFigures {
    const name = `${target.environment}/${target.database}`
    const figures = this.#databases.get(name) ?? new StatementFigures(target, this.#stages, this.#records, tracer)
    this.#databases.set(name, figures)
    return figures
  }

  /** Any event that is not a statement's own. */
  added({ type, data }: AccessEvent): void {
    if (type === 'auth.failed') increase(this.#logins, data.because)
    else if (type === 'session.opened') increase(this.#logins, 'ok')
    else if (type === 'session.closed') increase(this.#closed, data.because)
  }

  /** The log has taken this long to make a record durable. */
  committed(milliseconds: number): void {
    this.#commits.add(milliseconds)
  }

  /** This record of the worker's, of so many events, is durable now. */
  written(record: number, events: number): void {
    this.#records.durable(record, performance.now())
    this.#batches.add(events)
  }

  connected(milliseconds: number): void {
    this.#connects.add(milliseconds)
  }

  connectFailed(kind: FaultKind): void {
    increase(this.#faults, kind)
  }

  /** What there is now. */
  figures(): readonly Figure[] {
    return this.#figures.map((figure) => figure())
  }

  close(): void {
    this.#lag.disable()
  }

  // -- what there is ------------------------------------------------------------------------------------------------

  #registerStatements(): void {
    this.#counter('statements_total', 'Statements by verdict, and by what they do most.', () =>
      this.#perDatabase(({ statements }) =>
        grid(statements, VERDICTS, [...KINDS, 'none']).map(([verdict, kind, value]) => ({
          value,
          labels: { verdict, kind },
        })),
      ),
    )
    this.#counter('statement_outcomes_total', 'Statements by how they ended.', () =>
      this.#perDatabase(({ outcomes }) => row(outcomes, OUTCOMES, 'outcome')),
    )
    this.#counter('statements_refused_total', 'Statements that the node did not let through, by SQLSTATE.', () =>
      this.#perDatabase(({ refusals }) => row(refusals, REFUSALS, 'sqlstate')),
    )
    this.#counter('statements_failed_total', 'Statements that failed on the server, by class of SQLSTATE.', () =>
      this.#perDatabase(({ failures }) => row(failures, SQLSTATE_CLASSES, 'class')),
    )
    this.#counter('rows_total', 'Rows returned; masked: of results in which a column is masked.', () =>
      this.#perDatabase(({ rowsPassed, rowsMasked }) => [
        { value: rowsPassed, labels: { masked: 'false' } },
        { value: rowsMasked, labels: { masked: 'true' } },
      ]),
    )
    this.#counter('result_bytes_total', 'Bytes of results, as the server sent them.', () =>
      this.#perDatabase(({ bytesReturned }) => [{ value: bytesReturned, labels: {} }]),
    )
    this.#histogram('stage_seconds', 'Where the time of statements went. Stages overlap.', SECONDS, () =>
      STAGES.map(([stage, name]) => [{ stage }, this.#stages[name]]),
    )
    this.#gauge('statements_held', 'Statements whose client is kept waiting for an approval.', 'sum', () => [
      { value: this.#state().held, labels: {} },
    ])
    this.#counter('understanding_total', 'Look-ups of what a text means: found, or understood anew.', () =>
      this.#state().databases.flatMap(({ name: database, found, understood }) => [
        { value: found, labels: { database, result: 'found' } },
        { value: understood, labels: { database, result: 'anew' } },
      ]),
    )
    this.#counter('parser_replaced_total', 'Parser threads that had to be thrown away.', () => [
      { value: this.#state().parserReplaced, labels: {} },
    ])
  }

  #registerSessions(): void {
    this.#gauge('sessions', 'Live sessions.', 'sum', () =>
      [...this.#state().sessions].map(([database, value]) => ({ value, labels: { database } })),
    )
    this.#counter('logins_total', 'Logins by result: ok, or why not.', () => tally(this.#logins, 'result'))
    this.#counter('sessions_closed_total', 'Sessions that have ended, by why.', () => tally(this.#closed, 'because'))
  }

  #registerUpstreams(): void {
    this.#histogram('upstream_connect_seconds', 'Logins to database servers that succeeded.', SECONDS, () => [
      [{}, this.#connects],
    ])
    this.#counter('upstream_faults_total', 'Attempts to log in to a database server in vain, by why.', () =>
      tally(this.#faults, 'because'),
    )
    this.#gauge('upstream_up', '1 when the server answered last time.', 'min', () =>
      this.#state().databases.flatMap(({ name: database, servers }) =>
        servers.flatMap(({ server, ok }) =>
          ok === undefined ? [] : [{ value: ok ? 1 : 0, labels: { database, server } }],
        ),
      ),
    )
    this.#gauge('upstream_standby', '1 when the server is a standby, 0 when it is a primary.', 'max', () =>
      this.#state().databases.flatMap(({ name: database, servers }) =>
        servers.flatMap(({ server, role }) =>
          role === undefined ? [] : [{ value: role === 'standby' ? 1 : 0, labels: { database, server } }],
        ),
      ),
    )
    this.#gauge('schema_known', '1 when the schema has been read.', 'min', () =>
      this.#state().databases.map(({ name: database, schemaKnown }) => ({
        value: schemaKnown ? 1 : 0,
        labels: { database },
      })),
    )
  }

  #registerLog(): void {
    this.#gauge('log_available', '1 when the event log can be written.', 'min', () => [
      { value: this.#state().logAvailable ? 1 : 0, labels: {} },
    ])
    this.#histogram('log_commit_seconds', 'From giving a record to the log until it was durable.', SECONDS, () => [
      [{}, this.#commits],
    ])
    this.#histogram('log_batch_events', 'Events in one record.', 1, () => [[{}, this.#batches]])
    this.#counter('records_total', 'Records that are durable since the start.', () => [
      { value: this.#state().records, labels: {} },
    ])
  }

  #registerProcess(): void {
    const worker = this.#worker
    this.#gauge('event_loop_lag_seconds', 'How late timers are, since the last scrape.', 'max', () => {
      const lag = this.#lag
      const seconds = (nanoseconds: number) => Math.max(0, nanoseconds / 1e9 - LAG_RESOLUTION_MS / SECONDS)
      const samples = [
        { value: seconds(lag.percentile(50)), labels: { quantile: '0.5', worker } },
        { value: seconds(lag.percentile(99)), labels: { quantile: '0.99', worker } },
        { value: lag.count === 0 ? 0 : seconds(lag.max), labels: { quantile: '1', worker } },
      ]
      lag.reset()
      return samples
    })
    this.#gauge('memory_bytes', 'Memory of the process, by what it is.', 'sum', () => {
      const { rss, heapUsed, external } = process.memoryUsage()
      return [
        { value: rss, labels: { kind: 'resident', worker } },
        { value: heapUsed, labels: { kind: 'heap_used', worker } },
        { value: external, labels: { kind: 'external', worker } },
      ]
    })
    this.#counter('cpu_seconds_total', 'Processor time of the process.', () => {
      const { user, system } = process.cpuUsage()
      return [
        { value: user / 1e6, labels: { mode: 'user', worker } },
        { value: system / 1e6, labels: { mode: 'system', worker } },
      ]
    })
  }

  // -- how Prometheus reads it --------------------------------------------------------------------------------------

  #counter(name: string, help: string, samples: () => readonly Sample[]): void {
    this.#register(name, help, 'counter', 'sum', samples)
  }

  #gauge(name: string, help: string, aggregator: Aggregator, samples: () => readonly Sample[]): void {
    this.#register(name, help, 'gauge', aggregator, samples)
  }

  #histogram(
    name: string,
    help: string,
    divisor: number,
    parts: () => readonly (readonly [Readonly<Record<string, string>>, Histogram])[],
  ): void {
    this.#register(name, help, 'histogram', 'sum', () =>
      parts().flatMap(([labels, histogram]) => bucketsOf(`${PREFIX}${name}`, labels, histogram, divisor)),
    )
  }

  #register(
    name: string,
    help: string,
    type: 'counter' | 'gauge' | 'histogram',
    aggregator: Aggregator,
    samples: () => readonly Sample[],
  ): void {
    this.#figures.push(() => ({ name: `${PREFIX}${name}`, help, type, aggregator, values: samples() }))
  }

  #perDatabase(samples: (figures: StatementFigures) => readonly Sample[]): readonly Sample[] {
    return [...this.#databases].flatMap(([database, figures]) =>
      samples(figures).map(({ value, labels }) => ({ value, labels: { database, ...labels } })),
    )
  }
}

/** The metrics of several workers as one, in Prometheus' text format. */
export const metricsTextOf = (workers: readonly (readonly Figure[])[]): Promise<string> => {
  // The library declares what its own registry gives away; what it reads of it is what a figure has.
  const given = workers as unknown as Parameters<typeof AggregatorRegistry.aggregate>[0]
  return AggregatorRegistry.aggregate(given).metrics()
}

export const METRICS_TYPE: string = Registry.PROMETHEUS_CONTENT_TYPE

const PREFIX = 'countersign_node_'

const STAGES = [
  ['understand', 'understand'],
  ['decide', 'decide'],
  ['record', 'record'],
  ['hold', 'hold'],
  ['first_byte', 'firstByte'],
  ['database', 'database'],
  ['total', 'total'],
] as const satisfies readonly (readonly [string, keyof StageTimes])[]

const increase = <Key>(counts: Map<Key, number>, key: Key): void => {
  counts.set(key, (counts.get(key) ?? 0) + 1)
}

const tally = (counts: ReadonlyMap<string, number>, label: string): readonly Sample[] =>
  [...counts].map(([key, value]) => ({ value, labels: { [label]: key } }))

/** Only what has happened: a series that stays at zero is no use to anybody. */
const row = (counts: Float64Array, words: readonly string[], label: string): readonly Sample[] =>
  words.flatMap((word, at) => (counts[at] ? [{ value: counts[at], labels: { [label]: word } }] : []))

const grid = (
  counts: Float64Array,
  rows: readonly string[],
  columns: readonly string[],
): readonly (readonly [row: string, column: string, value: number])[] =>
  rows.flatMap((row, y) =>
    columns.flatMap((column, x) => {
      const value = counts[y * columns.length + x] ?? 0
      return value > 0 ? [[row, column, value] as const] : []
    }),
  )

const bucketsOf = (
  name: string,
  labels: Readonly<Record<string, string>>,
  { bounds, counts, sum }: Histogram,
  divisor: number,
): readonly Sample[] => {
  let count = 0
  const buckets = [...counts].map((each, at) => {
    count += each
    const bound = bounds[at]
    return { metricName: `${name}_bucket`, value: count, labels: { ...labels, le: bound ? bound / divisor : '+Inf' } }
  })
  return [
    ...buckets,
    { metricName: `${name}_sum`, value: sum / divisor, labels },
    { metricName: `${name}_count`, value: count, labels },
  ]
}
