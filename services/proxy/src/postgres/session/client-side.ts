import { isUtf8 } from 'node:buffer'
import type { SessionId } from '@countersign/contracts'
import {
  describePortal,
  parse,
  query,
  FRONTEND,
  HEADER_BYTES,
  ProtocolError,
  readBind,
  readCopyFail,
  readExecute,
  readFunctionCall,
  readNamed,
  readParameters,
  readParse,
  readQuery,
  readyForQuery,
  SYNC,
  type Bind,
  type Column,
  type FrameReader,
} from '@countersign/pgwire'
import type { NodeConfig } from '@countersign/platform'
import type { Recorder } from '../../record/recorder.ts'
import type { Admission } from '../../session/admission.ts'
import type { ToClient } from '../../session/to-client.ts'
import { StatementRefusedError } from '../../statement/refusal.ts'
import type { Judge } from '../statement/judge.ts'
import type { PostgresExecution, PostgresJudgement } from '../statement/postgres-judgement.ts'
import { changedIn, changedSince, COUNTS_AFTER, COUNTS_BEFORE, type Changed } from '../undo/changed-counts.ts'
import type { Undos } from '../undo/undos.ts'
import type { Exchange } from './exchange.ts'
import { KeptBytes } from './kept-bytes.ts'
import { preparedFrom, type NamesMeant } from './meaning.ts'
import { executionsOf, type GuardedQuery, type Pending, type Portal, type Prepared } from './pending.ts'
import * as say from './say.ts'
import type { SessionCircumstances } from './session-circumstances.ts'
import { FLUSH, type Answer } from './session-question.ts'
import type { ToServer } from './to-server.ts'

export interface ClientSideOptions {
  readonly exchange: Exchange
  readonly toServer: ToServer
  readonly toClient: ToClient
  readonly judge: Judge
  readonly recorder: Recorder
  readonly admission: Admission<PostgresJudgement>
  readonly circumstances: SessionCircumstances
  readonly limits: NodeConfig['limits']
  readonly sessionId: SessionId
  readonly clock: () => number
  /**
   * Everything that was sent is answered, and it is known what names mean; or the refusal with which the server has
   * answered that. `within`: in the middle of a group of the extended protocol.
   */
  readonly settled: (within: boolean) => Promise<StatementRefusedError | undefined>
  /** Everything that was sent is answered, or nobody will answer any more. */
  readonly answered: () => Promise<void>
  /** Asks something of our own by simple query, and rejects with a refusal when the server does. */
  readonly command: (sql: string) => Promise<void>
  /** A question of our own about what the transaction has done; rejects with a refusal when the server does. */
  readonly asked: (sql: string, within: boolean) => Promise<Answer>
  readonly undos: Undos | undefined
  /** Messages may be looked at again. */
  readonly unblocked: () => void
  /** Something happened that must not: the session ends. */
  readonly failed: (error: unknown) => void
  readonly terminated: () => void
  /** What was refused is worth the session. */
  readonly ended: (refusal: StatementRefusedError) => void
}

/** No portal has this name, so to describe it is an error that changes nothing: it stands for what we refuse. */
export const NO_SUCH_PORTAL = describePortal('countersign: refused')

/** The same in place of a statement without a name, by which the server forgets the one that it has. */
const NO_STATEMENT = parse('', '*')

/**
 * Reads what the client says, in order. What is known to be allowed goes on at once; whatever needs a question first
 * (to the parser, the database, an approver) blocks what comes behind it, for this client alone.
 */
export class ClientSide implements FrameReader {
  readonly #options: ClientSideOptions
  readonly #exchange: Exchange
  readonly #toServer: ToServer
  readonly #kept: KeptBytes
  #blocked = false
  /** Something in this group was refused: everything up to its Sync is passed over, as the server would do. */
  #skipping = false
  /** In the middle of a group of the extended protocol, whose Sync has not come. */
  #within = false
  /** Something of this group was executed. */
  #executed = false
  /** A portal of this group's, which would not outlive an end of it. */
  #bound = false
  #asksWithin = false
  /** We have executed a question of our own in this group, and the client nothing. */
  #onlyWeExecuted = false
  /** The beginning of the CopyData that is under way is lost, so the rest of it must not be sent. */
  #copyDataLost = false
  #closed = false
  /** The session is about to end: what the client says is not looked at any more. */
  #ended = false

  constructor(options: ClientSideOptions) {
    this.#options = options
    this.#exchange = options.exchange
    this.#toServer = options.toServer
    this.#kept = new KeptBytes(this.#exchange.meaning, options.limits.sessionBytesMax)
  }

  get blocked(): boolean {
    return this.#blocked || this.#ended
  }

  /** In the middle of something that the client has begun. */
  get busy(): boolean {
    return this.blocked || this.#within
  }

  /** The server has failed, and passes over what follows up to the Sync that the client has still to send. */
  skipToSync(): void {
    this.#skipping = true
  }

  /** In the middle of a group of the extended protocol. */
  get within(): boolean {
    return this.#within
  }

