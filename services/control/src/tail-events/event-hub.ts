import { ALL_TOPICS, decodeCommit, TOPICS, type SessionId, type Topic } from '@countersign/contracts'
import type { EventLog, LogRecord, Subscription } from '@countersign/eventlog'
import type { OpenSessions, Session } from '../access/open-sessions.ts'
import { readAccess } from '../access/read-access.ts'
import type { EventView } from '../api/schemas.ts'
import { eventView } from './event-view.ts'

export interface Listener {
  take(events: readonly EventView[]): void
  /** There will be no more. */
  end(): void
}

/** Sessions that were seen to be opened here, before control itself may have taken them in. */
const SESSIONS_MAX = 10_000

/** Hands on what is appended to the log, to any number of listeners, and reads it only while there is one. */
export class EventHub {
  readonly #log: EventLog
  readonly #sessions: OpenSessions
  readonly #approvalsKnown: () => Promise<void>
  readonly #listeners = new Set<Listener>()
  readonly #seen = new Map<SessionId, Session>()
  #subscriptions: Promise<readonly Subscription[]> | undefined

  /** `approvalsKnown` resolves when the book has all approvals: who may see one is judged by that. */
  constructor(log: EventLog, sessions: OpenSessions, approvalsKnown: () => Promise<void>) {
    this.#log = log
    this.#sessions = sessions
    this.#approvalsKnown = approvalsKnown
  }

  /** From when it resolves, the listener misses nothing. Returns how to stop listening. */
  async listen(listener: Listener): Promise<() => Promise<void>> {
    this.#listeners.add(listener)
    try {
      this.#subscriptions ??= this.#subscribe()
      await this.#subscriptions
    } catch (error) {
      this.#subscriptions = undefined
      this.#listeners.delete(listener)
      throw error
    }
    return () => this.#leave(listener)
  }

  /** Whose session it is, also of one that has ended not long ago. */
  session(sessionId: SessionId): Session | undefined {
    return this.#sessions.recent(sessionId) ?? this.#seen.get(sessionId)
  }

  async close(): Promise<void> {
    for (const listener of this.#listeners) listener.end()
    this.#listeners.clear()
    await this.#stop()
  }

  async #leave(listener: Listener): Promise<void> {
    this.#listeners.delete(listener)
    if (this.#listeners.size === 0) await this.#stop()
  }

  async #stop(): Promise<void> {
    const subscriptions = this.#subscriptions
    this.#subscriptions = undefined
    for (const subscription of (await subscriptions) ?? []) await subscription.close()
  }

  async #subscribe(): Promise<readonly Subscription[]> {
    const ends = await Promise.all(ALL_TOPICS.map((topic) => this.#log.end(topic)))
    // A view is not worth more than the service: when a topic cannot be read on, its listeners are told so.
    const failed = () => void this.close()
    return ALL_TOPICS.map((topic, i) =>
      this.#log.subscribe(topic, ends[i] ?? {}, (records) => this.#hand(topic, records), failed),
    )
  }

  async #hand(topic: Topic, records: readonly LogRecord[]): Promise<void> {
    if (topic === TOPICS.approvals) await this.#approvalsKnown()
    const views = records.flatMap((record) => this.#viewsOf(record))
    for (const listener of this.#listeners) listener.take(views)
  }

  #viewsOf(record: LogRecord): readonly EventView[] {
    try {
      const commit = decodeCommit(record.value)
      if (commit.events.some(({ type }) => type === 'session.opened')) this.#note(record)
      return commit.events.map((stored, index) => eventView(record, index, stored, (id) => this.session(id)))
    } catch {
      const { topic, partition, offset } = record
      return [{ topic, partition, offset, index: 0, type: 'unreadable', summary: 'this record cannot be read' }]
    }
  }

  #note(record: LogRecord): void {
    for (const { type, data } of readAccess(record).events) {
      if (type === 'session.opened') this.#seen.set(data.sessionId, data)
    }
    for (const oldest of this.#seen.keys()) {
      if (this.#seen.size <= SESSIONS_MAX) return
      this.#seen.delete(oldest)
    }
  }
}
