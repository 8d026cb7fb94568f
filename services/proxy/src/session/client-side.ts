import { isUtf8 } from 'node:buffer'
import {
  describePortal,
  parse,
  query,
  FRONTEND,
  ProtocolError,
  readBind,
  readExecute,
  readNamed,
  readParameters,
  readParse,
  readQuery,
  readyForQuery,
  SYNC,
  type Bind,
  type FrameReader,
} from '@countersign/pgwire'
import type { NodeConfig } from '@countersign/platform'
import type { Recorder } from '../record/recorder.ts'
import type { Execution } from '../statement/execution.ts'
import type { Judge } from '../statement/judge.ts'
import { StatementRefusedError } from '../statement/judge.ts'
import type { Judgement } from '../statement/judgement.ts'
import * as say from '../statement/refusal.ts'
import type { Admission } from './admission.ts'
import type { Exchange } from './exchange.ts'
import type { Pending, Portal, Prepared } from './pending.ts'
import type { ToClient } from './to-client.ts'
import type { ToServer } from './to-server.ts'

export interface ClientSideOptions {
  readonly exchange: Exchange
  readonly toServer: ToServer
  readonly toClient: ToClient
  readonly judge: Judge
  readonly recorder: Recorder
  readonly admission: Admission
  readonly limits: NodeConfig['limits']
  readonly clock: () => number
  /** Messages may be looked at again. */
  readonly unblocked: () => void
  /** Something happened that must not: the session ends. */
  readonly failed: (error: unknown) => void
  readonly terminated: () => void
}

/** No portal has this name, so to describe it is an error that changes nothing: it stands for what we refuse. */
export const NO_SUCH_PORTAL = describePortal('countersign: refused')

/**
 * Reads what the client says, in order. What is known to be allowed goes on at once; whatever needs a question first
 * (to the parser, the database, an approver) blocks what comes behind it, for this client alone.
 */
export class ClientSide implements FrameReader {
  readonly #options: ClientSideOptions
  readonly #exchange: Exchange
  readonly #toServer: ToServer
  #blocked = false
  /** Something in this group was refused: everything up to its Sync is passed over, as the server would do. */
  #skipping = false

  constructor(options: ClientSideOptions) {
    this.#options = options
    this.#exchange = options.exchange
    this.#toServer = options.toServer
  }

  get blocked(): boolean {
    return this.#blocked
  }

  skipToSync(): void {
    this.#skipping = true
  }

  begin(tag: number, length: number): 'whole' | 'stream' | 'skip' {
    if (tag === FRONTEND.copyData) return 'stream'
    const { statementBytesMax, messageBytesMax } = this.#options.limits
    const isText = tag === FRONTEND.query || tag === FRONTEND.parse
    const bytesMax = isText ? statementBytesMax : messageBytesMax
    if (length <= bytesMax) return 'whole'
    this.#refuseLong(tag, say.tooLong(length, bytesMax))
    return 'skip'
  }

  piece(_tag: number, bytes: Buffer, start: number, end: number): void {
    this.#toServer.add(bytes, start, end, undefined)
  }

  message(tag: number, bytes: Buffer, start: number, end: number): boolean {
    if (this.#skipping && tag !== FRONTEND.sync && tag !== FRONTEND.terminate) return true
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
      case FRONTEND.copyDone:
      case FRONTEND.copyFail:
        return this.#forward(bytes, start, end, undefined)
      case FRONTEND.functionCall:
        return this.#refuseGroup(say.functionCallRefused())
      case FRONTEND.terminate:
        this.#options.terminated()
        return false
      default:
        throw new ProtocolError('PGWIRE_UNEXPECTED', `message ${String.fromCharCode(tag)} of the client`)
    }
  }

  /** What was on its way to the server and will not be sent, because the log is down: each is refused in its turn. */
  lost(pending: readonly (Pending | undefined)[]): void {
    for (const each of pending) {
      if (each?.kind === 'sync') this.#endGroup()
      else if (each?.kind === 'query') this.#loseQuery(each.executions)
      else if (!this.#skipping) this.#loseExtended(each)
      else this.#settleLost(each)
    }
  }

  #loseQuery(executions: readonly Execution[]): void {
    for (const execution of executions) this.#exchange.settle(execution, 'refused', 'ZA010')
    this.#exchange.groupsSent -= 1
    this.#refuseGroup(say.logDown())
  }

