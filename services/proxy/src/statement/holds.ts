import { randomInt } from 'node:crypto'
import type { AccessEvent, Blast, Digest, Principal, RequestId, Target } from '@countersign/contracts'
import type { HoldConfig } from '@countersign/platform'
import type { Approval, InForce } from '../decisions/in-force.ts'
import type { Recorder } from '../record/recorder.ts'
import type { Execution } from './execution.ts'
import type { Judgement, TransactionStatus } from './judgement.ts'
import * as say from './refusal.ts'
import type { StatementRefusedError } from './refusal.ts'

/** The statement that asks, and the session that it is in. */
export interface Asking {
  readonly sessionId: string
  readonly principal: Principal
  readonly target: Target
  readonly role: string
  readonly digest: Digest
  readonly text: string
  readonly transaction: TransactionStatus
  readonly reason: string | undefined
  readonly ticket: string | undefined
  /** What is held, and the one that severity chose to speak for it. */
  readonly judgement: Judgement
  /** How long the client may be kept waiting; undefined for those who are told to come back. */
  readonly inlineSeconds: number | undefined
}

/** The way back to the client that waits. */
export interface Waiting {
  notice(notice: say.Notice): void
  /** Aborted when the client takes its statement back or is gone; the reason says which. */
  readonly signal: AbortSignal
}

export type WithdrawnBecause = Extract<AccessEvent, { type: 'statement.withdrawn' }>['data']['because']

/** `granted`: it may run now, under this request. Otherwise what the client is told, and how it ended. */
export type HoldOutcome =
  | { readonly granted: RequestId; readonly rows: number | undefined }
  | { readonly refused: StatementRefusedError; readonly withdrawn: boolean }

/** Control answers a claim within milliseconds; when it does not, it is not there. */
const CLAIM_TIMEOUT_MS = 5_000
/** Requests that are remembered while control is silent. */
const OPENED_MAX = 10_000
/** How much longer than its hold a statement waits for control to say that it has expired. */
const GRACE_MS = 2_000

/**
 * Asks for countersignatures and waits for them, by way of the log only (DESIGN.md, section 8): this node writes
 * what it asks into its own stream, and control's answers come as decisions in force.
 */
export class Holds {
  readonly #inForce: InForce
  readonly #recorder: Recorder
  readonly #config: HoldConfig
  readonly #now: () => string
  readonly #ownersOf: (target: Target, judgement: Judgement) => readonly string[]
  readonly #link: (requestId: RequestId) => string
  readonly #listeners = new Map<RequestId, Set<() => void>>()
  /** Requests that this node has opened and that control has not spoken of yet, by statement. */
  readonly #opened = new Map<string, RequestId>()

  constructor(options: {
    inForce: InForce
    recorder: Recorder
    config: HoldConfig
    now: () => string
    ownersOf: (target: Target, judgement: Judgement) => readonly string[]
    link: (requestId: RequestId) => string
  }) {
    this.#inForce = options.inForce
    this.#recorder = options.recorder
    this.#config = options.config
    this.#now = options.now
    this.#ownersOf = options.ownersOf
    this.#link = options.link
  }

  /** Statements whose clients are kept waiting. */
  get waiting(): number {
    return this.#listeners.size
  }

