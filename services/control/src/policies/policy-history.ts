import type { GovernanceEvent, RequestId } from '@countersign/contracts'
import type { DecisionBoard } from '../decisions/decision-board.ts'

export type Published = Extract<GovernanceEvent, { type: 'policy.published' }>['data']
export type Proposed = Extract<GovernanceEvent, { type: 'policy.proposed' }>['data']

/** Which policies were in force, in which order, and which were proposed, as cs.governance tells. */
export class PolicyHistory {
  readonly #places = new Map<string, number>()
  readonly #signed = new Set<RequestId>()
  readonly #proposed = new Map<RequestId, Proposed>()
  #last: Published | undefined
  #next = 0

  take(events: readonly GovernanceEvent[]): void {
    for (const { type, data } of events) {
      if (type === 'policy.published') this.#published(data)
      if (type === 'policy.proposed') this.#proposed.set(data.requestId, data)
    }
  }

  /** What was published last: what is in force, or is about to be. */
  get last(): Published | undefined {
    return this.#last
  }

  isPublished(requestId: RequestId): boolean {
    return this.#signed.has(requestId)
  }

  proposed(requestId: RequestId): Proposed | undefined {
    return this.#proposed.get(requestId)
  }

  /**
   * Whether this version was in force before the one that is now. One that is not known is not superseded: nodes may
   * have heard of it earlier than we.
   */
  isSuperseded(version: string, board: DecisionBoard): boolean {
    const current = board.decision('policy')
    if (current?.type !== 'policy.in-force') return false
    const [place, now] = [version, current.data.version].map((one) => this.#places.get(one))
    return place !== undefined && now !== undefined && place < now
  }

  #published(data: Published): void {
    this.#places.set(data.version, this.#next++)
    this.#last = data
    if (data.requestId !== undefined) this.#signed.add(data.requestId)
  }
}
