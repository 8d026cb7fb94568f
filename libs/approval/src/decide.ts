import type { ApprovalEvent } from '@countersign/contracts'
import type { Decider } from '@countersign/kernel'
import { evolve, isLive, notAsked, type Approval } from './approval.ts'
import { onClaim } from './claim.ts'
import type { ApprovalCommand, Open } from './command.ts'
import { couldBeSatisfied } from './satisfied.ts'
import { onVote } from './vote.ts'

/** The whole rule of an approval. Whatever is told twice is told once: a repetition yields nothing. */
export const decide = (command: ApprovalCommand, state: Approval): readonly ApprovalEvent[] => {
  switch (command.type) {
    case 'request':
      return state.phase === 'not-asked' ? onRequest(command) : []
    case 'vote':
      return onVote(command, state)
    case 'claim':
      return onClaim(command, state)
    case 'enforce': {
      const { type: _, ...data } = command
      const isPolicy = state.phase === 'granted' && state.request.kind === 'policy'
      return isPolicy ? [{ type: 'grant.used', data }] : []
    }
    case 'expire': {
      const { type: _, ...data } = command
      const due = state.phase === 'pending' && data.at >= state.request.expiresAt
      return due ? [{ type: 'approval.expired', data }] : []
    }
    case 'expireGrant': {
      const { type: _, ...data } = command
      const due = state.phase === 'granted' && data.at >= state.usableUntil
      return due ? [{ type: 'grant.expired', data }] : []
    }
    case 'withdraw': {
      const { type: _, ...data } = command
      return isLive(state) ? [{ type: 'approval.withdrawn', data }] : []
    }
    case 'void': {
      const { type: _, ...data } = command
      return isLive(state) ? [{ type: 'approval.voided', data }] : []
    }
  }
}

/** CONTROL no-approver: what nobody can approve is denied at once, never left open and never waved through. */
const onRequest = (command: Open): readonly ApprovalEvent[] => {
  const { requestId, at } = command
  const requested = requestedBy(command)
  if (couldBeSatisfied(command)) return [requested]
  return [requested, { type: 'approval.denied', data: { requestId, because: 'no-approver', at } }]
}

const requestedBy = (command: Open): ApprovalEvent => {
  if (command.kind === 'policy') {
    const { type: _, ...data } = command
    return { type: 'approval.policy-requested', data }
  }
  const { type: _, ...data } = command
  return { type: 'approval.requested', data }
}

export const approval: Decider<Approval, ApprovalCommand, ApprovalEvent> = { initial: notAsked, decide, evolve }
