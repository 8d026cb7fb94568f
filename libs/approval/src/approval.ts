import type {
  ApprovalEvent,
  ClaimObjection,
  Digest,
  Instant,
  Principal,
  PrincipalId,
  StatementId,
  Vote,
} from '@countersign/contracts'

/** Every condition an approval can be in. What is not listed cannot be. */
export type Approval = NotAsked | Asked

export interface NotAsked {
  readonly phase: 'not-asked'
  readonly refusedClaims: readonly RefusedClaim[]
}

export type Asked = Pending | Granted | Claimed | Denied | Expired | Withdrawn | Voided

interface Opened {
  readonly request: Request
  /** Votes that counted, in their order. */
  readonly signatures: readonly Signature[]
  readonly refusedClaims: readonly RefusedClaim[]
  /** When something last happened to it. */
  readonly changedAt: Instant
}

export interface Pending extends Opened {
  readonly phase: 'pending'
}

export interface Granted extends Opened {
  readonly phase: 'granted'
  readonly usableUntil: Instant
}

export interface Claimed extends Opened {
  readonly phase: 'claimed'
  readonly usableUntil: Instant
  /** The one statement that may run under it. A change of policies is in force, and claimed by none. */
  readonly claimedBy?: StatementId
}

export interface Denied extends Opened {
  readonly phase: 'denied'
  readonly because: DataOf<'approval.denied'>['because']
}

/** Nobody decided in time, or nobody used the grant in time. */
export interface Expired extends Opened {
  readonly phase: 'expired'
}

export interface Withdrawn extends Opened {
  readonly phase: 'withdrawn'
  readonly because: DataOf<'approval.withdrawn'>['because']
}

export interface Voided extends Opened {
  readonly phase: 'voided'
  readonly because: DataOf<'approval.voided'>['because']
}

export type DataOf<Type extends ApprovalEvent['type']> = Extract<ApprovalEvent, { type: Type }>['data']

/** What is asked for: that a statement may run, or that other policies come into force. */
export type Request = StatementRequest | PolicyRequest
export type StatementRequest = DataOf<'approval.requested'>
export type PolicyRequest = DataOf<'approval.policy-requested'>

/** What signatures are bound to. */
export const digestOf = (request: Request): Digest =>
  request.kind === 'policy' ? request.proposal.digest : request.statement.digest

/** Who asks. */
export const requesterOf = (request: Request): Principal =>
  request.kind === 'policy' ? request.proposal.principal : request.statement.principal

export interface Signature {
  readonly person: string
  readonly voter: PrincipalId
  readonly vote: Vote
  readonly reason?: string | undefined
  readonly at: Instant
}

export interface RefusedClaim {
  readonly statementId: StatementId
  readonly because: ClaimObjection
}

export const notAsked: NotAsked = { phase: 'not-asked', refusedClaims: [] }

/** INVARIANT forward: an event that does not follow from the state changes nothing, so no phase is ever re-entered. */
export const evolve = (state: Approval, { type, data }: ApprovalEvent): Approval => {
  switch (type) {
    case 'approval.requested':
    case 'approval.policy-requested':
      return asked(state, data)
    case 'approval.voted':
      return state.phase === 'pending' ? signed(state, data) : state
    case 'approval.vote-refused':
      return state
    case 'approval.granted':
      return state.phase === 'pending'
        ? { ...openedOf(state, data.at), phase: 'granted', usableUntil: data.usableUntil }
        : state
    case 'approval.denied':
      return state.phase === 'pending' ? { ...openedOf(state, data.at), phase: 'denied', because: data.because } : state
    case 'approval.expired':
      return state.phase === 'pending' ? { ...openedOf(state, data.at), phase: 'expired' } : state
    case 'approval.withdrawn':
      return isLive(state) ? { ...openedOf(state, data.at), phase: 'withdrawn', because: data.because } : state
    case 'approval.voided':
      return isLive(state) ? { ...openedOf(state, data.at), phase: 'voided', because: data.because } : state
    case 'grant.claimed':
      return state.phase === 'granted' ? claimed(state, data) : state
    case 'grant.claim-refused':
      return claimRefused(state, data)
    case 'grant.used':
      return state.phase === 'granted' ? used(state, data) : state
    case 'grant.expired':
      return state.phase === 'granted' ? { ...openedOf(state, data.at), phase: 'expired' } : state
  }
}

/** Whether something may still come of it. */
export const isLive = (state: Approval): state is Pending | Granted =>
  state.phase === 'pending' || state.phase === 'granted'

/** Those who signed for it, each human once. */
export const signersOf = ({ signatures }: Opened): readonly string[] =>
  signatures.filter(({ vote }) => vote === 'grant').map(({ person }) => person)

const asked = (state: Approval, request: Request): Approval =>
  state.phase === 'not-asked'
    ? { phase: 'pending', request, signatures: [], refusedClaims: state.refusedClaims, changedAt: request.at }
    : state

const signed = (state: Pending, { person, voter, vote, reason, at }: DataOf<'approval.voted'>): Pending => ({
  ...state,
  signatures: [...state.signatures, { person, voter, vote, reason, at }],
  changedAt: at,
})

const claimed = (state: Granted, { statementId, at }: DataOf<'grant.claimed'>): Claimed => ({
  ...openedOf(state, at),
  phase: 'claimed',
  usableUntil: state.usableUntil,
  claimedBy: statementId,
})

const used = (state: Granted, { at }: DataOf<'grant.used'>): Claimed => ({
  ...openedOf(state, at),
  phase: 'claimed',
  usableUntil: state.usableUntil,
})

const claimRefused = (state: Approval, { statementId, because, at }: DataOf<'grant.claim-refused'>): Approval => {
  const refusedClaims = [...state.refusedClaims, { statementId, because }]
  return state.phase === 'not-asked' ? { ...state, refusedClaims } : { ...state, refusedClaims, changedAt: at }
}

const openedOf = ({ request, signatures, refusedClaims }: Opened, changedAt: Instant): Opened => ({
  request,
  signatures,
  refusedClaims,
  changedAt,
})