  approvalChanged({ requestId, principalId, target, digest }: Approval): void {
    this.#opened.delete(keyOf(principalId, target, digest))
    for (const listener of this.#listeners.get(requestId) ?? []) listener()
  }

  /** The request under which this statement will be recorded: one that is there for it already, or a new one. */
  requestFor({ principal, target, digest, inlineSeconds }: Asking): Request {
    const known = this.#inForce.approvalFor(principal.id, target, digest)
    if (known && this.#stillSpeaks(known, inlineSeconds)) return { requestId: known.requestId, known, isNew: false }
    const key = keyOf(principal.id, target, digest)
    const opened = inlineSeconds === undefined ? this.#opened.get(key) : undefined
    if (opened) return { requestId: opened, known: undefined, isNew: false }
    const requestId = newRequestId()
    if (inlineSeconds === undefined) this.#remember(key, requestId)
    return { requestId, known: undefined, isNew: true }
  }

  /** Control speaks of each within a moment, unless it is not there; then the oldest are asked for once more. */
  #remember(key: string, requestId: RequestId): void {
    this.#opened.set(key, requestId)
    if (this.#opened.size <= OPENED_MAX) return
    const [oldest = key] = this.#opened.keys()
    this.#opened.delete(oldest)
  }

  /** A grant that can be used, or for those who come back later an answer that still stands. */
  #stillSpeaks({ phase, usableUntil, at }: Approval, inlineSeconds: number | undefined): boolean {
    const now = this.#now()
    if (phase === 'granted') return (usableUntil ?? '') > now
    if (inlineSeconds !== undefined) return false
    return phase === 'pending' || (phase === 'denied' && at > minutesBefore(now, this.#config.requestMinutes))
  }

  /** Waits for the answer to a statement whose intent is recorded under `requestId`. */
  async answer(asking: Asking, request: Request, execution: Execution, waiting: Waiting): Promise<HoldOutcome> {
    const { requestId, known, isNew } = request
    if (known?.phase === 'denied') return refuse(deniedText(known))
    if (known?.phase === 'granted') return this.#claim(asking, requestId, execution, waiting)
    const hold = this.#textOf(asking, requestId)
    if (!isNew) return refuse(say.approvalRequired(asking.judgement, hold, asking.principal))
    this.#recorder.add(this.#heldEvent(asking, requestId, execution, hold.expiresInSeconds), 'now')
    if (asking.inlineSeconds === undefined) {
      return refuse(say.approvalRequired(asking.judgement, hold, asking.principal))
    }
    return this.#wait(asking, requestId, execution, waiting, hold)
  }

  async #wait(
    asking: Asking,
    requestId: RequestId,
    execution: Execution,
    waiting: Waiting,
    hold: say.HoldText,
  ): Promise<HoldOutcome> {
    waiting.notice(say.heldNotice(asking.judgement, hold, asking.transaction === 'open'))
    let seconds = 0
    const heartbeat = setInterval(() => {
      seconds += this.#config.heartbeatSeconds
      waiting.notice(say.waitingNotice(hold, seconds))
    }, this.#config.heartbeatSeconds * 1000)
    try {
      const approval = await this.#settled(requestId, hold.expiresInSeconds * 1000 + GRACE_MS, waiting.signal, ends)
      if (approval === 'aborted') return this.#withdraw(requestId, execution, waiting.signal.reason as WithdrawnBecause)
      if (approval === 'late') return this.#tooLate(requestId, execution)
      if (approval.phase === 'claimed' && approval.claimedBy === execution.statementId) {
        waiting.notice(say.approvedNotice(requestId, approval.people))
        return { granted: requestId, rows: asking.judgement.rows?.rows }
      }
      return refuse(refusalOf(approval))
    } finally {
      clearInterval(heartbeat)
    }
  }

  async #claim(asking: Asking, requestId: RequestId, execution: Execution, waiting: Waiting): Promise<HoldOutcome> {
    const { sessionId, principal, digest, target, role, judgement } = asking
    this.#recorder.add(
      {
        type: 'grant.claim-asked',
        data: {
          requestId,
          statementId: execution.statementId,
          sessionId,
          principalId: principal.id,
          digest,
          target,
          role,
          policyVersion: judgement.policyVersion,
          ...(judgement.rows && { rows: judgement.rows }),
          ...(judgement.blast && { blast: withoutRows(judgement.blast) }),
          at: this.#now(),
        },
      } as AccessEvent,
      'now',
    )
    const answered = (approval: Approval) =>
      approval.phase === 'claimed' || approval.refusedClaim?.statementId === execution.statementId
    const approval = await this.#settled(requestId, CLAIM_TIMEOUT_MS, waiting.signal, answered)
    if (approval === 'aborted') return refuse(say.cancelled(), true)
    if (approval === 'late') return refuse(say.grantDoesNotMatch(requestId, 'nobody answered; try again'))
    if (approval.claimedBy === execution.statementId) return { granted: requestId, rows: judgement.rows?.rows }
    return refuse(say.grantDoesNotMatch(requestId, approval.refusedClaim?.because ?? 'it has been used already'))
  }

  #withdraw(requestId: RequestId, execution: Execution, because: WithdrawnBecause): HoldOutcome {
    this.#recorder.add(withdrawnEvent(requestId, execution, because, this.#now()), 'now')
    return refuse(because === 'node-stopping' ? say.withdrawnByNode(requestId) : say.withdrawn(requestId), true)
  }