  /**
   * Whether a question of our own belongs into the group. What is executed first in its group the server commits by
   * itself, and whatever cannot run in a transaction block can be run like that (CREATE INDEX CONCURRENTLY, VACUUM);
   * behind something else that was executed it waits for the Sync (PostgreSQL's "pipelining"). Our question must not be
   * what makes the difference, so it ends the group that has begun where nothing of that is lost.
   */
  get asksWithin(): boolean {
    return this.#asksWithin
  }

  /** What comes up to the next Sync is passed over. */
  get skipping(): boolean {
    return this.#skipping
  }

  /** The server waits for data of COPY, and the client has sent something else, which waits for the server. */
  get waitsInVain(): boolean {
    return this.#blocked && this.#exchange.copying
  }

  close(): void {
    this.#closed = true
  }

  begin(tag: number, length: number): 'whole' | 'stream' | 'skip' {
    if (tag === FRONTEND.copyData) {
      this.#copyDataLost = false
      return 'stream'
    }
    if (BARE.has(tag) && length !== HEADER_BYTES)
      throw new ProtocolError('PGWIRE_BAD_LENGTH', `${nameOf(tag)} with a body`)
    if (!KNOWN.has(tag)) throw new ProtocolError('PGWIRE_UNEXPECTED', `${nameOf(tag)} of the client`)
    const { statementBytesMax, messageBytesMax } = this.#options.limits
    const isText = tag === FRONTEND.query || tag === FRONTEND.parse
    const bytesMax = isText ? statementBytesMax : messageBytesMax
    if (length <= bytesMax) return 'whole'
    this.#refuseLong(tag, say.tooLong(length, bytesMax))
    return 'skip'
  }

