import type { ApprovalEvent, Objection } from '@countersign/contracts'
import { digestOf, signersOf, type Approval, type Pending } from './approval.ts'
import type { CastVote } from './command.ts'
import { groupsOf, isSatisfiedBy } from './satisfied.ts'

export const onVote = (command: CastVote, state: Approval): readonly ApprovalEvent[] => {
  if (isRepeated(command, state)) return []
  const standing = standingOf(command, state)
  return 'because' in standing ? [refused(command, standing.because)] : counted(command, standing)
}

/** Who would sign what, or why the vote would not count. */
export type Standing = { readonly because: Objection } | { readonly state: Pending; readonly person: string }

/**
 * CONTROL four-eyes: nobody signs for their own request, nor for that of an agent that acts for them; nobody signs
 * twice, under whichever identity; no program signs.
 */
export const standingOf = (
  { voter, vote, digest, at }: Pick<CastVote, 'voter' | 'vote' | 'digest' | 'at'>,
  state: Approval,
): Standing => {
  if (state.phase === 'not-asked') return { because: 'unknown-request' }
  const { kind, person } = voter
  if (kind !== 'person' || person === undefined) return { because: 'not-a-person' }
  if (state.phase === 'expired') return { because: 'expired' }
  if (state.phase !== 'pending') return { because: 'not-open' }
  const { excluded, expiresAt } = state.request
  if (at >= expiresAt) return { because: 'expired' }
  if (excluded.includes(person)) return { because: 'own-request' }
  if (groupsOf(state.request, person).length === 0) return { because: 'not-an-owner' }
  // Who has signed may still deny: an objection is never too late while nothing is decided.
  if (vote === 'grant' && signersOf(state).includes(person)) return { because: 'already-voted' }
  if (digest !== digestOf(state.request)) return { because: 'other-statement' }
  return { state, person }
}

/** A second click, or a message that is delivered again. */
const isRepeated = ({ voter, vote, digest }: CastVote, state: Approval): boolean =>
  state.phase !== 'not-asked' &&
  digestOf(state.request) === digest &&
  state.signatures.some((signature) => signature.voter === voter.id && signature.vote === vote)

const counted = (
  command: CastVote,
  { state, person }: { state: Pending; person: string },
): readonly ApprovalEvent[] => {
  const { requestId, voter, vote, reason, channel, at } = command
  const { request } = state
  const voted: ApprovalEvent = {
    type: 'approval.voted',
    data: { requestId, person, voter: voter.id, vote, groups: groupsOf(request, person), ...told(reason), channel, at },
  }
  // CONTROL any-denial: one owner's denial is final, whoever else has signed.
  if (vote === 'deny')
    return [voted, { type: 'approval.denied', data: { requestId, person, because: 'owner', ...told(reason), at } }]

  const people = [...signersOf(state), person]
  return isSatisfiedBy(request, people) ? [voted, ...granted(command, state, people)] : [voted]
}

/** Whose client waits uses the grant in the same breath: there is no moment in which another could. */
const granted = ({ requestId, usableUntil, at }: CastVote, { request }: Pending, people: string[]): ApprovalEvent[] => {
  const grant = (until: CastVote['at']): ApprovalEvent => ({
    type: 'approval.granted',
    data: { requestId, people, usableUntil: until, at },
  })
  if (request.kind === 'policy' || request.mode === 'rerun') return [grant(usableUntil)]
  const { expiresAt, statement } = request
  const { statementId, sessionId } = statement
  return [grant(expiresAt), { type: 'grant.claimed', data: { requestId, statementId, sessionId, at } }]
}

// A refused vote is evidence too, so it is an event and never an exception.
const refused = ({ requestId, voter, vote, channel, at }: CastVote, because: Objection): ApprovalEvent => ({
  type: 'approval.vote-refused',
  data: {
    requestId,
    ...(voter.person !== undefined && { person: voter.person }),
    voter: voter.id,
    vote,
    because,
    channel,
    at,
  },
})

const told = (reason: string | undefined) => (reason === undefined ? {} : { reason })
