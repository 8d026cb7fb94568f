import type { AccessEvent, SessionId, WorkerId } from '@countersign/contracts'
import type { Cursor } from '@countersign/eventlog'

export type Session = Extract<AccessEvent, { type: 'session.opened' }>['data']

/** Ends are remembered for a while: another partition may tell of the end before this one tells of the beginning. */
const ENDED_MAX = 10_000

/** The sessions that are open now, as cs.access tells. */
export class OpenSessions {
  /** With the cursor that stood when it was opened, oldest first. */
  readonly #sessions = new Map<SessionId, { readonly session: Session; readonly before: Cursor }>()
  readonly #ended = new Map<SessionId, Session | undefined>()
  readonly #stopped = new Set<WorkerId>()

  opened(session: Session, before: Cursor): void {
    const { sessionId, worker } = session
    if (this.#sessions.has(sessionId) || this.#ended.has(sessionId) || this.#stopped.has(worker)) return
    this.#sessions.set(sessionId, { session, before })
  }

  closed(sessionId: SessionId): void {
    this.#ended.set(sessionId, this.get(sessionId) ?? this.#ended.get(sessionId))
    this.#sessions.delete(sessionId)
    for (const oldest of this.#ended.keys()) {
      if (this.#ended.size <= ENDED_MAX) break
      this.#ended.delete(oldest)
    }
  }

  /** A worker that is gone has no sessions any more. Returns those that it had. */
  stopped(worker: WorkerId): readonly SessionId[] {
    this.#stopped.add(worker)
    const left = this.all().filter((session) => session.worker === worker)
    for (const { sessionId } of left) this.closed(sessionId)
    return left.map(({ sessionId }) => sessionId)
  }

  hasEnded(sessionId: SessionId): boolean {
    return this.#ended.has(sessionId)
  }

  get(sessionId: SessionId): Session | undefined {
    return this.#sessions.get(sessionId)?.session
  }

  /** Where cs.access had been read to when it was opened; undefined when it is not open any more. */
  beganBefore(sessionId: SessionId): Cursor | undefined {
    return this.#sessions.get(sessionId)?.before
  }

  /** Also of a session that has ended not long ago. */
  recent(sessionId: SessionId): Session | undefined {
    return this.get(sessionId) ?? this.#ended.get(sessionId)
  }

  all(): readonly Session[] {
    return [...this.#sessions.values()].map(({ session }) => session)
  }

  /**
   * Where to start reading another time so that the open sessions come to light again: where it stood when the oldest
   * of them was opened. A cursor of all partitions, because one partition may tell of the end of what another began.
   */
  resumeFrom(cursor: Cursor): Cursor {
    const [oldest] = this.#sessions.values()
    return oldest?.before ?? cursor
  }
}
