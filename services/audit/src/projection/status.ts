import type { Topic } from '@countersign/contracts'
import type { Cursor, LogRecord } from '@countersign/eventlog'
import { entriesOf, type Positions } from '../store/positions.ts'
import type { Rows } from './rows/index.ts'

/** Called when something stops working, with the fault, and when it works again, without. Not for each attempt. */
export type FaultListener = (what: string, fault?: string) => void

/** How the projection is doing: told by it, asked by health checks and metrics. */
export class Status {
  readonly #faults = new Map<string, string>([['clickhouse', 'not connected yet']])
  readonly #written = new Map<Topic, Cursor>()
  readonly #counted: Counted = {
    records: 0,
    events: 0,
    void: 0,
    quarantined: 0,
    statements: 0,
    batches: 0,
    failures: 0,
  }
  readonly #changed: FaultListener

  constructor(changed: FaultListener = () => {}) {
    this.#changed = changed
  }

  /** What does not work now, and why: `clickhouse`, or a topic of the log. */
  get faults(): ReadonlyMap<string, string> {
    return this.#faults
  }

  /** For each topic, up to where everything has been written. */
  get written(): ReadonlyMap<Topic, Cursor> {
    return this.#written
  }

  get counted(): Readonly<Counted> {
    return this.#counted
  }

  failed(what: 'clickhouse' | Topic, error: unknown): void {
    const fault = faultText(error)
    if (what === 'clickhouse') this.#counted.failures += 1
    const known = this.#faults.get(what)
    if (known === fault || (known !== undefined && isOfConnection(known) && isOfConnection(fault))) return
    this.#faults.set(what, fault)
    this.#changed(what, fault)
  }

  works(what: 'clickhouse' | Topic): void {
    if (this.#faults.delete(what)) this.#changed(what)
  }

  reached(positions: Positions): void {
    for (const [topic, cursor] of entriesOf(positions)) this.#written.set(topic, cursor)
  }

  wrote(records: readonly LogRecord[], rows: Rows): void {
    this.#counted.batches += 1
    this.#counted.records += records.length
    this.#counted.events += rows.events.length
    this.#counted.void += rows.events.filter((row) => row.void).length
    this.#counted.quarantined += rows.quarantine.length
    this.#counted.statements += rows.statements.length
  }
}

export interface Counted {
  records: number
  events: number
  void: number
  quarantined: number
  statements: number
  batches: number
  failures: number
}

/** What ClickHouse says of an error may quote the row that it is about, so of its errors only the name is told. */
const faultText = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error)
  if ('type' in error && 'code' in error) return `ClickHouse says ${String(error.type)} (code ${String(error.code)})`
  return error.message.split('\n')[0] ?? ''
}

/** A server that goes away breaks off what is under way, then refuses connections: one fault, whatever it is called. */
const isOfConnection = (fault: string): boolean =>
  /socket hang up|ECONN\w+|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|EAI_AGAIN|timeout/i.test(fault)