  #loseExtended(pending: Pending | undefined): void {
    this.#settleLost(pending)
    this.#refuseExtended(say.logDown())
  }

  #settleLost(pending: Pending | undefined): void {
    if (pending && 'undo' in pending) pending.undo?.()
    if (pending?.kind === 'execute' && pending.execution) this.#exchange.settle(pending.execution, 'refused', 'ZA010')
  }

  // -- the simple protocol ------------------------------------------------------------------------------------------

  #query(bytes: Buffer, start: number, end: number): boolean {
    const received = this.#options.clock()
    const text = readQuery(bytes, start, end)
    if (!isUtf8(text)) return this.#refuseGroup(say.invalidUtf8())
    const sql = text.toString('utf8')
    const judged = this.#judgedAtOnce(sql)
    if (judged) {
      const executions = this.#options.admission.intendAll(judged, { sql, text, protocol: 'simple', received })
      return this.#forwardQuery(bytes, start, end, executions)
    }
    const frame = Buffer.from(bytes.subarray(start, end))
    return this.#block(() => this.#admitQuery(frame, received))
  }

  async #admitQuery(frame: Buffer, received: number): Promise<void> {
    const text = readQuery(frame, 0, frame.length)
    const statement = { sql: text.toString('utf8'), text, protocol: 'simple', received } as const
    try {
      const admitted = await this.#options.admission.admit(statement)
      const { executions, replacement } = admitted
      const forwarded = replacement === undefined ? frame : query(replacement)
      this.#forwardQuery(forwarded, 0, forwarded.length, executions)
    } catch (error) {
      this.#refuseGroup(refusalIn(error))
    }
  }

  #forwardQuery(bytes: Buffer, start: number, end: number, executions: readonly Execution[]): boolean {
    this.#gateFor(executions)
    this.#exchange.groupsSent += 1
    return this.#forward(bytes, start, end, { kind: 'query', executions, next: 0 })
  }

  // -- the extended protocol ----------------------------------------------------------------------------------------

  #parse(bytes: Buffer, start: number, end: number): boolean {
    const { statement, sql: text, parameterTypes } = readParse(bytes, start, end)
    if (!isUtf8(text)) return this.#refuseExtended(say.invalidUtf8())
    const sql = text.toString('utf8')
    if (this.#options.judge.known(sql, this.#options.admission.circumstances())) {
      return this.#prepare(bytes, start, end, statement, { sql, text: Buffer.from(text), parameterTypes })
    }
    const frame = Buffer.from(bytes.subarray(start, end))
    return this.#block(() => this.#admitParse(frame))
  }

  /** Parsing has no effect, so nothing is recorded; but what cannot be understood goes no further. */
  async #admitParse(frame: Buffer): Promise<void> {
    const { statement, sql: text, parameterTypes } = readParse(frame, 0, frame.length)
    const sql = text.toString('utf8')
    try {
      const replacement = await this.#options.admission.understand(sql)
      const prepared =
        replacement === undefined ? { sql, text: Buffer.from(text), parameterTypes } : textOnly(replacement)
      const forwarded = replacement === undefined ? frame : parse(statement, replacement)
      this.#prepare(forwarded, 0, forwarded.length, statement, prepared)
    } catch (error) {
      this.#refuseExtended(refusalIn(error))
    }
  }

  #prepare(
    bytes: Buffer,
    start: number,
    end: number,
    name: string,
    { sql, text, parameterTypes }: { sql: string; text: Buffer; parameterTypes: readonly number[] },
  ): boolean {
    const { prepared } = this.#exchange
    const before = prepared.get(name)
    prepared.set(name, { text: sql, textBytes: text, parameterTypes, columns: undefined })
    return this.#forward(bytes, start, end, { kind: 'parse', undo: () => restore(prepared, name, before) })
  }

  #bind(bytes: Buffer, start: number, end: number): boolean {
    const received = this.#options.clock()
    const bind = readBind(bytes, start, end)
    const prepared = this.#exchange.prepared.get(bind.statement)
    if (!prepared) return this.#refuseExtended(say.noSuchStatement(bind.statement))
    const judged = this.#judgedAtOnce(prepared.text)
    if (judged) {
      // A statement that is proven read-only is recorded when it is executed; any other before it can be planned,
      // because planning may call functions.
      const [judgement] = judged
      const early = judgement && !judgement.readOnly
      const portal = this.#portalOf(bind, prepared, judgement)
      if (early) this.#intendPortal(portal, received)
      return this.#forwardBind(bytes, start, end, bind.portal, portal)
    }
    const frame = Buffer.from(bytes.subarray(start, end))
    return this.#block(() => this.#admitBind(frame, prepared, received))
  }

  async #admitBind(frame: Buffer, prepared: Prepared, received: number): Promise<void> {
    const bind = readBind(frame, 0, frame.length)
    const bound = { types: prepared.parameterTypes, formats: bind.parameterFormats, values: readParameters(bind) }
    const parameterBytes = bind.parameterCount > 0 ? bind.parameterBytes : undefined
    const { text: sql, textBytes: text } = prepared
    try {
      const admitted = await this.#options.admission.admit(
        { sql, text, parameterBytes, protocol: 'extended', received },
        bound,
      )
      const [execution] = admitted.executions
      const portal = this.#portalOf(bind, prepared, execution?.judgement)
      portal.execution = execution
      this.#forwardBind(frame, 0, frame.length, bind.portal, portal)
    } catch (error) {
      this.#refuseExtended(refusalIn(error))
    }
  }

  #portalOf(bind: Bind, prepared: Prepared, judgement: Judgement | undefined): Portal {
    return {
      prepared,
      judgement,
      parameterBytes: bind.parameterCount > 0 ? Buffer.from(bind.parameterBytes) : undefined,
      resultFormats: bind.resultFormats,
      columns: undefined,
      describing: false,
      execution: undefined,
      group: this.#exchange.groupsSent,
      dropped: false,
    }
  }

  #forwardBind(bytes: Buffer, start: number, end: number, name: string, portal: Portal): boolean {
    const { portals } = this.#exchange
    const before = portals.get(name)
    if (before && before !== portal) this.#exchange.dropPortal(before)
    portals.set(name, portal)
    if (portal.execution) this.#gateFor([portal.execution])
    return this.#forward(bytes, start, end, { kind: 'bind', undo: () => this.#unbind(name, portal) })
  }

  #unbind(name: string, portal: Portal): void {
    this.#exchange.dropPortal(portal)
    if (this.#exchange.portals.get(name) === portal) this.#exchange.portals.delete(name)
  }

  #execute(bytes: Buffer, start: number, end: number): boolean {
    const { portal: name } = readExecute(bytes, start, end)
    const portal = this.#exchange.portals.get(name)
    if (!portal) return this.#refuseExtended(say.noSuchPortal(name))
    if (!portal.execution && portal.judgement) {
      if (!this.#judgedAtOnce(portal.prepared.text)) {
        const frame = Buffer.from(bytes.subarray(start, end))
        return this.#block(() => this.#admitExecute(frame, name, portal))
      }
      this.#intendPortal(portal, this.#options.clock())
    }
    return this.#forwardExecute(bytes, start, end, name, portal)
  }

  async #admitExecute(frame: Buffer, name: string, portal: Portal): Promise<void> {
    const { text: sql, textBytes: text } = portal.prepared
    const { parameterBytes } = portal
    const received = this.#options.clock()
    try {
      const admitted = await this.#options.admission.admit({
        sql,
        text,
        parameterBytes,
        protocol: 'extended',
        received,
      })
      portal.execution = admitted.executions[0]
      this.#forwardExecute(frame, 0, frame.length, name, portal)
    } catch (error) {
      this.#refuseExtended(refusalIn(error))
    }
  }

  #intendPortal(portal: Portal, received: number): void {
    const { judgement, prepared, parameterBytes } = portal
    if (!judgement) return
    const { text: sql, textBytes: text } = prepared
    const statement = { sql, text, parameterBytes, protocol: 'extended', received } as const
    portal.execution = this.#options.admission.intendAll([judgement], statement)[0]
  }

  #forwardExecute(bytes: Buffer, start: number, end: number, name: string, portal: Portal): boolean {
    const { execution } = portal
    if (execution) {
      this.#gateFor([execution])
      execution.phase = 'asked'
    }
    if (!portal.columns && !portal.prepared.columns && !portal.describing) this.#describeSilently(name, portal)
    return this.#forward(bytes, start, end, { kind: 'execute', portal, execution })
  }

  /** The client does not ask what the rows look like, but to mask them we must know. */
  #describeSilently(name: string, portal: Portal): void {
    portal.describing = true
    this.#toServer.send(describePortal(name), { kind: 'describe', of: portal, silent: true })
  }

  #describe(bytes: Buffer, start: number, end: number): boolean {
    const { kind, name } = readNamed(bytes, start, end)
    const { prepared, portals } = this.#exchange
    const of = kind === 'statement' ? prepared.get(name) : portals.get(name)
    if (of && 'describing' in of) of.describing = true
    return this.#forward(bytes, start, end, { kind: 'describe', of, silent: false })
  }

  #close(bytes: Buffer, start: number, end: number): boolean {
    const { kind, name } = readNamed(bytes, start, end)
    if (kind === 'statement') {
      const { prepared } = this.#exchange
      const before = prepared.get(name)
      prepared.delete(name)
      return this.#forward(bytes, start, end, { kind: 'close', undo: () => restore(prepared, name, before) })
    }
    const portal = this.#exchange.portals.get(name)
    if (portal) this.#exchange.dropPortal(portal)
    this.#exchange.portals.delete(name)
    return this.#forward(bytes, start, end, { kind: 'close', undo: undefined })
  }

  #sync(bytes: Buffer, start: number, end: number): boolean {
    this.#skipping = false
    this.#exchange.groupsSent += 1
    return this.#forward(bytes, start, end, { kind: 'sync' })
  }

  #endGroup(): void {
    this.#skipping = false
    this.#toServer.send(SYNC, { kind: 'sync' })
  }

  // -- common -------------------------------------------------------------------------------------------------------

  /** The judgements, when they are known, allow it, and need nothing to be counted or asked before. */
  #judgedAtOnce(sql: string): readonly Judgement[] | undefined {
    const { judge, recorder, admission } = this.#options
    if (!recorder.available || admission.mustAskNames) return undefined
    const judged = judge.known(sql, admission.circumstances())
    return judged?.every(runsAtOnce) ? judged : undefined
  }

  #gateFor(executions: readonly Execution[]): void {
    const forwarded = this.#options.clock()
    for (const execution of executions) {
      execution.forwarded ||= forwarded
      if (!execution.judgement.readOnly) this.#toServer.gate(execution.record)
    }
  }

  #forward(bytes: Buffer, start: number, end: number, pending: Pending | undefined): boolean {
    this.#toServer.add(bytes, start, end, pending)
    return true
  }

  /** Lets nothing of this client's be looked at until the work is done. */
  #block(work: () => Promise<void>): boolean {
    this.#blocked = true
    this.#toServer.flush()
    work()
      .catch((error: unknown) => this.#options.failed(error))
      .finally(() => {
        this.#blocked = false
        this.#toServer.flush()
        this.#options.unblocked()
      })
    return false
  }

  #refuseLong(tag: number, refusal: StatementRefusedError): void {
    if (this.#skipping) return
    if (tag === FRONTEND.query || tag === FRONTEND.functionCall) this.#refuseGroup(refusal)
    else this.#refuseExtended(refusal)
  }

  /**
   * Refuses a whole simple query. Inside a transaction the server must fail as well, or a script could commit what
   * it did before; so it is sent something that it cannot but refuse.
   */
  #refuseGroup(refusal: StatementRefusedError): boolean {
    const error = say.errorOf(refusal)
    const { status, pending } = this.#exchange
    if (status !== 'open' && pending.length === 0 && !this.#toServer.waiting) {
      this.#options.toClient.say(Buffer.concat([error, readyForQuery(status)]))
      return true
    }
    this.#toServer.send(NO_SUCH_PORTAL, { kind: 'refused', error })
    this.#toServer.send(SYNC, { kind: 'sync' })
    this.#exchange.groupsSent += 1
    return true
  }

  /** Refuses in the middle of a group: the server fails there too, and passes over the rest as we do. */
  #refuseExtended(refusal: StatementRefusedError): boolean {
    this.#toServer.send(NO_SUCH_PORTAL, { kind: 'refused', error: say.errorOf(refusal) })
    this.#skipping = true
    return true
  }
}

const textOnly = (sql: string) => ({ sql, text: Buffer.from(sql), parameterTypes: [] })

/** Allowed as it is, with nothing left to find out. */
const runsAtOnce = ({ verdict, counts, replacement }: Judgement): boolean =>
  (verdict === 'allow' || verdict === 'mask') && !counts && replacement === undefined

const restore = (prepared: Map<string, Prepared>, name: string, before: Prepared | undefined): void => {
  if (before) prepared.set(name, before)
  else prepared.delete(name)
}

const refusalIn = (error: unknown): StatementRefusedError => {
  if (error instanceof StatementRefusedError) return error
  throw error
}