  piece(_tag: number, bytes: Buffer, start: number, end: number): void {
    if (!this.#copyDataLost) this.#toServer.add(bytes, start, end, undefined)
  }

  message(tag: number, bytes: Buffer, start: number, end: number): boolean {
    if (this.#skipping && tag !== FRONTEND.sync && tag !== FRONTEND.terminate) return true
    const own = (isWhole(tag) || !this.#bound) && !this.#executed && this.#exchange.status === 'idle'
    this.#asksWithin = this.#within && !own
    // The question between this and what came before ends what ours within has begun.
    if (own && this.#onlyWeExecuted) this.#exchange.meaning.asksAgain()
    if (RESTS_ON_WORDS.has(tag) && this.#mustWait(tag, bytes, start, end)) return this.#later(bytes, start, end)
    if (JUDGED.has(tag) && !this.#kept.hasRoomFor(end - start)) {
      // What is on its way is kept as well, until it is answered.
      return this.#unanswered ? this.#later(bytes, start, end) : this.#refuse(tag, say.keepsTooMuch())
    }
    switch (tag) {
      case FRONTEND.query:
        return this.#query(bytes, start, end)
      case FRONTEND.parse:
        return this.#parse(bytes, start, end)
      case FRONTEND.bind:
        return this.#bind(bytes, start, end)
      case FRONTEND.execute:
        return this.#execute(bytes, start, end)
      case FRONTEND.describe:
        return this.#describe(bytes, start, end)
      case FRONTEND.close:
        return this.#close(bytes, start, end)
      case FRONTEND.sync:
        return this.#sync(bytes, start, end)
      case FRONTEND.flush:
        return this.#forward(bytes, start, end, undefined)
      case FRONTEND.copyFail:
        readCopyFail(bytes, start, end)
        return this.#forward(bytes, start, end, { kind: 'copy-end' })
      case FRONTEND.copyDone:
        return this.#forward(bytes, start, end, { kind: 'copy-end' })
      case FRONTEND.functionCall:
        return this.#functionCall(bytes, start, end)
      default:
        this.#blocked = true
        this.#options.terminated()
        return false
    }
  }

  /**
   * What was sent before may change what this means, so nobody can say yet. A simple query waits as well in the middle
   * of a group, because the server passes over it when that group has failed; and while the unnamed portal, which it
   * takes the place of, is running.
   */
  #mustWait(tag: number, bytes: Buffer, start: number, end: number): boolean {
    const { meaning, copying, status, syncs } = this.#exchange
    if (copying) throw new ProtocolError('PGWIRE_UNEXPECTED', `${nameOf(tag)} in the middle of COPY data`)
    if (meaning.changing(syncs)) return true
    if (isWhole(tag) && (this.#within || meaning.portals.get('')?.execution) && this.#unanswered) return true
    if (!meaning.unknown || status === 'failed' || !JUDGED.has(tag)) return false
    return status === 'idle' || !TRANSACTION.test(this.#textIn(tag, bytes, start, end) ?? '')
  }

  #textIn(tag: number, bytes: Buffer, start: number, end: number): string | undefined {
    if (tag === FRONTEND.query) return readQuery(bytes, start, end).toString('utf8')
    if (tag === FRONTEND.parse) return readParse(bytes, start, end).sql.toString('utf8')
    if (tag === FRONTEND.bind) return this.#exchange.meaning.prepared.get(readBind(bytes, start, end).statement)?.text
    return undefined
  }

  /** What takes a question anyway is judged when everything before it is answered: it may speak of names in doubt. */
  get #unanswered(): boolean {
    return this.#exchange.pending.length > 0 || this.#toServer.waiting
  }

  /** Looks at it when everything that was sent before is answered. */
  #later(bytes: Buffer, start: number, end: number): false {
    if (!this.#unanswered && !this.#exchange.meaning.unknown) throw new Error('a statement waits for nothing')
    const frame = Buffer.from(bytes.subarray(start, end))
    this.#blocked = true
    this.#onlyWeExecuted = this.#asksWithin && !this.#executed
    this.#toServer.flush()
    this.#options.settled(this.#asksWithin).then(
      (refusal) => this.#lookAgain(frame, refusal),
      (error: unknown) => this.#options.failed(error),
    )
    return false
  }

  #lookAgain(frame: Buffer, refusal: StatementRefusedError | undefined): void {
    this.#blocked = false
    if (this.#closed) return
    const tag = frame[0] ?? 0
    try {
      if (!refusal) this.message(tag, frame, 0, frame.length)
      else if (!this.#skipping) this.#refuse(tag, refusal)
    } catch (error) {
      this.#options.failed(error)
      return
    }
    this.#goOn()
  }

  /** What was on its way to the server and will not be sent, because the log is down: each is refused in its turn. */
  lost(pending: readonly (Pending | undefined)[]): void {
    this.#copyDataLost = true
    for (const each of pending) if (each) this.#settleLost(each)
    for (const each of pending.toReversed()) if (each) this.#exchange.undo(each)
    for (const each of pending) {
      if (each?.kind === 'sync') this.#endGroup()
      else if (each?.kind === 'query') this.#loseQuery()
      else if (each && each.kind !== 'copy-end' && !this.#skipping) this.#refuseExtended(say.logDown())
    }
  }

  #loseQuery(): void {
    this.#exchange.groupsSent -= 1
    this.#refuseGroup(say.logDown())
  }

  #settleLost(pending: Pending): void {
    for (const execution of executionsOf(pending)) this.#exchange.settle(execution, 'refused', 'ZA010')
    if (pending.kind === 'execute') pending.portal.execution = undefined
    if (pending.kind === 'question') {
      pending.failure = 'ZA010'
      pending.answered(pending)
    }
  }

  // -- the simple protocol ------------------------------------------------------------------------------------------

  #query(bytes: Buffer, start: number, end: number): boolean {
    const received = this.#options.clock()
    this.#dropUnnamed()
    const text = readQuery(bytes, start, end)
    if (!isUtf8(text)) return this.#refuseGroup(say.invalidUtf8())
    const sql = text.toString('utf8')
    const judged = this.#judgedAtOnce(sql)
    if (judged) {
      const executions = this.#options.admission.intendAll(judged, { sql, text, protocol: 'simple', received })
      return this.#forwardQuery(bytes, start, end, executions)
    }
    if (this.#unanswered) return this.#later(bytes, start, end)
    const frame = Buffer.from(bytes.subarray(start, end))
    return this.#block(() => this.#admitQuery(frame, received))
  }

  /** A simple query takes the place of the unnamed statement and of the unnamed portal. */
  #dropUnnamed(): void {
    const { prepared, portals } = this.#exchange.meaning
    const portal = portals.get('')
    prepared.delete('')
    portals.delete('')
    if (portal) this.#exchange.dropPortal(portal)
  }

  async #admitQuery(frame: Buffer, received: number): Promise<void> {
    const text = readQuery(frame, 0, frame.length)
    const statement = { sql: text.toString('utf8'), text, protocol: 'simple', received } as const
    try {
      const { admission, circumstances } = this.#options
      const admitted = await admission.admit(statement, circumstances.judging(statement.sql))
      const { executions, replacement } = admitted
      const forwarded = replacement === undefined ? frame : query(replacement)
      if (executions.some(({ guarded }) => guarded)) await this.#runGuarded(forwarded, executions)
      else this.#forwardQuery(forwarded, 0, forwarded.length, executions)
    } catch (error) {
      const refusal = refusalIn(error)
      if (!this.#endsBy(refusal)) this.#refuseGroup(refusal)
    }
  }

  #forwardQuery(
    bytes: Buffer,
    start: number,
    end: number,
    executions: readonly PostgresExecution[],
    { result, guarded }: { readonly result?: Column; readonly guarded?: GuardedQuery } = {},
  ): boolean {
    this.#gateFor(executions)
    const { restsOnTransaction } = this.#options.judge
    const among = executions.length > 1
    for (const execution of executions) this.#exchange.meaning.sent(execution, among, restsOnTransaction)
    this.#exchange.groupsSent += 1
    const pending = {
      kind: 'query',
      executions,
      next: 0,
      ...(result && { result }),
      ...(guarded && { guarded }),
    } as const
    return this.#forward(bytes, start, end, pending)
  }

  /**
   * A simple query is committed before the server says how many rows it has changed: so outside a transaction it runs in
   * one of ours. Its bytes are the client's, and so is everything that it is told; it hears that it is done when it is.
   */
  async #runGuarded(frame: Buffer, executions: readonly PostgresExecution[]): Promise<void> {
    const wrapped = this.#exchange.status === 'idle'
    const alone = executions.find(({ judgement }) => needsOwnTransaction(judgement))
    if (alone && !wrapped) return this.#refuseRun(executions, say.needsOwnTransaction(alone.judgement))
    if (wrapped && !(await this.#begun(executions))) return
    const undoable = executions.find(({ judgement }) => judgement.undoHours !== undefined)
    const guarded: GuardedQuery = { wrapped, judgement: executions.at(-1)?.judgement, completed: undefined }
    const before = undoable && (await this.#countsBefore(false))
    if (before instanceof StatementRefusedError) return this.#giveUp(guarded, executions, before)
    this.#forwardQuery(frame, 0, frame.length, executions, { guarded })
    await this.#options.answered()
    if (this.#closed) return
    const tripped = executions.find((execution) => execution.tripped)
    const isDone = !tripped && this.#exchange.status === 'open'
    const kept = undoable && before && isDone ? await this.#captured(undoable, executions, before, false) : undefined
    if (this.#closed) return
    const refusal = tripped ? say.rolledBack(tripped) : kept
    const error = refusal && say.errorOf(refusal)
    if (!wrapped) return error && this.#failTransaction(error)
    const stands = !refusal && this.#exchange.status === 'open'
    this.#toServer.send(query(stands ? 'COMMIT' : 'ROLLBACK'), { kind: 'verdict', of: guarded, error })
    if (!undoable && !alone) return
    await this.#options.answered()
    this.#afterVerdict(executions)
  }

  async #countsBefore(within: boolean): Promise<Changed | StatementRefusedError> {
    return this.#options.asked(COUNTS_BEFORE, within).then(changedIn, refusalIn)
  }

  /** Nothing of it has run. */
  #giveUp(of: GuardedQuery, executions: readonly PostgresExecution[], refusal: StatementRefusedError): void {
    for (const execution of executions) this.#exchange.settle(execution, 'failed', refusal.sqlstate)
    this.#exchange.groupsSent += 1
    this.#toServer.send(query('ROLLBACK'), { kind: 'verdict', of, error: say.errorOf(refusal) })
  }

  /**
   * Keeps what the open transaction has changed, before it is committed. Returns why it must not be, when that cannot be
   * kept.
   */
  async #captured(
    undoable: PostgresExecution,
    executions: readonly PostgresExecution[],
    before: Changed,
    within: boolean,
  ): Promise<StatementRefusedError | undefined> {
    const { asked, undos, recorder, sessionId } = this.#options
    try {
      const changed = changedSince(before, changedIn(await asked(COUNTS_AFTER, within)))
      const rows = executions.reduce((sum, { rowsAffected }) => sum + rowsAffected, 0)
      await undos?.capture(undoable, rows, changed, { sessionId, record: (event) => recorder.add(event, 'now') })
      return undos ? undefined : say.needsOwnTransaction(undoable.judgement)
    } catch (error) {
      const refusal = refusalIn(error)
      for (const execution of executions) this.#exchange.trip(execution, 'not-captured')
      return refusal
    }
  }

  #afterVerdict(executions: readonly PostgresExecution[]): void {
    const { undos, recorder, sessionId } = this.#options
    for (const execution of executions) {
      const { judgement, outcome } = execution
      if (judgement.undoHours !== undefined && outcome !== 'completed' && outcome !== 'outcome_unknown') {
        undos?.forget(execution)
      }
      if (judgement.restores !== undefined && outcome === 'completed') {
        undos?.used(execution, { sessionId, record: (event) => recorder.add(event, 'now') })
      }
    }
  }

  #refuseRun(executions: readonly PostgresExecution[], refusal: StatementRefusedError): void {
    for (const execution of executions) this.#exchange.settle(execution, 'refused', refusal.sqlstate)
    this.#refuseGroup(refusal)
  }

  /** Not before the intent is durable; and where the server does not begin, nothing has run. */
  async #begun(executions: readonly PostgresExecution[]): Promise<boolean> {
    try {
      if (!(await this.#recorded(executions))) throw say.logDown()
      await this.#options.command('BEGIN')
      return !this.#closed
    } catch (error) {
      const refusal = refusalIn(error)
      const outcome = refusal.sqlstate === 'ZA010' ? 'refused' : refusal.sqlstate === '57014' ? 'cancelled' : 'failed'
      for (const execution of executions) this.#exchange.settle(execution, outcome, refusal.sqlstate)
      if (!this.#closed) this.#refuseGroup(refusal)
      return false
    }
  }

  #recorded(executions: readonly PostgresExecution[]): Promise<boolean> {
    const { recorder, failed } = this.#options
    const record = Math.max(...executions.map((execution) => execution.record))
    if (record <= recorder.durable) return Promise.resolve(true)
    return new Promise((resolve) => {
      recorder.whenRecorded(record, { recorded: () => resolve(true), unrecorded: () => resolve(false), failed })
    })
  }

  /** A call by number: judged, recorded and masked as the statement that would call the same function by its name. */
  #functionCall(bytes: Buffer, start: number, end: number): boolean {
    if (this.#unanswered) return this.#later(bytes, start, end)
    const received = this.#options.clock()
    const frame = Buffer.from(bytes.subarray(start, end))
    return this.#block(() => this.#admitFunctionCall(frame, received))
  }

  async #admitFunctionCall(frame: Buffer, received: number): Promise<void> {
    const call = readFunctionCall(frame, 0, frame.length)
    try {
      const { sql, types, name, resultType } = await this.#options.judge.called(call.function)
      const { admission, circumstances } = this.#options
      const bound = { types, formats: call.parameterFormats, values: readParameters(call) }
      const { executions } = await admission.admit(
        { sql, text: Buffer.from(sql), parameterBytes: call.parameterBytes, protocol: 'extended', received },
        circumstances.judging(sql, bound),
      )
      const result = { name, relation: 0, attribute: 0, type: resultType, modifier: -1, format: call.resultFormat }
      this.#forwardQuery(frame, 0, frame.length, executions, { result })
    } catch (error) {
      const refusal = refusalIn(error)
      if (!this.#endsBy(refusal)) this.#refuseGroup(refusal)
    }
  }

  // -- the extended protocol ----------------------------------------------------------------------------------------

  #parse(bytes: Buffer, start: number, end: number): boolean {
    const { statement, sql: text, parameterTypes } = readParse(bytes, start, end)
    if (!isUtf8(text)) return this.#refuseParse(statement, say.invalidUtf8())
    const sql = text.toString('utf8')
    const types = typesOf(parameterTypes)
    const known = this.#options.judge.known(sql, this.#options.circumstances.now(undefined, types))
    if (known) {
      const prepared = { text: sql, textBytes: Buffer.from(text), parameterTypes: types, columns: undefined }
      return this.#prepare(bytes, start, end, statement, prepared, known[0])
    }
    const frame = Buffer.from(bytes.subarray(start, end))
    return this.#block(() => this.#admitParse(frame))
  }

  /** Parsing has no effect, so nothing is recorded; but what cannot be understood goes no further. */
  async #admitParse(frame: Buffer): Promise<void> {
    const { statement, sql: text, parameterTypes } = readParse(frame, 0, frame.length)
    const sql = text.toString('utf8')
    const types = typesOf(parameterTypes)
    try {
      const { admission, circumstances } = this.#options
      const judgement = await admission.understand(circumstances.understanding(sql, types))
      if (this.#skipping) return
      if (judgement?.restores !== undefined) throw say.undoneBySimpleQuery()
      const replacement = judgement?.replacement
      const forwarded = replacement === undefined ? frame : parse(statement, replacement)
      const prepared =
        replacement === undefined
          ? { text: sql, textBytes: Buffer.from(text), parameterTypes: types, columns: undefined }
          : preparedFrom(replacement, NO_TYPES)
      this.#prepare(forwarded, 0, forwarded.length, statement, prepared, judgement)
    } catch (error) {
      const refusal = refusalIn(error)
      if (!this.#skipping) this.#refuseParse(statement, refusal)
    }
  }

  #refuseParse(name: string, refusal: StatementRefusedError): boolean {
    if (name !== '') return this.#refuseExtended(refusal)
    this.#within = true
    this.#skipping = true
    const { meaning, syncs } = this.#exchange
    const change = meaning.prepared.change(name, undefined, syncs)
    this.#toServer.send(NO_STATEMENT, { kind: 'refused', error: say.errorOf(refusal), change })
    return true
  }

  #prepare(
    bytes: Buffer,
    start: number,
    end: number,
    name: string,
    prepared: Prepared,
    judgement: PostgresJudgement | undefined,
  ): boolean {
    const { meaning, syncs } = this.#exchange
    const change = meaning.prepared.change(name, prepared, syncs)
    return this.#extend(bytes, start, end, { kind: 'parse', change, judgement })
  }

