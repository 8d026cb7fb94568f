import { TOPICS, type AccessEvent } from '@countersign/contracts'
import type { Cursor, EventLog, LogRecord } from '@countersign/eventlog'
import { faultOf, type Logger } from '@countersign/platform'
import { Follower } from '../follower.ts'
import type { Quarantine } from '../quarantine/quarantine.ts'
import { effectsOf, type Effect } from './effects-of.ts'
import type { OpenSessions } from './open-sessions.ts'
import { readAccess } from './read-access.ts'
import { isOrdinary } from './skim.ts'

export interface AccessOptions {
  readonly log: EventLog
  readonly from: Cursor
  readonly sessions: OpenSessions
  /** Resolves when the effect is durable. It may have happened before: it is told at least once. */
  readonly perform: (effect: Effect) => Promise<unknown>
  readonly quarantine: Quarantine
  readonly logger: Logger
  readonly failed: (error: unknown) => void
}

const RETRY_MS = 200

/** Follows what nodes write. A record is behind it only when everything that it asked for is durable. */
export class FollowAccess {
  readonly #options: AccessOptions
  readonly #follower: Follower
  #closed = false

  constructor(options: AccessOptions) {
    this.#options = options
    const { log, from } = options
    const failed = (error: unknown) => {
      if (!this.#closed) options.failed(error)
    }
    this.#follower = new Follower(log, TOPICS.access, (records) => this.#take(records), failed, from)
  }

  /** Where another process should start. */
  get resumeFrom(): Cursor {
    return this.#options.sessions.resumeFrom(this.#follower.cursor)
  }

  get cursor(): Cursor {
    return this.#follower.cursor
  }

  caughtUp(): Promise<void> {
    return this.#follower.caughtUp()
  }

  close(): Promise<void> {
    this.#closed = true
    return this.#follower.close()
  }

  async #take(records: readonly LogRecord[]): Promise<void> {
    const { sessions } = this.#options
    const before = this.#follower.cursor
    const lanes = new Lanes((effect) => this.#perform(effect))
    for (const record of records) {
      for (const event of await this.#eventsOf(record)) {
        for (const effect of effectsOf(event, sessions, before)) await lanes.add(effect)
      }
    }
    await lanes.done()
  }

  async #eventsOf(record: LogRecord): Promise<readonly AccessEvent[]> {
    if (isOrdinary(record.value)) return []
    const { events, unreadable } = readAccess(record)
    for (const found of unreadable) await this.#options.quarantine(found)
    return events
  }

  /** The log may be away: what a node asked for is done when it is back, never skipped. */
  async #perform(effect: Effect): Promise<void> {
    for (;;) {
      // Thrown, not skipped: what was not done must not count as dealt with.
      if (this.#closed) throw new Error('stopped before it was done')
      try {
        await this.#options.perform(effect)
        return
      } catch (error) {
        this.#options.logger.warn('will try again', { effect: effect.type, ...faultOf(error) })
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS))
      }
    }
  }
}

/** Effects on one request in their order; different requests side by side; what concerns many, alone. */
class Lanes {
  readonly #perform: (effect: Effect) => Promise<void>
  readonly #lanes = new Map<string, Promise<void>>()

  constructor(perform: (effect: Effect) => Promise<void>) {
    this.#perform = perform
  }

  async add(effect: Effect): Promise<void> {
    if (!('requestId' in effect)) {
      await this.done()
      return this.#perform(effect)
    }
    const lane = this.#lanes.get(effect.requestId) ?? Promise.resolve()
    this.#lanes.set(
      effect.requestId,
      lane.then(() => this.#perform(effect)),
    )
  }

  async done(): Promise<void> {
    await Promise.all(this.#lanes.values())
    this.#lanes.clear()
  }
}
