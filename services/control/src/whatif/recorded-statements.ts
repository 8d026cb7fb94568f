import {
  decodeCommit,
  readAccessEvent,
  type AccessEvent,
  type Principal,
  type SessionId,
  type Target,
} from '@countersign/contracts'
import { acceptsCompacted, type Heads, type LogRecord } from '@countersign/eventlog'

export type Intended = Extract<AccessEvent, { type: 'statement.intended' }>['data']

/** Whose statement it is. `key` tells one such answer from another. */
export interface Asker {
  readonly principal: Principal
  readonly target: Target
  readonly key: string
}

/** Their ends are kept for a while: what another partition tells of them may come later. */
const ENDED_MAX = 10_000

/** Statements with those who sent them, from records of cs.access in their order. Memory grows with open sessions only. */
export class RecordedStatements {
  readonly #heads: Heads = new Map()
  readonly #open = new Map<SessionId, Asker>()
  readonly #ended = new Map<SessionId, Asker>()
  readonly #elsewhere: (sessionId: SessionId) => { readonly principal: Principal; readonly target: Target } | undefined

  /** `elsewhere`: sessions that began before the first record, as far as they are known. */
  constructor(
    elsewhere: (sessionId: SessionId) => { readonly principal: Principal; readonly target: Target } | undefined,
  ) {
    this.#elsewhere = elsewhere
  }

  /** The statements of a record, in their order. What cannot be read is passed over: it is quarantined elsewhere. */
  in({ value }: LogRecord): readonly Intended[] {
    const commit = attempt(() => decodeCommit(value))
    // By rising revisions, because it begins somewhere in the middle of every worker's stream.
    if (!commit || !acceptsCompacted(this.#heads, commit)) return []
    return commit.events
      .filter(({ type }) => WANTED.has(type))
      .flatMap((stored) => this.#take(attempt(() => readAccessEvent(stored))))
  }

  askerOf(sessionId: SessionId): Asker | undefined {
    const known = this.#open.get(sessionId) ?? this.#ended.get(sessionId)
    if (known) return known
    const found = this.#elsewhere(sessionId)
    if (!found) return undefined
    const asker = askerFrom(found)
    this.#open.set(sessionId, asker)
    return asker
  }

  #take(event: AccessEvent | undefined): readonly Intended[] {
    if (event?.type === 'statement.intended') return [event.data]
    if (event?.type === 'session.opened') this.#open.set(event.data.sessionId, askerFrom(event.data))
    if (event?.type === 'session.closed') this.#close(event.data.sessionId)
    return []
  }

  #close(sessionId: SessionId): void {
    const asker = this.#open.get(sessionId)
    this.#open.delete(sessionId)
    if (asker) this.#ended.set(sessionId, asker)
    for (const oldest of this.#ended.keys()) {
      if (this.#ended.size <= ENDED_MAX) return
      this.#ended.delete(oldest)
    }
  }
}

const WANTED = new Set(['statement.intended', 'session.opened', 'session.closed'])

const askerFrom = ({ principal, target }: { readonly principal: Principal; readonly target: Target }): Asker => ({
  principal,
  target,
  key: JSON.stringify([principal, target]),
})

const attempt = <Value>(read: () => Value): Value | undefined => {
  try {
    return read()
  } catch {
    return undefined
  }
}