  #tooLate(requestId: RequestId, execution: Execution): HoldOutcome {
    this.#recorder.add(withdrawnEvent(requestId, execution, 'hold-over', this.#now()), 'now')
    return refuse(say.holdExpired(requestId))
  }

  /** Waits until the approval satisfies `done`, the time is over, or the client is. */
  #settled(
    requestId: RequestId,
    timeoutMs: number,
    signal: AbortSignal,
    done: (approval: Approval) => boolean,
  ): Promise<Approval | 'late' | 'aborted'> {
    return new Promise((resolve) => {
      const finish = (result: Approval | 'late' | 'aborted') => {
        clearTimeout(timer)
        this.#unlisten(requestId, look)
        signal.removeEventListener('abort', abort)
        resolve(result)
      }
      const look = () => {
        const approval = this.#inForce.approval(requestId)
        if (approval && done(approval)) finish(approval)
      }
      const abort = () => finish('aborted')
      const timer = setTimeout(() => finish('late'), timeoutMs)
      this.#listen(requestId, look)
      signal.addEventListener('abort', abort)
      if (signal.aborted) abort()
      else look()
    })
  }

  #listen(requestId: RequestId, listener: () => void): void {
    const listeners = this.#listeners.get(requestId) ?? new Set()
    this.#listeners.set(requestId, listeners.add(listener))
  }

  #unlisten(requestId: RequestId, listener: () => void): void {
    const listeners = this.#listeners.get(requestId)
    listeners?.delete(listener)
    if (listeners?.size === 0) this.#listeners.delete(requestId)
  }

  #textOf({ target, judgement, inlineSeconds }: Asking, requestId: RequestId): say.HoldText {
    return {
      requestId,
      owners: this.#ownersOf(target, judgement),
      rule: judgement.policies[0] ?? '',
      link: this.#link(requestId),
      expiresInSeconds: inlineSeconds ?? this.#config.requestMinutes * 60,
    }
  }

  #heldEvent(asking: Asking, requestId: RequestId, execution: Execution, expiresInSeconds: number): AccessEvent {
    const { sessionId, principal, target, role, digest, text, judgement, reason, ticket } = asking
    const at = this.#now()
    return {
      type: 'statement.held',
      data: {
        requestId,
        statement: {
          statementId: execution.statementId,
          sessionId,
          principal,
          target,
          role,
          digest,
          text,
          actions: judgement.actions,
          relations: judgement.relations,
          ...(judgement.rows && { rows: judgement.rows }),
          ...(judgement.blast && { blast: judgement.blast }),
          policies: judgement.policies,
          policyVersion: judgement.policyVersion,
          catalogueVersion: judgement.catalogueVersion,
          because: judgement.because,
          ...(reason !== undefined && { reason }),
          ...(ticket !== undefined && { ticket }),
        },
        mode: asking.inlineSeconds === undefined ? 'rerun' : 'inline',
        approvers: judgement.approvers,
        quorum: judgement.quorum,
        expiresAt: new Date(Date.parse(at) + expiresInSeconds * 1000).toISOString(),
        at,
      },
    } as unknown as AccessEvent
  }
}

/** The request that a statement is recorded under. `known`: what control says of it. */
export interface Request {
  readonly requestId: RequestId
  readonly known: Approval | undefined
  readonly isNew: boolean
}

const keyOf = (principalId: string, { environment, database }: Target, digest: Digest): string =>
  `${principalId}\n${environment}/${database}\n${digest}`

const ends = ({ phase }: Approval) => phase !== 'pending' && phase !== 'granted'

const refuse = (refused: StatementRefusedError, withdrawn = false): HoldOutcome => ({ refused, withdrawn })

const deniedText = ({ requestId, people, reason }: Approval) =>
  people.length === 0 ? say.noApprover(requestId) : say.deniedByOwner(requestId, people, reason)

const refusalOf = (approval: Approval): StatementRefusedError => {
  const { phase, requestId } = approval
  if (phase === 'denied') return deniedText(approval)
  if (phase === 'expired') return say.holdExpired(requestId)
  if (phase === 'withdrawn') return say.withdrawn(requestId)
  return say.grantDoesNotMatch(
    requestId,
    phase === 'voided' ? 'something has changed since' : 'it has been used already',
  )
}

/** To be compared, not to be looked at. */
const withoutRows = (blast: Blast): Blast => {
  const { sample: _, ...bound } = blast
  return bound
}

const withdrawnEvent = (
  requestId: RequestId,
  { statementId }: Execution,
  because: WithdrawnBecause,
  at: string,
): AccessEvent => ({ type: 'statement.withdrawn', data: { requestId, statementId, because, at } }) as AccessEvent

const CROCKFORD = '0123456789abcdefghjkmnpqrstvwxyz'

const newRequestId = (): RequestId =>
  `rq_${Array.from({ length: 10 }, () => CROCKFORD[randomInt(32)]).join('')}` as RequestId

const minutesBefore = (instant: string, minutes: number): string =>
  new Date(Date.parse(instant) - minutes * 60_000).toISOString()