  #bind(bytes: Buffer, start: number, end: number): boolean {
    const received = this.#options.clock()
    const bind = readBind(bytes, start, end)
    const { meaning, syncs } = this.#exchange
    if (meaning.prepared.inDoubt(bind.statement, syncs)) return this.#later(bytes, start, end)
    const prepared = meaning.prepared.get(bind.statement)
    if (!prepared) return this.#refuseExtended(say.noSuchStatement(bind.statement))
    const judged = this.#judgedAtOnce(prepared.text, undefined, prepared.parameterTypes)
    if (judged) {
      // A statement that is proven read-only is recorded when it is executed; any other before it can be planned,
      // because planning may call functions.
      const [judgement] = judged
      const portal = this.#portalOf(bind, prepared, judgement)
      if (judgement && !judgement.readOnly) portal.execution = this.#intend(portal, judgement, received)
      return this.#forwardBind(bytes, start, end, bind.portal, portal)
    }
    if (this.#unanswered) return this.#later(bytes, start, end)
    const frame = Buffer.from(bytes.subarray(start, end))
    return this.#block(() => this.#admitBind(frame, prepared, received))
  }

  async #admitBind(frame: Buffer, prepared: Prepared, received: number): Promise<void> {
    const bind = readBind(frame, 0, frame.length)
    const bound = { types: prepared.parameterTypes, formats: bind.parameterFormats, values: readParameters(bind) }
    const parameterBytes = bind.parameterCount > 0 ? bind.parameterBytes : undefined
    const { text: sql, textBytes: text } = prepared
    try {
      const { admission, circumstances } = this.#options
      const admitted = await admission.admit(
        { sql, text, parameterBytes, protocol: 'extended', received },
        circumstances.judging(sql, bound),
      )
      const [execution] = admitted.executions
      if (this.#skipping) return this.#passOver(execution)
      const portal = this.#portalOf(bind, prepared, execution?.judgement)
      portal.execution = execution
      this.#forwardBind(frame, 0, frame.length, bind.portal, portal)
    } catch (error) {
      const refusal = refusalIn(error)
      if (!this.#endsBy(refusal) && !this.#skipping) this.#refuseExtended(refusal)
    }
  }

  #portalOf(bind: Bind, prepared: Prepared, judgement: PostgresJudgement | undefined): Portal {
    const { names, version } = this.#exchange.meaning
    return {
      prepared,
      judgement,
      parameterBytes: bind.parameterCount > 0 ? Buffer.from(bind.parameterBytes) : undefined,
      resultFormats: bind.resultFormats,
      columns: undefined,
      describing: false,
      execution: undefined,
      group: this.#exchange.groupsSent,
      names,
      version,
    }
  }

