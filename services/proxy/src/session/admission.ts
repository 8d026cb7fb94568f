import type { RequestId } from '@countersign/contracts'
import type { Recorder } from '../record/recorder.ts'
import { statementDigest } from '../statement/digest.ts'
import { noStages, type Execution, type Stages } from '../statement/execution.ts'
import type { Asking, Holds, WithdrawnBecause } from '../statement/holds.ts'
import type { BoundParameters, Circumstances, DeclaredCursor, Judge } from '../postgres/statement/judge.ts'
import type { Judgement } from '../statement/judgement.ts'
import { StatementRefusedError, type Notice } from '../statement/refusal.ts'
import { shownText } from '../statement/shown-text.ts'
import type { Exchange } from '../postgres/session/exchange.ts'
import type { Identity } from './identity.ts'
import type { NamesMeant } from '../postgres/session/meaning.ts'
import type { Portal } from '../postgres/session/pending.ts'
import * as say from '../postgres/session/say.ts'

/** A client's message that holds statements: one text, of one command or several. */
export interface Statement {
  readonly sql: string
  readonly text: Buffer
  readonly parameterBytes?: Buffer | undefined
  readonly protocol: 'simple' | 'extended'
  readonly received: number
}

/** The same with what it is judged by beside its text. */
interface Asked extends Statement {
  readonly bound: BoundParameters | undefined
  readonly names: NamesMeant | undefined
}

export interface Admitted {
  readonly executions: readonly Execution[]
  /** What the server is asked in its place. */
  readonly replacement?: string | undefined
}

export interface AdmissionOptions {
  readonly identity: Identity
  readonly exchange: Exchange
  readonly judge: Judge
  readonly recorder: Recorder
  readonly holds: Holds
  readonly notice: (notice: Notice) => void
  /** Asks the server which cursors and prepared statements there are; a refusal, when it does not say. */
  readonly seeHandles: () => Promise<StatementRefusedError | undefined>
}

/**
 * The way of a statement up to the point where it may be forwarded: understood, decided, recorded, and held when it
 * is dangerous. Rejects with `StatementRefusedError` when it may not.
 */
export class Admission {
  readonly #options: AdmissionOptions
  #abort: AbortController | undefined
  #holding = false

  constructor(options: AdmissionOptions) {
    this.#options = options
  }

  /** True while something that takes time is under way; it can be taken back. */
  get busy(): boolean {
    return this.#abort !== undefined
  }

  /** `names`: what they meant when the statement was bound, where that was earlier. */
  circumstances(
    names: NamesMeant = this.#options.exchange.meaning.names,
    types: readonly number[] = NO_TYPES,
  ): Circumstances {
    const { identity, exchange } = this.#options
    const { prepared, cursors, portals, reason, ticket, transaction } = exchange.meaning
    return {
      principal: identity.principal,
      target: identity.target,
      role: identity.role,
      processId: identity.processId,
      session: names.session,
      namesKey: names.key,
      types,
      transaction,
      reason,
      ticket,
      prepared: (name) => {
        const found = prepared.get(name)
        return found && { text: found.text, types: found.parameterTypes }
      },
      cursor: (name) => cursors.get(name) ?? asCursor(portals.get(name)),
    }
  }

  /** The client takes back what it is waiting for, or is gone. */
  abort(because: WithdrawnBecause): void {
    this.#abort?.abort(because)
  }

  /** The same, but only while it is an approval that is waited for. */
  leaveHold(because: WithdrawnBecause): void {
    if (this.#holding) this.abort(because)
  }

  /** Records the intent of each command of a text that is allowed as it is. */
  intendAll(judged: readonly Judgement[], statement: Statement, stages: Stages = noStages()): readonly Execution[] {
    return judged.map((judgement) => this.#intend(judgement, statement, stages))
  }

  /** Understands a text that is only prepared; undefined for an empty one. */
  understand(sql: string, types: readonly number[]): Promise<Judgement | undefined> {
    return this.#abortably(async (signal) => {
      const [first] = await this.#options.judge.ask(sql, this.circumstances(undefined, types), { signal })
      if (signal.aborted) throw say.cancelled()
      return first
    })
  }

  admit(statement: Statement, bound?: BoundParameters, names?: NamesMeant): Promise<Admitted> {
    return this.#abortably((signal) => this.#admit({ ...statement, bound, names }, signal))
  }

