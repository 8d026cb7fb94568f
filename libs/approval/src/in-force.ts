import type { DecisionEvent } from '@countersign/contracts'
import { signersOf, type Asked } from './approval.ts'

export type ApprovalInForce = Extract<DecisionEvent, { type: 'approval.in-force' }>

/**
 * How an approval stands, as nodes are told. A function of the state alone, its time included: whoever derives it,
 * however often, publishes the same. Of a change of policies nodes are told nothing: they obey it once it is in force.
 */
export const inForce = (state: Asked): ApprovalInForce | undefined => {
  if (state.request.kind === 'policy') return undefined
  const { requestId, statement } = state.request
  const { principal, sessionId, digest, target } = statement
  const refusedClaim = state.refusedClaims.at(-1)
  const { people, reason } = decisionOf(state)
  return {
    type: 'approval.in-force',
    data: {
      requestId,
      phase: state.phase,
      principalId: principal.id,
      sessionId,
      digest,
      target,
      people,
      ...(reason !== undefined && { reason }),
      ...('usableUntil' in state && { usableUntil: state.usableUntil }),
      ...('claimedBy' in state && state.claimedBy !== undefined && { claimedBy: state.claimedBy }),
      ...(refusedClaim && { refusedClaim }),
      at: state.changedAt,
    },
  }
}

/** Who decided, and in what words. */
const decisionOf = (state: Asked): { people: string[]; reason?: string | undefined } => {
  const deciding = state.phase === 'denied' ? 'deny' : 'grant'
  const votes = state.signatures.filter(({ vote }) => vote === deciding)
  const reason = votes.findLast((vote) => vote.reason !== undefined)?.reason ?? nobody(state)
  return { people: deciding === 'deny' ? votes.map(({ person }) => person) : [...signersOf(state)], reason }
}

const nobody = (state: Asked) =>
  state.phase === 'denied' && state.because === 'no-approver' ? 'nobody may approve this' : undefined