  #forwardBind(bytes: Buffer, start: number, end: number, name: string, portal: Portal): boolean {
    if (portal.execution) this.#gateFor([portal.execution])
    const { meaning, syncs } = this.#exchange
    meaning.cursors.delete(name)
    this.#bound = true
    return this.#extend(bytes, start, end, { kind: 'bind', change: meaning.portals.change(name, portal, syncs) })
  }

  #execute(bytes: Buffer, start: number, end: number): boolean {
    const { portal: name } = readExecute(bytes, start, end)
    const { meaning, syncs } = this.#exchange
    if (meaning.portals.inDoubt(name, syncs)) return this.#later(bytes, start, end)
    const portal = meaning.portals.get(name)
    if (!portal) return this.#executeCursor(bytes, start, end, name)
    if (portal.execution || !portal.judgement) return this.#goOnWith(portal, bytes, start, end, name)
    const { text: sql, parameterTypes } = portal.prepared
    const judged = this.#judgedAtOnce(sql, portal.names, parameterTypes)
    if (!judged) {
      if (this.#unanswered) return this.#later(bytes, start, end)
      const frame = Buffer.from(bytes.subarray(start, end))
      return this.#block(() => this.#admitExecute(frame, name, portal))
    }
    portal.execution = this.#intend(portal, judged[0], this.#options.clock())
    return this.#forwardExecute(bytes, start, end, name, portal)
  }

  /** The same, and what it has changed is kept as it was: then it may be committed. */
  async #executeUndoable(frame: Buffer, name: string, portal: Portal, execution: PostgresExecution): Promise<void> {
    if (this.#exchange.status !== 'idle') {
      const refusal = say.needsOwnTransaction(execution.judgement)
      this.#exchange.settle(execution, 'refused', refusal.sqlstate)
      portal.execution = undefined
      this.#refuseExtended(refusal)
      return
    }
    const before = await this.#countsBefore(true)
    if (before instanceof StatementRefusedError || this.#closed || this.#skipping) return
    this.#forwardExecute(frame, 0, frame.length, name, portal)
    await this.#rowsChecked(execution)
    if (this.#closed || this.#skipping || execution.settled) return
    const refusal = await this.#captured(execution, [execution], before, true)
    if (refusal && !this.#closed && !this.#skipping) this.#refuseExtended(refusal)
  }

  /**
   * Nothing that the client sends behind it, and least of all its Sync, goes to the server before that has said how many
   * rows it has changed. Were there too many, the server is made to fail: then there is nothing that it could commit.
   */
  async #rowsChecked(execution: PostgresExecution): Promise<void> {
    this.#toServer.send(FLUSH, undefined)
    await this.#options.answered()
    if (!this.#closed && !this.#skipping && execution.tripped) this.#refuseExtended(say.rolledBack(execution))
  }

  /** A cursor that SQL has declared is a portal as well: to execute it is to fetch what is left of it. */
  #executeCursor(bytes: Buffer, start: number, end: number, name: string): boolean {
    const { meaning, syncs } = this.#exchange
    if (name === '' || !meaning.cursors.has(name)) return this.#refuseExtended(say.noSuchPortal(name))
    if (this.#unanswered) return this.#later(bytes, start, end)
    const portal: Portal = {
      prepared: preparedFrom(`FETCH ALL FROM "${name.replaceAll('"', '""')}"`, NO_TYPES),
      judgement: undefined,
      parameterBytes: undefined,
      resultFormats: NO_TYPES,
      columns: undefined,
      describing: false,
      execution: undefined,
      group: this.#exchange.groupsSent,
      names: meaning.names,
      version: meaning.version,
    }
    const change = meaning.portals.change(name, portal, syncs)
    const frame = Buffer.from(bytes.subarray(start, end))
    return this.#block(async () => {
      await this.#admitExecute(frame, name, portal)
      if (portal.execution) meaning.portals.answered(change)
      else meaning.portals.undone(change)
    })
  }

  /** What was recorded when it was bound, or has given some of its rows. */
  #goOnWith(portal: Portal, bytes: Buffer, start: number, end: number, name: string): boolean {
    const { execution, version } = portal
    const begun = !execution || execution.suspended || execution.asked > 0
    if (!begun && version !== this.#exchange.meaning.version) return this.#refuseExtended(say.boundTooEarly(name))
    if (execution?.judgement.undoHours !== undefined) {
      const frame = Buffer.from(bytes.subarray(start, end))
      return this.#block(() => this.#executeUndoable(frame, name, portal, execution))
    }
    this.#forwardExecute(bytes, start, end, name, portal)
    return execution?.guarded ? this.#block(() => this.#rowsChecked(execution)) : true
  }

  async #admitExecute(frame: Buffer, name: string, portal: Portal): Promise<void> {
    const { text: sql, textBytes: text, parameterTypes: types } = portal.prepared
    const { parameterBytes } = portal
    const received = this.#options.clock()
    try {
      const statement = { sql, text, parameterBytes, protocol: 'extended', received } as const
      const { admission, circumstances } = this.#options
      const judging = circumstances.judging(sql, { types, formats: [], values: [] }, portal.names)
      const admitted = await admission.admit(statement, judging)
      const [execution] = admitted.executions
      if (this.#skipping) return this.#passOver(execution)
      portal.execution = execution
      this.#forwardExecute(frame, 0, frame.length, name, portal)
      if (execution?.guarded) await this.#rowsChecked(execution)
    } catch (error) {
      const refusal = refusalIn(error)
      if (!this.#endsBy(refusal) && !this.#skipping) this.#refuseExtended(refusal)
    }
  }

  /** The server has failed while it was judged, and passes over it. */
  #passOver(execution: PostgresExecution | undefined): void {
    if (execution) this.#exchange.skip(execution)
  }

  #intend(
    { prepared, parameterBytes }: Portal,
    judgement: PostgresJudgement | undefined,
    received: number,
  ): PostgresExecution | undefined {
    const { text: sql, textBytes: text } = prepared
    const statement = { sql, text, parameterBytes, protocol: 'extended', received } as const
    return judgement && this.#options.admission.intendAll([judgement], statement)[0]
  }

  #forwardExecute(bytes: Buffer, start: number, end: number, name: string, portal: Portal): boolean {
    const { execution } = portal
    this.#executed = true
    if (execution) {
      this.#gateFor([execution])
      execution.asked += 1
      this.#exchange.meaning.sent(execution, false, this.#options.judge.restsOnTransaction)
    }
    if (!portal.columns && !portal.prepared.columns && !portal.describing) this.#describeSilently(name, portal)
    return this.#extend(bytes, start, end, { kind: 'execute', portal, execution })
  }

  /** The client does not ask what the rows look like, but to mask them we must know. */
  #describeSilently(name: string, portal: Portal): void {
    portal.describing = true
    this.#toServer.send(describePortal(name), { kind: 'describe', of: portal, silent: true })
  }

  #describe(bytes: Buffer, start: number, end: number): boolean {
    const { kind, name } = readNamed(bytes, start, end)
    const { meaning, syncs } = this.#exchange
    const table = kind === 'statement' ? meaning.prepared : meaning.portals
    if (table.inDoubt(name, syncs)) return this.#later(bytes, start, end)
    const of = table.get(name)
    // A portal that we do not know of may be a cursor that was declared by SQL: the server may say what it looks like.
    if (!of && (kind === 'statement' || name === '')) {
      return this.#refuseExtended(kind === 'statement' ? say.noSuchStatement(name) : say.noSuchPortal(name))
    }
    if (of && 'describing' in of) of.describing = true
    return this.#extend(bytes, start, end, { kind: 'describe', of, silent: false })
  }

  #close(bytes: Buffer, start: number, end: number): boolean {
    const { kind, name } = readNamed(bytes, start, end)
    const { meaning, syncs } = this.#exchange
    if (kind === 'portal') meaning.cursors.delete(name)
    const pending: Pending =
      kind === 'statement'
        ? { kind: 'close-statement', change: meaning.prepared.change(name, undefined, syncs) }
        : { kind: 'close-portal', change: meaning.portals.change(name, undefined, syncs) }
    return this.#extend(bytes, start, end, pending)
  }

  #sync(bytes: Buffer, start: number, end: number): boolean {
    this.#skipping = false
    this.#within = false
    this.#executed = false
    this.#bound = false
    this.#onlyWeExecuted = false
    this.#exchange.synced()
    if (this.#exchange.copying) return this.#forward(bytes, start, end, undefined)
    this.#exchange.groupsSent += 1
    return this.#forward(bytes, start, end, { kind: 'sync' })
  }

  #endGroup(): void {
    this.#skipping = false
    this.#toServer.send(SYNC, { kind: 'sync' })
  }

  // -- common -------------------------------------------------------------------------------------------------------

  /** The judgements, when they are known, allow it, and need nothing to be counted or asked before. */
  #judgedAtOnce(sql: string, names?: NamesMeant, types?: readonly number[]): readonly PostgresJudgement[] | undefined {
    const { judge, recorder, circumstances } = this.#options
    if (!recorder.available) return undefined
    const judged = judge.known(sql, circumstances.now(names, types))
    const { meaning } = this.#exchange
    return judged?.every((each) => runsAtOnce(each) && !(each.effects.changesHandles && meaning.mustSeeHandles))
      ? judged
      : undefined
  }

  #gateFor(executions: readonly PostgresExecution[]): void {
    for (const { judgement, record } of executions) if (!judgement.readOnly) this.#toServer.gate(record)
  }

  /** Forwards a message of the extended protocol: its group ends with Sync. */
  #extend(bytes: Buffer, start: number, end: number, pending: Pending): boolean {
    this.#within = true
    return this.#forward(bytes, start, end, pending)
  }

  #forward(bytes: Buffer, start: number, end: number, pending: Pending | undefined): boolean {
    this.#toServer.add(bytes, start, end, pending)
    return true
  }

  /** Lets nothing of this client's be looked at until the work is done. */
  #block(work: () => Promise<void>): false {
    this.#blocked = true
    this.#toServer.flush()
    work().then(
      () => {
        this.#blocked = false
        this.#goOn()
      },
      (error: unknown) => this.#options.failed(error),
    )
    return false
  }

  #endsBy(refusal: StatementRefusedError): boolean {
    if (!refusal.ends) return false
    this.#ended = true
    this.#options.ended(refusal)
    return true
  }

  #goOn(): void {
    if (this.blocked) return
    this.#toServer.flush()
    this.#options.unblocked()
  }

  #refuseLong(tag: number, refusal: StatementRefusedError): void {
    if (!this.#skipping) this.#refuse(tag, refusal)
  }

  #refuse(tag: number, refusal: StatementRefusedError): boolean {
    if (tag === FRONTEND.query || tag === FRONTEND.functionCall) return this.#refuseGroup(refusal)
    return this.#refuseExtended(refusal)
  }

  /**
   * Refuses a whole simple query. Inside a transaction the server must fail as well, or a script could commit what
   * it did before; so it is sent something that it cannot but refuse.
   */
  #refuseGroup(refusal: StatementRefusedError): boolean {
    const error = say.errorOf(refusal)
    const { status, pending } = this.#exchange
    if (status !== 'open' && pending.length === 0 && !this.#toServer.waiting) {
      this.#options.toClient.sayReady(Buffer.concat([error, readyForQuery(status)]))
      return true
    }
    this.#failTransaction(error)
    this.#exchange.groupsSent += 1
    return true
  }

  #failTransaction(error: Buffer): void {
    this.#toServer.send(NO_SUCH_PORTAL, { kind: 'refused', error })
    this.#toServer.send(SYNC, { kind: 'sync' })
  }

  /** Refuses in the middle of a group: the server fails there too, and passes over the rest as we do. */
  #refuseExtended(refusal: StatementRefusedError): boolean {
    this.#within = true
    this.#skipping = true
    this.#toServer.send(NO_SUCH_PORTAL, { kind: 'refused', error: say.errorOf(refusal) })
    return true
  }
}

