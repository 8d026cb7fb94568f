import type { GovernanceEvent } from '@countersign/contracts'
import type { Decider } from '@countersign/kernel'

/** What is to be recorded, given what was recorded of the same subject before. Nothing, when it is known already. */
export type Record = (past: readonly GovernanceEvent[]) => readonly GovernanceEvent[]

/** The history behind cs.decisions: no state of its own, only what was said last. */
export const governance: Decider<readonly GovernanceEvent[], Record, GovernanceEvent> = {
  initial: [],
  decide: (record, past) => record(past),
  evolve: (past, event) => [...past, event],
}

/** Records it unless the last that was recorded says so already, whenever that was. */
export const unlessSaid =
  (event: GovernanceEvent, says: (last: GovernanceEvent) => boolean): Record =>
  (past) => {
    const last = past.at(-1)
    return last && says(last) ? [] : [event]
  }

/** Records it in the stream of its subject. Resolves when it is durable, or known already. */
export type Tell = (stream: string, record: Record) => Promise<unknown>
