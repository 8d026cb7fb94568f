import { beyondReach, type Beyond } from '@countersign/approval'
import type { RequestId } from '@countersign/contracts'
import type { Recorder } from '../record/recorder.ts'
import { statementDigest } from '../statement/digest.ts'
import { exactBytes } from '../statement/exact-bytes.ts'
import { noStages, type Execution, type Stages } from '../statement/execution.ts'
import type { Asking, Holds, WithdrawnBecause } from '../statement/holds.ts'
import type { Judgement } from '../statement/judgement.ts'
import * as say from '../statement/refusal.ts'
import { StatementRefusedError, type Notice } from '../statement/refusal.ts'
import { shownText } from '../statement/shown-text.ts'
import type { Identity } from './identity.ts'
import type { StatementAccount } from './statement-account.ts'

/** A client's message that holds statements: one text, of one command or several. */
export interface Statement {
  readonly sql: string
  readonly text: Buffer
  readonly parameterBytes?: Buffer | undefined
  readonly protocol: 'simple' | 'extended'
  readonly received: number
}

/**
 * Judges a statement, each of its commands, by what its words mean when it is asked. Rejects with
 * `StatementRefusedError` for what cannot be understood. `signal`: nobody waits for it any more.
 */
export type Ask<J extends Judgement> = (signal: AbortSignal, stages?: Stages) => Promise<readonly J[]>

export interface Admitted<J extends Judgement> {
  readonly executions: readonly Execution<J>[]
  /** What the server is asked in its place. */
  readonly replacement?: string | undefined
}

export interface AdmissionOptions<J extends Judgement> {
  readonly identity: Identity
  readonly account: StatementAccount<J>
  readonly recorder: Recorder
  readonly holds: Pick<Holds, 'requestFor' | 'answer'>
  readonly notice: (notice: Notice) => void
  /** What is recorded of a text that could not be understood. */
  readonly notUnderstood: (sql: string, refusal: StatementRefusedError) => J
  /** What has to be known of the session before these may run, whatever they are; a refusal, when it cannot be. */
  readonly prepare: (judged: readonly J[]) => Promise<StatementRefusedError | undefined>
}

/**
 * The way of a statement up to the point where it may be forwarded: understood, decided, recorded, and held when it
 * is dangerous. Rejects with `StatementRefusedError` when it may not.
 */
export class Admission<J extends Judgement> {
  readonly #options: AdmissionOptions<J>
  #abort: AbortController | undefined
  #holding = false
  #over: WithdrawnBecause | undefined

  constructor(options: AdmissionOptions<J>) {
    this.#options = options
  }

  /** True while something that takes time is under way; it can be taken back. */
  get busy(): boolean {
    return this.#abort !== undefined
  }

  /** The client takes back what it is waiting for, or is gone. */
  abort(because: WithdrawnBecause): void {
    this.#abort?.abort(because)
  }

  /** The session is over: what is under way is taken back, and nothing is admitted any more. */
  end(because: WithdrawnBecause): void {
    this.#over = because
    this.abort(because)
  }

