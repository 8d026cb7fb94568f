import {
  digestOf,
  isLive,
  requesterOf,
  standingOf,
  type Asked,
  type PolicyRequest,
  type StatementRequest,
} from '@countersign/approval'
import type { Instant, Objection, Principal } from '@countersign/contracts'
import { isOneOf } from '../api/readers.ts'
import type { PolicyProposalView, RequestView } from '../api/schemas.ts'

/** A request as its reader sees it. `proposal` says what a change of policies is about, as this reader may see it. */
export const requestView = (
  state: Asked,
  reader: Principal,
  at: Instant,
  proposal: (request: PolicyRequest) => PolicyProposalView,
): RequestView => {
  const { request } = state
  return {
    id: request.requestId,
    kind: request.kind,
    phase: state.phase,
    requester: requesterOf(request),
    digest: digestOf(request),
    ...(request.kind === 'policy' ? ofPolicies(request, proposal(request)) : ofStatement(request, reader)),
    groups: request.groups,
    quorum: request.quorum,
    signatures: [...state.signatures],
    requestedAt: request.at,
    changedAt: state.changedAt,
    expiresAt: request.expiresAt,
    usableUntil: 'usableUntil' in state ? state.usableUntil : undefined,
    claimedBy: 'claimedBy' in state ? state.claimedBy : undefined,
    endedBecause: 'because' in state ? state.because : undefined,
    refusedClaims: [...state.refusedClaims],
    you: standing(state, reader, at),
  }
}

type OfKind = Omit<
  RequestView,
  | 'id'
  | 'kind'
  | 'phase'
  | 'requester'
  | 'digest'
  | 'groups'
  | 'quorum'
  | 'signatures'
  | 'requestedAt'
  | 'changedAt'
  | 'expiresAt'
  | 'refusedClaims'
  | 'you'
>

const ofStatement = ({ mode, statement }: StatementRequest, reader: Principal): OfKind => ({
  mode,
  target: statement.target,
  role: statement.role,
  text: statement.text,
  actions: statement.actions,
  relations: statement.relations,
  rows: statement.rows,
  blast: blastFor(reader, statement),
  because: statement.because,
  policies: statement.policies,
  policyVersion: statement.policyVersion,
  catalogueVersion: statement.catalogueVersion,
  reason: statement.reason,
  ticket: statement.ticket,
  sessionId: statement.sessionId,
  statementId: statement.statementId,
})

const ofPolicies = ({ proposal }: PolicyRequest, view: PolicyProposalView): OfKind => ({
  text: summaryOf(view),
  proposal: view,
  actions: [],
  relations: [],
  because: 'a change of policies needs signatures',
  policies: proposal.changes.map(({ id }) => id),
  policyVersion: proposal.base,
  reason: proposal.reason,
})

const MARKS = { added: '+', removed: '-', changed: '~' } as const

/** A line for each policy and each rule of owners that differs, as `diff` marks them. */
const summaryOf = ({ version, base, changes, owners }: PolicyProposalView): string =>
  [
    `policy ${base} -> ${version}`,
    ...changes.map(({ id, file, change }) => `${MARKS[change]} ${id} (${file})`),
    ...owners.removed.map((rule) => `- DATAOWNERS ${rule}`),
    ...owners.added.map((rule) => `+ DATAOWNERS ${rule}`),
  ].join('\n')

/** Who asks may not be allowed to read these rows: only those who decide are shown some. */
const blastFor = (reader: Principal, { principal, blast }: StatementRequest['statement']): RequestView['blast'] => {
  if (!blast || !isOneOf(reader, principal)) return blast
  const { sample: _, ...shown } = blast
  return shown
}

const standing = (state: Asked, reader: Principal, at: Instant): RequestView['you'] => {
  const { request } = state
  const found = standingOf({ voter: reader, vote: 'grant', digest: digestOf(request), at }, state)
  const canCancel = isLive(state) && isOneOf(reader, requesterOf(request))
  if (!('because' in found)) return { canSign: true, canCancel }
  return { canSign: false, because: found.because, message: MESSAGES[found.because].message, canCancel }
}

/** What someone is told whose signature does not count. */
export const MESSAGES: Readonly<Record<Objection, { readonly message: string; readonly remedy: string }>> = {
  'unknown-request': { message: 'there is no such request', remedy: 'see `countersign requests ls`' },
  'not-open': { message: 'it is no longer open', remedy: 'look at how it ended' },
  expired: { message: 'it has expired', remedy: 'have it asked for again' },
  'own-request': {
    message: 'nobody signs for their own request, nor for that of an agent that acts for them',
    remedy: 'ask another of its owners',
  },
  'not-an-owner': { message: 'you are in none of the groups that must sign', remedy: 'ask one of its owners' },
  'already-voted': { message: 'you have signed already; others must', remedy: 'ask another of its owners' },
  'not-a-person': { message: 'only people sign', remedy: 'ask one of its owners' },
  'other-statement': {
    message: 'this is not what you were shown',
    remedy: 'look at the request again, and sign what it shows',
  },
}
