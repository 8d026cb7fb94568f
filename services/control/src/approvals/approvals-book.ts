import { evolve, isLive, notAsked, type Approval, type Asked, type Granted, type Pending } from '@countersign/approval'
import type { ApprovalEvent, RequestId, SessionId } from '@countersign/contracts'

/** Finished approvals that are kept to be shown. Older ones are in ClickHouse. */
const FINISHED_MAX = 10_000

/** Every approval that something may still come of, and the latest that are over, as cs.approvals tells. */
export class ApprovalsBook {
  readonly #live = new Map<RequestId, Pending | Granted>()
  readonly #finished = new Map<RequestId, Asked>()
  /** Of streams that nothing was ever asked of: refusals only. */
  readonly #strangers = new Map<RequestId, Approval>()
  readonly #finishedMax: number

  constructor(finishedMax = FINISHED_MAX) {
    this.#finishedMax = finishedMax
  }

  /** Takes a commit that stands. Returns how the approval stands after it. */
  take(requestId: RequestId, events: readonly ApprovalEvent[]): Approval {
    const state = events.reduce(evolve, this.#stateOf(requestId))
    this.#live.delete(requestId)
    this.#finished.delete(requestId)
    this.#strangers.delete(requestId)
    if (state.phase === 'not-asked') keep(this.#strangers, requestId, state, this.#finishedMax)
    else if (isLive(state)) this.#live.set(requestId, state)
    else keep(this.#finished, requestId, state, this.#finishedMax)
    return state
  }

  get(requestId: RequestId): Asked | undefined {
    return this.#live.get(requestId) ?? this.#finished.get(requestId)
  }

  live(): readonly (Pending | Granted)[] {
    return [...this.#live.values()]
  }

  all(): readonly Asked[] {
    return [...this.#live.values(), ...this.#finished.values()]
  }

  /** Requests whose client is kept waiting on this session. */
  waitingOn(sessionId: SessionId): readonly RequestId[] {
    return this.live()
      .flatMap(({ request }) => (request.kind === 'statement' ? [request] : []))
      .filter(({ mode, statement }) => mode === 'inline' && statement.sessionId === sessionId)
      .map(({ requestId }) => requestId)
  }

  #stateOf(requestId: RequestId): Approval {
    return this.get(requestId) ?? this.#strangers.get(requestId) ?? notAsked
  }
}

/** The oldest go when there are too many. */
const keep = <Value>(map: Map<RequestId, Value>, requestId: RequestId, value: Value, max: number): void => {
  map.set(requestId, value)
  for (const oldest of map.keys()) {
    if (map.size <= max) return
    map.delete(oldest)
  }
}
