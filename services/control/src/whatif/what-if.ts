import { setTimeout as sleep } from 'node:timers/promises'
import { Instant, TOPICS, type Replayed, type Target } from '@countersign/contracts'
import type { EventLog, LogRecord } from '@countersign/eventlog'
import { replay, replayKey, Tally, type PolicySet, type Recorded, type Replay } from '@countersign/policy'
import type { OpenSessions } from '../access/open-sessions.ts'
import { ApiError } from '../api/api-error.ts'
import { later } from '../clock.ts'
import { Follower } from '../follower.ts'
import { cursorAt } from './cursor-at.ts'
import { RecordedStatements, type Asker, type Intended } from './recorded-statements.ts'

export interface Changed {
  readonly statement: Intended
  readonly asker: Asker
  readonly replayed: Replay
}

export interface WhatIfRun {
  /** What would be in force instead. */
  readonly set: PolicySet
  readonly since: Instant
  readonly until: Instant
  /** Told of each statement of which the verdict would be another, in the order of the log. */
  readonly changed?: (changed: Changed) => void | Promise<void>
  readonly progress?: (statements: number, at: Instant) => void
  /** Ends it where it is: the summary then says how far it came. */
  readonly signal?: AbortSignal
}

/** Sessions are looked for so long before the first statement; those that are open now are known anyhow. */
const SESSIONS_BEFORE_MS = 24 * 3_600_000
const RUNNING_MAX = 2
/** Control has more urgent things to do: it works for so long, and rests for as long. */
const SLICE_MS = 8
const PROGRESS_MS = 500
const ANSWERS_MAX = 20_000

/** By whose clock weekdays and times of day count in an environment. */
type TimeZoneOf = (target: Target) => string | undefined

/** Replays what is on record under another set of policies, in a constant amount of memory. */
export class WhatIf {
  readonly #log: EventLog
  readonly #sessions: OpenSessions
  readonly #timeZoneOf: TimeZoneOf
  #running = 0

  constructor(log: EventLog, sessions: OpenSessions, timeZoneOf: TimeZoneOf = () => undefined) {
    this.#log = log
    this.#sessions = sessions
    this.#timeZoneOf = timeZoneOf
  }

  async run(run: WhatIfRun): Promise<Replayed> {
    if (this.#running >= RUNNING_MAX) {
      throw new ApiError('busy', 'others are replaying the record just now', 'try again when they are done')
    }
    this.#running += 1
    try {
      return await this.#run(run)
    } finally {
      this.#running -= 1
    }
  }

  async #run(run: WhatIfRun): Promise<Replayed> {
    const from = await cursorAt(this.#log, TOPICS.access, later(run.since, -SESSIONS_BEFORE_MS))
    const replaying = new Replaying(run, (sessionId) => this.#sessions.recent(sessionId), this.#timeZoneOf)
    const failed = Promise.withResolvers<never>()
    const stopped = Promise.withResolvers<void>()
    const stop = () => stopped.resolve()
    run.signal?.addEventListener('abort', stop)
    const follower = new Follower(this.#log, TOPICS.access, (records) => replaying.take(records), failed.reject, from)
    try {
      if (run.signal?.aborted) stop()
      const complete = await Promise.race([
        follower.caughtUp().then(() => true),
        stopped.promise.then(() => false),
        failed.promise,
      ])
      return replaying.summary(complete)
    } finally {
      run.signal?.removeEventListener('abort', stop)
      replaying.end()
      await follower.close()
    }
  }
}

class Replaying {
  readonly #run: WhatIfRun
  readonly #statements: RecordedStatements
  readonly #timeZoneOf: TimeZoneOf
  readonly #tally = new Tally()
  /** Statements of one kind come again and again: the answer to the same question is kept. */
  readonly #answers = new Map<string, Replay | undefined>()
  #reached: Instant
  #slice = performance.now()
  #told = performance.now()
  #ended = false

  constructor(run: WhatIfRun, elsewhere: ConstructorParameters<typeof RecordedStatements>[0], timeZoneOf: TimeZoneOf) {
    this.#run = run
    this.#timeZoneOf = timeZoneOf
    this.#statements = new RecordedStatements(elsewhere)
    this.#reached = run.since
  }

  summary(complete: boolean): Replayed {
    const { since, until } = this.#run
    return { since, until: complete ? until : this.#reached, complete, ...this.#tally.summary() }
  }

  end(): void {
    this.#ended = true
  }

  async take(records: readonly LogRecord[]): Promise<void> {
    for (const record of records) {
      if (this.#ended) return
      await this.#takeOne(record)
      await this.#rest()
    }
  }

  async #takeOne(record: LogRecord): Promise<void> {
    const { since, until } = this.#run
    for (const statement of this.#statements.in(record)) {
      const { at } = statement
      if (at < since || at >= until) continue
      if (at > this.#reached) this.#reached = at
      await this.#replay(statement)
    }
  }

  async #replay(statement: Intended): Promise<void> {
    const asker = this.#statements.askerOf(statement.sessionId)
    const recorded = asker && { ...asker, ...statement }
    const replayed = recorded && this.#answer(recorded)
    this.#tally.add(recorded, replayed)
    if (asker && replayed && replayed.outcome !== 'unchanged') await this.#run.changed?.({ statement, asker, replayed })
  }

  #answer(recorded: Recorded & Asker): Replay | undefined {
    const question = recorded.key + replayKey(this.#run.set, recorded)
    if (this.#answers.has(question)) return this.#answers.get(question)
    const answer = replay(this.#run.set, { ...recorded, timeZone: this.#timeZoneOf(recorded.target) })
    if (this.#answers.size >= ANSWERS_MAX) this.#answers.clear()
    this.#answers.set(question, answer)
    return answer
  }

  async #rest(): Promise<void> {
    const now = performance.now()
    if (now - this.#told >= PROGRESS_MS) {
      this.#told = now
      this.#run.progress?.(this.#tally.statements, this.#reached)
    }
    const worked = now - this.#slice
    if (worked < SLICE_MS) return
    await sleep(worked)
    this.#slice = performance.now()
  }
}
