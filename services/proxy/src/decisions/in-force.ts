import {
  decodeCommit,
  readDecisionEvent,
  TOPICS,
  type CredentialId,
  type DecisionEvent,
  type Digest,
  type PrincipalId,
  type RequestId,
  type Target,
} from '@countersign/contracts'
import { acceptsCompacted, type EventLog, type Heads, type LogRecord, type Subscription } from '@countersign/eventlog'

type DataOf<Type extends DecisionEvent['type']> = Extract<DecisionEvent, { type: Type }>['data']
export type Credential = DataOf<'credential.in-force'>
export type Approval = DataOf<'approval.in-force'>
export type Policy = DataOf<'policy.in-force'>
export type Catalogue = DataOf<'catalogue.in-force'>
export type Restriction = DataOf<'restriction.in-force'>

/** What is told to those who must act at once on a decision. */
export interface InForceListener {
  policyChanged(policy: Policy): void
  catalogueChanged(catalogue: Catalogue): void
  /** This credential may no longer be used: its sessions end. */
  revoked(credentialId: CredentialId): void
  /** This principal may do nothing for now: its sessions end. */
  restricted(restriction: Restriction): void
  approvalChanged(approval: Approval): void
  /** A record that no contract knows: it is passed over, and control quarantines it. */
  unreadable(error: unknown): void
}

/**
 * The state that this node obeys now, folded from cs.decisions: nodes ask control nothing, they follow the log.
 */
export class InForce {
  readonly #log: EventLog
  readonly #listener: InForceListener
  readonly #now: () => string
  readonly #heads: Heads = new Map()
  readonly #credentials = new Map<Digest, Credential>()
  readonly #digests = new Map<CredentialId, Digest>()
  readonly #ofPrincipal = new Map<PrincipalId, Set<CredentialId>>()
  readonly #catalogues = new Map<string, Catalogue>()
  readonly #restrictions = new Map<PrincipalId, Restriction>()
  readonly #approvals = new Map<RequestId, Approval>()
  readonly #byStatement = new Map<string, RequestId>()
  #policy: Policy | undefined
  #subscription: Subscription | undefined

  constructor(log: EventLog, listener: InForceListener, now = () => new Date().toISOString()) {
    this.#log = log
    this.#listener = listener
    this.#now = now
  }

  /** Follows the topic from its start; `failed` is called when it cannot be followed any further. */
  follow(failed: (error: unknown) => void): void {
    this.#subscription = this.#log.subscribe(TOPICS.decisions, {}, (records) => this.#take(records), failed)
  }

  async close(): Promise<void> {
    await this.#subscription?.close()
  }

  get policy(): Policy | undefined {
    return this.#policy
  }

  credential(tokenDigest: Digest): Credential | undefined {
    return this.#credentials.get(tokenDigest)
  }

  /** Whether a credential is still what it was when somebody logged in with it. */
  stands(credential: Credential): boolean {
    const now = this.#credentials.get(credential.tokenDigest)
    return now !== undefined && !now.revoked && sameRights(now, credential) && !this.restrictionOf(now.principal.id)
  }

  /** Of a principal, those that are revoked included; none: nobody knows the principal. */
  credentialsOf(principalId: PrincipalId): readonly Credential[] {
    return [...(this.#ofPrincipal.get(principalId) ?? [])].flatMap((credentialId) => {
      const digest = this.#digests.get(credentialId)
      return (digest !== undefined && this.#credentials.get(digest)) || []
    })
  }

  catalogue(target: Target): Catalogue | undefined {
    return this.#catalogues.get(nameOf(target))
  }

  /** Why a principal may do nothing for now; undefined when it may. Its end counts whether anybody tells of it or not. */
  restrictionOf(principalId: PrincipalId): Restriction | undefined {
    const found = this.#restrictions.get(principalId)
    return found && (found.until === undefined || found.until > this.#now()) ? found : undefined
  }

  approval(requestId: RequestId): Approval | undefined {
    return this.#approvals.get(requestId)
  }

  /** The latest approval that this principal asked for, for exactly this statement there. */
  approvalFor(principalId: PrincipalId, target: Target, digest: Digest): Approval | undefined {
    const requestId = this.#byStatement.get(statementKey(principalId, target, digest))
    return requestId === undefined ? undefined : this.#approvals.get(requestId)
  }

  /** Approvals that nothing can be done with any more are forgotten; control and ClickHouse remember them. */
  forgetApprovalsBefore(instant: string): void {
    for (const [requestId, approval] of this.#approvals) {
      const open =
        approval.phase === 'pending' || (approval.phase === 'granted' && (approval.usableUntil ?? '') >= instant)
      if (open || approval.at >= instant) continue
      this.#approvals.delete(requestId)
      const key = statementKey(approval.principalId, approval.target, approval.digest)
      if (this.#byStatement.get(key) === requestId) this.#byStatement.delete(key)
    }
  }

  #take(records: readonly LogRecord[]): void {
    for (const record of records) {
      try {
        const commit = decodeCommit(record.value)
        if (!acceptsCompacted(this.#heads, commit)) continue
        for (const event of commit.events) this.#obey(readDecisionEvent(event))
      } catch (error) {
        this.#listener.unreadable(error)
      }
    }
  }

  #obey({ type, data }: DecisionEvent): void {
    switch (type) {
      case 'policy.in-force':
        this.#policy = data
        this.#listener.policyChanged(data)
        return
      case 'catalogue.in-force':
        this.#catalogues.set(nameOf(data.target), data)
        this.#listener.catalogueChanged(data)
        return
      case 'credential.in-force':
        this.#obeyCredential(data)
        return
      case 'restriction.in-force':
        if (data.restricted) this.#restrictions.set(data.principalId, data)
        else this.#restrictions.delete(data.principalId)
        if (this.restrictionOf(data.principalId)) this.#listener.restricted(data)
        return
      case 'approval.in-force':
        this.#approvals.set(data.requestId, data)
        this.#byStatement.set(statementKey(data.principalId, data.target, data.digest), data.requestId)
        this.#listener.approvalChanged(data)
    }
  }

  /** A credential whose token, roles or principal changed is not the one that its sessions opened with. */
  #obeyCredential(credential: Credential): void {
    const { credentialId, principal } = credential
    const before = this.#digests.get(credentialId)
    const last = before === undefined ? undefined : this.#credentials.get(before)
    const changed = before !== undefined && !sameRights(last, credential)
    if (before !== undefined) this.#credentials.delete(before)
    if (last) this.#ofPrincipal.get(last.principal.id)?.delete(credentialId)
    this.#digests.set(credentialId, credential.tokenDigest)
    this.#credentials.set(credential.tokenDigest, credential)
    this.#ofPrincipal.set(principal.id, (this.#ofPrincipal.get(principal.id) ?? new Set()).add(credentialId))
    if (credential.revoked || changed) this.#listener.revoked(credentialId)
  }
}

const sameRights = (a: Credential | undefined, b: Credential): boolean =>
  a !== undefined &&
  JSON.stringify([a.principal, a.tokenDigest, a.roles, a.revoked]) ===
    JSON.stringify([b.principal, b.tokenDigest, b.roles, b.revoked])

const nameOf = ({ environment, database }: Target): string => `${environment}/${database}`

const statementKey = (principalId: PrincipalId, target: Target, digest: Digest): string =>
  `${principalId}\n${nameOf(target)}\n${digest}`
