import type { Action, Outcome, Target } from '@countersign/contracts'
import type { Execution } from '../statement/execution.ts'
import { DURATION_BOUNDS_MS, Histogram } from './histogram.ts'
import { KINDS, OUTCOMES, REFUSALS, SQLSTATE_CLASSES, VERDICTS } from './labels.ts'
import type { RecordTimes } from './record-times.ts'
import type { StatementObserver } from './statement-observer.ts'
import type { StatementTracer } from './statement-tracer.ts'

/** Where the time of all statements went, whatever database they were for. In milliseconds. */
export class StageTimes {
  readonly understand = new Histogram(DURATION_BOUNDS_MS)
  readonly decide = new Histogram(DURATION_BOUNDS_MS)
  readonly record = new Histogram(DURATION_BOUNDS_MS)
  readonly hold = new Histogram(DURATION_BOUNDS_MS)
  readonly firstByte = new Histogram(DURATION_BOUNDS_MS)
  readonly database = new Histogram(DURATION_BOUNDS_MS)
  readonly total = new Histogram(DURATION_BOUNDS_MS)
}

/** Counts of the statements for one database: numbers in arrays, which become metrics only when they are asked for. */
export class StatementFigures implements StatementObserver {
  readonly target: Target
  readonly #times: StageTimes
  readonly #records: RecordTimes
  readonly #tracer: () => StatementTracer | undefined
  /** By verdict and kind: `verdict * (KINDS.length + 1) + kind`, the last kind standing for none. */
  readonly statements = new Float64Array(VERDICTS.length * (KINDS.length + 1))
  readonly outcomes = new Float64Array(OUTCOMES.length)
  readonly refusals = new Float64Array(REFUSALS.length)
  readonly failures = new Float64Array(SQLSTATE_CLASSES.length)
  rowsPassed = 0
  rowsMasked = 0
  bytesReturned = 0

  constructor(target: Target, times: StageTimes, records: RecordTimes, tracer: () => StatementTracer | undefined) {
    this.target = target
    this.#times = times
    this.#records = records
    this.#tracer = tracer
  }

  settled(execution: Execution, outcome: Outcome, sqlstate: string | undefined, now: number): void {
    this.#count(execution, outcome, sqlstate)
    this.#time(execution, now)
    this.#tracer()?.settled(execution, outcome, sqlstate, now, this.target)
  }

  #count(execution: Execution, outcome: Outcome, sqlstate: string | undefined): void {
    const { judgement, rows, copy, rowsReturned, bytesReturned } = execution
    bump(this.statements, VERDICT_AT[judgement.verdict] * (KINDS.length + 1) + kindAt(judgement.actions))
    bump(this.outcomes, OUTCOME_AT[outcome])
    if (outcome === 'refused') bump(this.refusals, REFUSAL_AT.get(sqlstate ?? '') ?? REFUSALS.length - 1)
    if (outcome === 'failed') bump(this.failures, CLASS_AT.get(sqlstate?.slice(0, 2) ?? '') ?? CLASS_OTHER)
    if (rows ?? copy) this.rowsMasked += rowsReturned
    else this.rowsPassed += rowsReturned
    this.bytesReturned += bytesReturned
  }

  #time(execution: Execution, now: number): void {
    const { stages, received, intended, forwarded, answered, record } = execution
    const durable = this.#records.of(record)
    if (durable !== undefined && durable > intended) stages.record = durable - intended
    const times = this.#times
    times.understand.add(stages.understand)
    if (stages.decide > 0) times.decide.add(stages.decide)
    if (stages.record > 0) times.record.add(stages.record)
    if (stages.hold > 0) times.hold.add(stages.hold)
    if (forwarded > 0) {
      times.database.add(now - forwarded)
      if (answered > 0) times.firstByte.add(answered - forwarded)
    }
    times.total.add(now - received)
  }
}

const bump = (counts: Float64Array, at: number): void => {
  counts[at] = (counts[at] ?? 0) + 1
}

const kindAt = (actions: readonly Action[]): number => {
  let first: number = KINDS.length
  for (const action of actions) first = Math.min(first, KIND_AT[action])
  return first
}

const placesIn = <Word extends string>(words: readonly Word[]): Readonly<Record<Word, number>> =>
  Object.fromEntries(words.map((word, at) => [word, at])) as Record<Word, number>

const VERDICT_AT = placesIn(VERDICTS)
const KIND_AT: Readonly<Record<Action, number>> = placesIn(KINDS)
const OUTCOME_AT = placesIn(OUTCOMES)
const REFUSAL_AT = new Map<string, number>(REFUSALS.map((code, at) => [code, at]))
const CLASS_AT = new Map<string, number>(SQLSTATE_CLASSES.map((code, at) => [code, at]))
const CLASS_OTHER = SQLSTATE_CLASSES.length - 1