  /** The same, but only while it is an approval that is waited for. */
  leaveHold(because: WithdrawnBecause): void {
    if (this.#holding) this.abort(because)
  }

  /** Records the intent of each command of a text that is allowed as it is. */
  intendAll(judged: readonly J[], statement: Statement, stages: Stages = noStages()): readonly Execution<J>[] {
    return this.#intendEach(judged, statement, stages)
  }

  /** Understands a text that is only prepared; undefined for an empty one. */
  understand(ask: Ask<J>): Promise<J | undefined> {
    return this.#abortably(async (signal) => {
      const [first] = await ask(signal)
      if (signal.aborted) throw say.cancelled()
      return first
    })
  }

  admit(statement: Statement, ask: Ask<J>): Promise<Admitted<J>> {
    return this.#abortably((signal) => this.#admit(statement, ask, signal))
  }

  async #abortably<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const abort = new AbortController()
    this.#abort = abort
    if (this.#over !== undefined) abort.abort(this.#over)
    try {
      return await work(abort.signal)
    } finally {
      this.#abort = undefined
    }
  }

  async #admit(statement: Statement, ask: Ask<J>, signal: AbortSignal): Promise<Admitted<J>> {
    const { recorder, identity } = this.#options
    if (!recorder.available) throw this.#logDown()
    const stages = noStages()
    const judged = await this.#judge(statement, ask, stages, signal)
    stages.understand = identity.clock() - statement.received - stages.decide
    if (signal.aborted) throw say.cancelled()
    if (!recorder.available) throw this.#logDown()
    const unprepared = await this.#options.prepare(judged)
    if (unprepared) throw unprepared
    const worst = worstOf(judged)
    if (worst?.verdict === 'deny') throw this.#deny(judged, worst, statement, stages)
    const replacement = judged[0]?.replacement
    if (worst?.verdict === 'hold') {
      return { ...(await this.#hold(judged, worst, statement, ask, stages, signal)), replacement }
    }
    return { executions: this.intendAll(judged, statement, stages), replacement }
  }

  /** What cannot be understood is recorded as well: as refused, with nothing known of it. */
  async #judge(statement: Statement, ask: Ask<J>, stages: Stages, signal: AbortSignal): Promise<readonly J[]> {
    try {
      return await ask(signal, stages)
    } catch (error) {
      if (!(error instanceof StatementRefusedError)) throw error
      if (signal.aborted) throw say.cancelled()
      const { account, notUnderstood } = this.#options
      for (const execution of this.#intendEach([notUnderstood(statement.sql, error)], statement, stages)) {
        account.settle(execution, 'refused', error.sqlstate)
      }
      throw error
    }
  }

  #deny(judged: readonly J[], worst: J, statement: Statement, stages: Stages): StatementRefusedError {
    const refusal = say.deniedByPolicy(worst, this.#options.identity.principal)
    for (const execution of this.intendAll(judged, statement, stages)) {
      this.#options.account.settle(execution, 'refused', refusal.sqlstate)
    }
    return refusal
  }

  async #hold(
    judged: readonly J[],
    worst: J,
    statement: Statement,
    ask: Ask<J>,
    stages: Stages,
    signal: AbortSignal,
  ): Promise<Admitted<J>> {
    const { account, holds, notice, identity } = this.#options
    const asking = this.#asking(worst, statement)
    const request = holds.requestFor(asking)
    const executions = this.#intendEach(judged, statement, stages, request.requestId)
    const held = executions[judged.indexOf(worst)]
    if (!held) throw new Error('a held statement without its execution')
    const settle = (outcome: 'refused' | 'withdrawn', refusal: StatementRefusedError) => {
      for (const execution of executions) account.settle(execution, outcome, refusal.sqlstate)
      return refusal
    }

    const heldAt = identity.clock()
    this.#holding = true
    const answer = holds.answer(asking, request, held, { notice, signal })
    const outcome = await answer.finally(() => (this.#holding = false))
    stages.hold = identity.clock() - heldAt
    if ('refused' in outcome) throw settle(outcome.withdrawn ? 'withdrawn' : 'refused', outcome.refused)
    const changed = await drift(worst, ask, signal).catch((error: unknown) => {
      throw error instanceof StatementRefusedError ? settle('refused', error) : error
    })
    if (signal.aborted) throw settle('withdrawn', say.cancelled())
    if (changed) throw settle('refused', say.grantDoesNotMatch(outcome.granted, changed))
    return { executions }
  }

  #asking(judgement: J, statement: Statement): Asking {
    const { text, parameterBytes } = statement
    const { identity, account } = this.#options
    const { sessionId, principal, target, role, holdSeconds } = identity
    return {
      sessionId,
      principal,
      target,
      role,
      digest: statementDigest(text, parameterBytes),
      text: shownText({ hidden: judgement.hidden, span: undefined }, statement),
      transaction: account.status,
      reason: account.reason,
      ticket: account.ticket,
      judgement,
      inlineSeconds: holdSeconds,
    }
  }

  #intendEach(
    judged: readonly J[],
    { sql, text, parameterBytes, protocol, received }: Statement,
    stages: Stages,
    requestId?: RequestId,
  ): readonly Execution<J>[] {
    const exact = exactBytes(text, parameterBytes)
    return judged.map((judgement) =>
      this.#options.account.intend({
        judgement,
        protocol,
        text: shownText(judgement, { sql, text, protocol }),
        exact,
        requestId,
        received,
        stages,
      }),
    )
  }

  #logDown(): StatementRefusedError {
    this.#options.recorder.countRefusal()
    return say.logDown()
  }
}

/**
 * CONTROL approved-is-executed: what was approved must still be what would run. The bytes are the same, because they
 * never left this process or were compared by digest; here the policy, the rows and all that it would reach are looked at
 * once more.
 */
const drift = async (approved: Judgement, ask: Ask<Judgement>, signal: AbortSignal): Promise<string | undefined> => {
  const now = worstOf(await ask(signal))
  if (!now || now.policyVersion !== approved.policyVersion) return 'the policy has changed since'
  if (now.verdict === 'deny') return 'policy denies it now'
  if (meaningOf(now) !== meaningOf(approved)) return 'it would touch something else than was approved'
  if ((now.rows?.rows ?? 0) > (approved.rows?.rows ?? 0)) return 'it would change more rows than were approved'
  const beyond = beyondReach(now.blast, approved.blast)
  return beyond && `${BEYOND[beyond.because]}: ${beyond.what} (${beyond.because})`
}

const BEYOND: Readonly<Record<Beyond['because'], string>> = {
  'more-rows': 'it would reach more rows than were approved',
  'wider-reach': 'it would reach something that was not approved',
  'stronger-lock': 'it would lock more strongly than was approved',
  'new-rewrite': 'it would write or read all of something, which was not approved',
}

const SEVERITY = { allow: 0, mask: 1, hold: 2, deny: 3 } as const

/** The judgement that decides for the whole text, because all of it is released together. */
const worstOf = <J extends Judgement>(judged: readonly J[]): J | undefined =>
  judged.toSorted((a, b) => severityOf(b) - severityOf(a))[0]

const severityOf = ({ verdict, endsSession }: Judgement): number => SEVERITY[verdict] + (endsSession ? 1 : 0)

const meaningOf = ({ actions, relations, touches }: Judgement): string => JSON.stringify([actions, relations, touches])
