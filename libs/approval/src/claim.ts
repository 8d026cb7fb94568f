import type {
  ApprovalEvent,
  Blast,
  ClaimObjection,
  Digest,
  Instant,
  PrincipalId,
  RequestId,
  RowCount,
  SessionId,
  StatementId,
  Target,
} from '@countersign/contracts'
import type { Approval, Asked, StatementRequest } from './approval.ts'
import { beyondReach, exceeds } from './within-reach.ts'

/** A statement asks to run under a grant. */
export interface Claim {
  readonly requestId: RequestId
  readonly statementId: StatementId
  readonly sessionId: SessionId
  readonly principalId: PrincipalId
  readonly digest: Digest
  readonly target: Target
  /** The database role that it would run as. */
  readonly role: string
  readonly policyVersion: string
  /** Rows that it would change, counted just now. */
  readonly rows?: RowCount | undefined
  /** What it would reach, looked up just now. */
  readonly blast?: Blast | undefined
  readonly at: Instant
}

/** CONTROL single-use: of all that ask, one statement gets the grant, and only the statement that was approved. */
export const onClaim = (claim: Claim, state: Approval): readonly ApprovalEvent[] => {
  if (isRepeated(claim, state)) return []
  const { requestId, statementId, sessionId, at } = claim
  const because = objectionTo(claim, state)
  if (because === undefined) return [{ type: 'grant.claimed', data: { requestId, statementId, sessionId, at } }]

  const refused: ApprovalEvent = {
    type: 'grant.claim-refused',
    data: { requestId, statementId, sessionId, because, at },
  }
  return state.phase === 'granted' && isDrift(because)
    ? [refused, { type: 'approval.voided', data: { requestId, because, at } }]
    : [refused]
}

const isRepeated = ({ statementId }: Claim, state: Approval): boolean =>
  (state.phase === 'claimed' && state.claimedBy === statementId) ||
  state.refusedClaims.some((refused) => refused.statementId === statementId)

const objectionTo = (claim: Claim, state: Approval): ClaimObjection | undefined => {
  if (state.phase === 'not-asked') return 'unknown-request'
  const { request } = state
  // No statement runs under a grant for policies.
  if (request.kind === 'policy') return 'other-statement'
  return mismatch(claim, request) ?? notUsable(claim, state) ?? drift(claim, request)
}

/** Whoever is not the one it was given to learns that first, and nothing about how it stands. */
const mismatch = (
  { principalId, digest, target, role }: Claim,
  { statement }: StatementRequest,
): ClaimObjection | undefined => {
  if (principalId !== statement.principal.id) return 'other-principal'
  if (digest !== statement.digest) return 'other-statement'
  const { environment, database } = statement.target
  const elsewhere = environment !== target.environment || database !== target.database || role !== statement.role
  return elsewhere ? 'other-target' : undefined
}

const notUsable = ({ at }: Claim, state: Asked): ClaimObjection | undefined => {
  switch (state.phase) {
    case 'pending':
      return at >= state.request.expiresAt ? 'expired' : 'not-granted'
    case 'granted':
      return at >= state.usableUntil ? 'expired' : undefined
    case 'claimed':
      return 'spent'
    case 'expired':
      return 'expired'
    case 'voided':
      return state.because === 'schema-changed' ? 'not-granted' : state.because
    case 'denied':
    case 'withdrawn':
      return 'not-granted'
  }
}

/** CONTROL drift: what was approved must still be what would run. */
const drift = ({ policyVersion, rows, blast }: Claim, { statement }: StatementRequest): Drift | undefined => {
  if (policyVersion !== statement.policyVersion) return 'policy-changed'
  return exceeds(rows, statement.rows) ? 'more-rows' : beyondReach(blast, statement.blast)?.because
}

type Drift = Extract<ClaimObjection, ApprovalVoided>
type ApprovalVoided = Extract<ApprovalEvent, { type: 'approval.voided' }>['data']['because']

const isDrift = (because: ClaimObjection): because is Drift => DRIFTS.has(because)

const DRIFTS: ReadonlySet<string> = new Set<Drift>([
  'policy-changed',
  'more-rows',
  'wider-reach',
  'stronger-lock',
  'new-rewrite',
])