  async #abortably<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const abort = new AbortController()
    this.#abort = abort
    try {
      return await work(abort.signal)
    } finally {
      this.#abort = undefined
    }
  }

  async #admit(statement: Asked, signal: AbortSignal): Promise<Admitted> {
    const { recorder, identity } = this.#options
    if (!recorder.available) throw this.#logDown()
    const stages = noStages()
    const judged = await this.#judge(statement, stages, signal)
    stages.understand = identity.clock() - statement.received - stages.decide
    if (signal.aborted) throw say.cancelled()
    if (!recorder.available) throw this.#logDown()
    await this.#seeHandles(judged)
    const [first] = judged
    if (first?.replacement !== undefined) {
      return { executions: this.intendAll(judged, statement, stages), replacement: first.replacement }
    }

    const worst = worstOf(judged)
    if (worst?.verdict === 'deny') throw this.#deny(judged, worst, statement, stages)
    if (worst?.verdict === 'hold') return this.#hold(judged, worst, statement, stages, signal)
    return { executions: this.intendAll(judged, statement, stages) }
  }

  /** Code that may put others in their places: afterwards it must be possible to tell them apart. */
  async #seeHandles(judged: readonly Judgement[]): Promise<void> {
    const { exchange, seeHandles } = this.#options
    if (!judged.some(({ effects }) => effects.changesHandles) || !exchange.meaning.mustSeeHandles) return
    const refusal = await seeHandles()
    if (refusal) throw refusal
  }

  /** What cannot be understood is recorded as well: as refused, with nothing known of it. */
  async #judge(statement: Asked, stages: Stages, signal: AbortSignal): Promise<readonly Judgement[]> {
    const { judge, exchange } = this.#options
    const { sql, bound, names } = statement
    try {
      return await judge.ask(sql, this.circumstances(names, bound?.types), { bound, stages, signal })
    } catch (error) {
      if (!(error instanceof StatementRefusedError)) throw error
      if (signal.aborted) throw say.cancelled()
      const execution = this.#intend(judge.notUnderstood(sql, error), statement, stages)
      exchange.settle(execution, 'refused', error.sqlstate)
      throw error
    }
  }

  #deny(judged: readonly Judgement[], worst: Judgement, statement: Statement, stages: Stages): StatementRefusedError {
    const refusal = say.deniedByPolicy(worst)
    for (const execution of this.intendAll(judged, statement, stages)) {
      this.#options.exchange.settle(execution, 'refused', refusal.sqlstate)
    }
    return refusal
  }

  async #hold(
    judged: readonly Judgement[],
    worst: Judgement,
    statement: Asked,
    stages: Stages,
    signal: AbortSignal,
  ): Promise<Admitted> {
    const { exchange, holds, notice, identity } = this.#options
    const asking = this.#asking(worst, statement)
    const request = holds.requestFor(asking)
    const executions = judged.map((judgement) => this.#intend(judgement, statement, stages, request.requestId))
    const held = executions[judged.indexOf(worst)]
    if (!held) throw new Error('a held statement without its execution')
    const settle = (outcome: 'refused' | 'withdrawn', refusal: StatementRefusedError) => {
      for (const execution of executions) exchange.settle(execution, outcome, refusal.sqlstate)
      return refusal
    }

    const heldAt = identity.clock()
    this.#holding = true
    const answer = holds.answer(asking, request, held, { notice, signal })
    const outcome = await answer.finally(() => (this.#holding = false))
    stages.hold = identity.clock() - heldAt
    if ('refused' in outcome) throw settle(outcome.withdrawn ? 'withdrawn' : 'refused', outcome.refused)
    const drift = await this.#drift(worst, statement, signal)
    if (drift) throw settle('refused', say.grantDoesNotMatch(outcome.granted, drift))
    return { executions }
  }

  /**
   * CONTROL approved-is-executed: what was approved must still be what would run. The bytes are the same, because
   * they never left this process or were compared by digest; here the policy and the rows are looked at once more.
   */
  async #drift(approved: Judgement, { sql, bound, names }: Asked, signal: AbortSignal): Promise<string | undefined> {
    const circumstances = this.circumstances(names, bound?.types)
    const now = worstOf(await this.#options.judge.ask(sql, circumstances, { bound, signal }))
    if (!now || now.policyVersion !== approved.policyVersion) return 'the policy has changed since'
    if (now.verdict === 'deny') return 'policy denies it now'
    if (meaningOf(now) !== meaningOf(approved)) return 'it would touch something else than was approved'
    if ((now.rows?.rows ?? 0) > (approved.rows?.rows ?? 0)) return 'it would change more rows than were approved'
    return undefined
  }

  #asking(judgement: Judgement, statement: Statement): Asking {
    const { text, parameterBytes } = statement
    const { identity, exchange } = this.#options
    const { sessionId, principal, target, role, holdSeconds } = identity
    return {
      sessionId,
      principal,
      target,
      role,
      digest: statementDigest(text, parameterBytes),
      text: shownText({ hidden: judgement.hidden, span: undefined }, statement),
      transaction: exchange.status,
      reason: exchange.meaning.reason,
      ticket: exchange.meaning.ticket,
      judgement,
      inlineSeconds: holdSeconds,
    }
  }

  #intend(
    judgement: Judgement,
    { sql, text, parameterBytes, protocol, received }: Statement,
    stages: Stages,
    requestId?: RequestId,
  ): Execution {
    const { exchange } = this.#options
    return exchange.intend({
      judgement,
      protocol,
      text: shownText(judgement, { sql, text, protocol }),
      textBytes: text,
      parameterBytes,
      digest: statementDigest(text, parameterBytes),
      requestId,
      received,
      stages,
    })
  }

  #logDown(): StatementRefusedError {
    this.#options.recorder.countRefusal()
    return say.logDown()
  }
}

const NO_TYPES: readonly number[] = []

const SEVERITY = { allow: 0, mask: 1, hold: 2, deny: 3 } as const

/** The judgement that decides for the whole text, because all of it is released together. */
const worstOf = (judged: readonly Judgement[]): Judgement | undefined =>
  judged.toSorted((a, b) => SEVERITY[b.verdict] - SEVERITY[a.verdict])[0]

const meaningOf = ({ actions, relations, touches }: Judgement): string => JSON.stringify([actions, relations, touches])

/** SQL may move and fetch from a portal as well: the two have one space of names. */
const asCursor = (portal: Portal | undefined): DeclaredCursor | undefined =>
  portal && {
    text: portal.prepared.text,
    types: portal.prepared.parameterTypes,
    session: portal.names.session,
    namesKey: portal.names.key,
  }
