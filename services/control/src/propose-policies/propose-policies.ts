import type { ApproverGroup, GovernanceEvent, Principal, Replayed, RequestId } from '@countersign/contracts'
import { faultOf, type Logger, type PolicyChangesConfig } from '@countersign/platform'
import type { PolicySet as Compiled } from '@countersign/policy'
import { ApiError } from '../api/api-error.ts'
import type { ProposalInput } from '../api/schemas.ts'
import type { ApprovalDesk } from '../approvals/approval-desk.ts'
import type { ApprovalsBook } from '../approvals/approvals-book.ts'
import { later, type Clock } from '../clock.ts'
import type { Directory } from '../directory/directory.ts'
import type { Tell } from '../governance/governance.ts'
import type { PoliciesInForce } from '../policies/policies-in-force.ts'
import type { WhatIf } from '../whatif/what-if.ts'
import { candidateFrom } from './candidate.ts'
import { newRequestId } from './new-request-id.ts'
import { proposalOf } from './proposal.ts'

export interface ProposePoliciesOptions {
  readonly changes: PolicyChangesConfig
  readonly policies: PoliciesInForce
  readonly directory: Directory
  readonly desk: ApprovalDesk
  readonly book: ApprovalsBook
  readonly tell: Tell
  readonly whatIf: WhatIf
  readonly clock: Clock
  readonly logger: Logger
}

const HOUR_MS = 3_600_000
const PER_HOUR_MAX = 20
/** So much of the record is replayed for approvers to see, in so much time: somebody waits for the answer. */
const REPLAYED_MS = 7 * 24 * HOUR_MS
const REPLAY_MAX_MS = 5_000

/** Asks for signatures for another set of policies. */
export class ProposePolicies {
  readonly #options: ProposePoliciesOptions

  constructor(options: ProposePoliciesOptions) {
    this.#options = options
  }

  /** Resolves with the request when it is durable. Asked twice for the same, it is one request. */
  async propose(principal: Principal, { reason, ...candidate }: ProposalInput): Promise<RequestId> {
    const { policies, desk, tell, clock, changes } = this.#options
    // CONTROL policy-change: a program has nobody behind it who could be kept from signing for it.
    if (principal.kind !== 'person') {
      throw new ApiError('not-a-person', 'only people change policies', 'have a person propose it')
    }
    this.#checkRate(principal)
    const inForce = policies.current
    const set = candidateFrom(candidate, inForce)
    if (set.version === inForce.version) {
      throw new ApiError(
        'nothing-changes',
        `policy ${set.version} is in force already`,
        'see `countersign policy diff`',
      )
    }
    const open = this.#alreadyOpen(principal, set.digest)
    if (open) return open
    const proposal = proposalOf(set, inForce, { principal, reason, replayed: await this.#replay(set.compiled) })
    const [requestId, at, { groups, excluded }] = [newRequestId(), clock(), this.#signers(principal)]
    const { digest, version, base } = proposal
    const { files, owners } = set
    const event: GovernanceEvent = {
      type: 'policy.proposed',
      data: { requestId, digest, version, base, files: [...files], owners, by: principal.id, reason, at },
    }
    // First: what is signed for has to be there before anybody can sign.
    await tell(`policy-proposal/${requestId}`, (past) => (past.length === 0 ? [event] : []))
    const expiresAt = later(at, changes.openHours * HOUR_MS)
    const { quorum } = changes
    await desk.decide({ type: 'request', requestId, kind: 'policy', proposal, groups, quorum, excluded, expiresAt, at })
    return requestId
  }

  /** Each is kept for ever, texts and all: nobody is to fill the record with them. */
  #checkRate({ id }: Principal): void {
    const { book, clock } = this.#options
    const since = later(clock(), -HOUR_MS)
    const latest = book
      .all()
      .filter(({ request }) => request.kind === 'policy' && request.at > since && request.proposal.principal.id === id)
    if (latest.length < PER_HOUR_MAX) return
    throw new ApiError(
      'too-many-proposals',
      `you have proposed ${latest.length} changes within an hour`,
      'wait a while',
    )
  }

  #alreadyOpen(principal: Principal, digest: string): RequestId | undefined {
    const { book, policies } = this.#options
    const found = book
      .live()
      .map(({ request }) => request)
      .find(
        (request) =>
          request.kind === 'policy' &&
          request.proposal.principal.id === principal.id &&
          request.proposal.digest === digest &&
          request.proposal.base === policies.current.version,
      )
    return found?.requestId
  }

  /** CONTROL four-eyes: never who proposes it, by whichever identity. */
  #signers(principal: Principal): { groups: ApproverGroup[]; excluded: string[] } {
    const { changes, directory, clock } = this.#options
    const excluded = [...directory.humansBehind(principal)]
    const peopleIn = (group: string) =>
      directory.peopleIn(group, clock()).filter((person) => !excluded.includes(person))
    const names = [...new Set(changes.approvers)]
    return { groups: names.map((name) => ({ name, people: peopleIn(name).toSorted() })), excluded }
  }

  /** Helps to judge it; without it one can propose all the same. */
  async #replay(set: Compiled): Promise<Replayed | undefined> {
    const { whatIf, clock, logger } = this.#options
    const until = clock()
    try {
      const signal = AbortSignal.timeout(REPLAY_MAX_MS)
      return await whatIf.run({ set, since: later(until, -REPLAYED_MS), until, signal })
    } catch (error) {
      logger.warn('a proposal goes without what it would have changed', faultOf(error))
      return undefined
    }
  }
}
