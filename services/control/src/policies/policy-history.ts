import type { GovernanceEvent } from '@countersign/contracts'
import type { DecisionBoard } from '../decisions/decision-board.ts'

/** Which policies were in force, in which order, as cs.governance tells. */
export class PolicyHistory {
  readonly #places = new Map<string, number>()
  #next = 0

  take(events: readonly GovernanceEvent[]): void {
    for (const { type, data } of events) if (type === 'policy.published') this.#places.set(data.version, this.#next++)
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
}