/** A transaction of its own, unless it stands in one. */
const isWhole = (tag: number): boolean => tag === FRONTEND.query || tag === FRONTEND.functionCall

const BARE: ReadonlySet<number> = new Set([FRONTEND.sync, FRONTEND.flush, FRONTEND.terminate, FRONTEND.copyDone])

/**
 * One command that names nothing but savepoints. In a transaction it is judged without asking what names mean, as if
 * nobody could know: a question would be the transaction's first query, behind which its mode cannot be set any more.
 */
const TRANSACTION =
  /^\s*(?:begin|start\s+transaction|commit|end|rollback|abort|savepoint|release|set\s+(?:local\s+)?transaction)\b[^;]*;?\s*$/i

/** What is judged by what names mean. */
const JUDGED: ReadonlySet<number> = new Set([FRONTEND.query, FRONTEND.functionCall, FRONTEND.parse, FRONTEND.bind])

const RESTS_ON_WORDS: ReadonlySet<number> = new Set([...JUDGED, FRONTEND.execute, FRONTEND.describe, FRONTEND.close])

const KNOWN: ReadonlySet<number> = new Set(Object.values(FRONTEND).filter((tag) => tag !== FRONTEND.password))

const nameOf = (tag: number): string => `message ${JSON.stringify(String.fromCharCode(tag))}`

/** As they are declared; nothing when none is. */
const typesOf = (parameterTypes: readonly number[]): readonly number[] =>
  parameterTypes.some((type) => type !== 0) ? parameterTypes : NO_TYPES

const NO_TYPES: readonly number[] = []

/** Allowed as it is, with nothing left to find out. */
const runsAtOnce = ({ verdict, counts, guard, replacement }: PostgresJudgement): boolean =>
  (verdict === 'allow' || verdict === 'mask') && !counts && guard === undefined && replacement === undefined

const needsOwnTransaction = ({ undoHours, restores }: PostgresJudgement): boolean =>
  undoHours !== undefined || restores !== undefined

const refusalIn = (error: unknown): StatementRefusedError => {
  if (error instanceof StatementRefusedError) return error
  throw error
}
