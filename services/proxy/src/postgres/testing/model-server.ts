import {
  BACKEND,
  dataRow,
  errorResponse,
  FRONTEND,
  Frames,
  int16,
  int32,
  cstring,
  message,
  readBind,
  readExecute,
  readFunctionCall,
  readNamed,
  readParse,
  readQuery,
  readyForQuery,
  type TransactionStatus,
} from '@countersign/pgwire'
import { cannotBeGuarded, CALLED, GUARDED_ROWS, givesRows, readScript, type Command } from './script.ts'
import * as wire from './wire.ts'

/** What became of one statement that the server has begun. */
export interface Ran {
  readonly text: string
  /** By which meaning of names, and for `run` which statement. */
  readonly names: string
  readonly meant: string
  outcome: 'running' | 'completed' | 'failed'
}

interface Portal {
  readonly command: Command | undefined
  /** What names meant when it was bound. */
  readonly names: string
  ran: Ran | undefined
  given: number
  done: boolean
}

interface CopyIn {
  readonly ran: Ran
  readonly simple: boolean
  readonly rest: readonly Command[]
  rows: number
}

export interface ModelOptions {
  readonly say: (bytes: Buffer) => void
  /** Does itself what a node does: refuses what policy denies, and masks. */
  readonly withPolicy?: boolean
  /** Told before a statement has its effect, and before anything that is not read-only is planned. */
  readonly begins?: (command: Command) => void
}

class Failure extends Error {
  readonly sqlstate: string

  constructor(sqlstate: string) {
    super(sqlstate)
    this.sqlstate = sqlstate
  }
}

/** Names as dynahash keeps them: the first NAMEDATALEN - 1 bytes. */
class Named<Value> extends Map<string, Value> {
  override get(name: string): Value | undefined {
    return super.get(kept(name))
  }
  override has(name: string): boolean {
    return super.has(kept(name))
  }
  override set(name: string, value: Value): this {
    return super.set(kept(name), value)
  }
  override delete(name: string): boolean {
    return super.delete(kept(name))
  }
}

const kept = (name: string): string => Buffer.from(name).toString('latin1', 0, 63)

/**
 * PostgreSQL's half of the protocol over the language of `script.ts`: what it answers to which message, in which state.
 * Written from the protocol's chapter of the manual and from postgres.c, and from nothing of the node's.
 */
export class ModelServer {
  readonly ran: Ran[] = []
  /** Texts that were executed behind something else in their group: some of what PostgreSQL has cannot be. */
  readonly pipelined: string[] = []
  /** Texts whose transaction was committed. */
  readonly durable: string[] = []
  #transaction: string[] = []
  #executed = 0
  status: TransactionStatus = 'idle'
  closed = false
  names = 'public'
  /** Questions of the node that are cancelled while they run: so many more. */
  cancelsQuestions = 0
  readonly #tell: (bytes: Buffer) => void
  /** A guard has tripped: nothing is said of what follows in the same text. */
  #tripped = false
  readonly #withPolicy: boolean
  readonly #begins: (command: Command) => void
  readonly #frames: Frames
  readonly #prepared = new Named<string>()
  readonly #portals = new Named<Portal>()
  #skipping = false
  #copyIn: CopyIn | undefined
  /** Statements of this group since its transaction, implicit or not, began; and whether the commit will fail. */
  #implicit: Ran[] = []
  #deferred = false
  #namesBefore = 'public'
  #reason = ''
  #reasonBefore = ''

  constructor({ say, withPolicy = false, begins = () => {} }: ModelOptions) {
    this.#tell = say
    this.#withPolicy = withPolicy
    this.#begins = begins
    this.#frames = new Frames({
      begin: () => 'whole',
      piece: () => {},
      message: (tag, bytes, start, end) => {
        if (!this.closed) this.#message(tag, Buffer.from(bytes.subarray(start, end)))
        return true
      },
    })
  }

  #say(bytes: Buffer): void {
    if (!this.#tripped) this.#tell(bytes)
  }

  hear(bytes: Buffer): void {
    this.#frames.read(bytes, 0, bytes.length)
  }

  #message(tag: number, bytes: Buffer): void {
    if (tag === FRONTEND.terminate) this.closed = true
    else if (this.#copyIn) this.#inCopy(this.#copyIn, tag, bytes)
    else if (this.#skipping && tag !== FRONTEND.sync) return
    else if (tag === FRONTEND.query) this.#query(readQuery(bytes, 0, bytes.length).toString())
    else if (tag === FRONTEND.functionCall) this.#call(readFunctionCall(bytes, 0, bytes.length).function)
    else if (tag === FRONTEND.sync) this.#sync()
    else this.#guard(() => this.#extended(tag, bytes))
  }

  #guard(work: () => void): void {
    try {
      work()
    } catch (error) {
      this.#fail(error)
      this.#skipping = true
    }
  }

  #fail(error: unknown): void {
    if (!(error instanceof Failure)) throw error
    this.#say(errorResponse({ severity: 'ERROR', code: error.sqlstate, message: 'no' }))
    this.#abort()
  }

  #abort(): void {
    // What an open transaction takes back later is the client's to know: its statements have completed.
    if (this.status === 'idle') for (const ran of this.#implicit) ran.outcome = 'failed'
    this.#implicit = []
    this.#deferred = false
    if (this.status !== 'idle') this.status = 'failed'
    else this.#endTransaction(false)
  }

  #endTransaction(committed: boolean): void {
    this.status = 'idle'
    this.#implicit = []
    this.#portals.clear()
    if (committed) this.durable.push(...this.#transaction)
    this.#transaction = []
    if (committed) {
      this.#namesBefore = this.names
      this.#reasonBefore = this.#reason
    } else {
      this.names = this.#namesBefore
      this.#reason = this.#reasonBefore
    }
  }

  /** The end of a group outside a transaction block. */
  #commitImplicit(): void {
    if (this.status !== 'idle') return
    if (this.#deferred) throw new Failure('23503')
    this.#endTransaction(true)
  }

  // -- the simple protocol ------------------------------------------------------------------------------------------

  #query(sql: string): void {
    this.#prepared.delete('')
    this.#portals.delete('')
    if (isQuestion(sql)) return this.#tellNames()
    try {
      const commands = readScript(sql)
      if (this.#withPolicy) refuseDenied(commands)
      if (commands.some(({ kind }) => kind === 'syntax')) throw new Failure('42601')
      if (commands.length === 0) this.#say(wire.emptyQueryResponse)
      if (!this.#runAll(commands)) return
    } catch (error) {
      const tripped = this.#tripped
      this.#tripped = false
      this.#fail(tripped ? new Failure('ZA003') : error)
    }
    this.#ready()
  }

  /** The same as a query of what the function does, but its one value comes alone. */
  #call(oid: number): void {
    try {
      const [command] = readScript(CALLED[oid] ?? '')
      if (!command) throw new Failure('42883')
      if (this.#withPolicy) refuseDenied([command])
      this.#run(command, this.#begin(command), 0)
      this.#commitImplicit()
      this.#say(wire.functionCallResponse(Buffer.from(`${command.text}.1`)))
    } catch (error) {
      this.#fail(error)
    }
    this.#ready()
  }

  /** False when it waits for COPY data. */
  #runAll(commands: readonly Command[]): boolean {
    for (const [index, command] of commands.entries()) {
      const ran = this.#begin(command)
      if (command.kind === 'copyin') {
        this.#say(wire.copyInResponse)
        this.#copyIn = { ran, simple: true, rest: commands.slice(index + 1), rows: 0 }
        return false
      }
      if (givesRows(command)) this.#say(describing(command))
      const end = this.#run(command, ran, 0)
      if (this.#trips(command)) this.#tripped = true
      if (index === commands.length - 1 && this.#tripped) throw new Failure('ZA003')
      if (index === commands.length - 1) this.#commitImplicit()
      this.#say(end)
    }
    return true
  }

  #trips({ guarded, rows, kind }: Command): boolean {
    return this.#withPolicy && guarded && CHANGING.has(kind) && rows > GUARDED_ROWS
  }

  #ready(): void {
    this.#implicit = []
    this.#executed = 0
    this.#say(readyForQuery(this.status))
  }

  #tellNames(): void {
    if (this.status === 'failed') {
      this.#say(errorResponse({ severity: 'ERROR', code: '25P02', message: 'no' }))
    } else {
      this.#say(this.#told())
      this.#say(wire.commandComplete('SELECT 1'))
    }
    this.#ready()
  }

  /** What a node asks of a session. */
  #told(): Buffer {
    return wire.dataRow([null, JSON.stringify({ path: [this.names], reason: this.#reason, ticket: null })])
  }

  // -- the extended protocol ----------------------------------------------------------------------------------------

  #extended(tag: number, bytes: Buffer): void {
    const at = [bytes, 0, bytes.length] as const
    if (tag === FRONTEND.parse) this.#parse(readParse(...at))
    else if (tag === FRONTEND.bind) this.#bind(readBind(...at))
    else if (tag === FRONTEND.describe) this.#describe(readNamed(...at))
    else if (tag === FRONTEND.execute) this.#execute(readExecute(...at))
    else if (tag === FRONTEND.close) this.#close(readNamed(...at))
    else if (![FRONTEND.flush, FRONTEND.copyData, FRONTEND.copyDone, FRONTEND.copyFail].some((it) => it === tag)) {
      throw new Error(`the server was sent ${String.fromCharCode(tag)}`)
    }
  }

  #parse({ statement, sql }: { statement: string; sql: Buffer }): void {
    if (statement === '') this.#prepared.delete('')
    const commands = commandsOf(sql.toString())
    if (commands.length > 1 || commands.some(({ kind }) => kind === 'syntax')) throw new Failure('42601')
    this.#refuseInFailed(commands[0])
    if (this.#prepared.has(statement)) throw new Failure('42P05')
    this.#prepared.set(statement, sql.toString())
    this.#say(wire.parseComplete)
  }

  #bind({ portal, statement }: { portal: string; statement: string }): void {
    const sql = this.#prepared.get(statement)
    if (sql === undefined) throw new Failure('26000')
    const [command] = commandsOf(sql)
    if (this.#withPolicy && command) refuseDenied([command])
    this.#refuseInFailed(command)
    if (portal !== '' && this.#portals.has(portal)) throw new Failure('42P03')
    if (command && !isQuestion(command.text)) this.#begins(command)
    if (command?.kind === 'failbind' || command?.kind === 'badwrite') throw new Failure('22P02')
    this.#portals.set(portal, { command, names: this.names, ran: undefined, given: 0, done: false })
    this.#say(wire.bindComplete)
  }

  #describe({ kind, name }: { kind: string; name: string }): void {
    if (kind === 'statement') {
      const sql = this.#prepared.get(name)
      if (sql === undefined) throw new Failure('26000')
      const [command] = readScript(sql)
      if (command && givesRows(command)) this.#refuseInFailed(command)
      this.#say(wire.parameterDescription)
      this.#say(describing(command))
      return
    }
    const portal = this.#portals.get(name)
    if (!portal) throw new Failure('34000')
    if (portal.command && givesRows(portal.command)) this.#refuseInFailed(portal.command)
    this.#say(describing(portal.command))
  }

  #execute({ portal: name, rowsMax }: { portal: string; rowsMax: number }): void {
    const portal = this.#portals.get(name)
    if (!portal) throw new Failure('34000')
    const { command } = portal
    if (!command) return this.#say(wire.emptyQueryResponse)
    if (this.#executed > 0 && !isQuestion(command.text)) this.pipelined.push(command.text)
    this.#executed += 1
    this.#refuseInFailed(command)
    if (portal.done && command.kind !== 'read') throw new Failure('55000')
    if (isQuestion(command.text)) {
      if (this.cancelsQuestions > 0) {
        this.cancelsQuestions -= 1
        throw new Failure('57014')
      }
      this.#say(this.#told())
      return this.#say(wire.commandComplete('SELECT 1'))
    }
    const ran = portal.ran ?? this.#begin(command, portal.names)
    portal.ran = ran
    if (command.kind === 'copyin') {
      this.#say(wire.copyInResponse)
      this.#copyIn = { ran, simple: false, rest: [], rows: 0 }
    } else if (givesRows(command) && command.kind !== 'fail') this.#fetch(portal, command, ran, rowsMax)
    else {
      portal.done = true
      const end = this.#run(command, ran, 0)
      if (this.#trips(command)) throw new Failure('ZA003')
      this.#say(end)
    }
  }

  #fetch(portal: Portal, command: Command, ran: Ran, rowsMax: number): void {
    const left = command.rows - portal.given
    const now = rowsMax === 0 ? left : Math.min(rowsMax, left)
    const end = this.#run(command, ran, portal.given, now)
    portal.given += now
    const isPart = rowsMax > 0 && now === rowsMax
    if (this.#trips(command) || (isPart && command.guarded && this.#withPolicy)) throw new Failure('ZA003')
    if (isPart) return this.#say(wire.portalSuspended)
    portal.done = true
    this.#say(end)
  }

  #close({ kind, name }: { kind: string; name: string }): void {
    if (kind === 'statement') this.#prepared.delete(name)
    else this.#portals.delete(name)
    this.#say(wire.closeComplete)
  }

  #sync(): void {
    this.#skipping = false
    try {
      this.#commitImplicit()
    } catch (error) {
      this.#fail(error)
    }
    this.#ready()
  }

  // -- what statements do -------------------------------------------------------------------------------------------

  #refuseInFailed(command: Command | undefined): void {
    if (command && this.status === 'failed' && command.kind !== 'commit' && command.kind !== 'rollback') {
      throw new Failure('25P02')
    }
  }

  #begin(command: Command, names = this.names): Ran {
    this.#refuseInFailed(command)
    const meant = command.kind === 'run' ? this.#prepared.get(command.name) : command.text
    if (meant === undefined) throw new Failure('26000')
    this.#begins(command)
    const ran: Ran = { text: command.text, names, meant, outcome: 'running' }
    this.ran.push(ran)
    this.#transaction.push(command.text)
    this.#implicit.push(ran)
    return ran
  }

  /** Does it, gives its rows, and returns what is to be said at its end. */
  #run(command: Command, ran: Ran, from: number, count = command.rows): Buffer {
    const { kind, name, inner, rows } = command
    if (kind === 'fail') throw new Failure('22012')
    if (kind === 'begin') this.status = 'open'
    if (kind === 'commit' || kind === 'rollback') return this.#endBlock(kind, ran)
    if (kind === 'defer') this.#deferred = true
    if (kind === 'path') this.names = name
    if (kind === 'say') this.#reason = name
    if (kind === 'prepare') this.#prepare(name, inner)
    if (kind === 'deallocate') this.#deallocate(name)
    if (kind === 'notice') this.#say(wire.noticeResponse({ severity: 'NOTICE', code: '00000', message: command.text }))
    if (kind === 'copyout') this.#copyOut(command)
    const shown = this.#withPolicy && command.guarded ? Math.min(count, GUARDED_ROWS - from) : count
    for (let row = from; row < from + shown; row++) if (givesRows(command)) this.#say(this.#rowOf(command, row))
    ran.outcome = 'completed'
    return wire.commandComplete(tagOf(command, givesRows(command) && kind === 'read' ? count : rows))
  }

  #rowOf({ text, verdict }: Command, row: number): Buffer {
    return dataRow([`${this.#withPolicy && verdict === 'mask' ? '*' : ''}${text}.${row + 1}`])
  }

  #prepare(name: string, inner: string): void {
    if (this.#prepared.has(name)) throw new Failure('42P05')
    this.#prepared.set(name, inner)
  }

  #deallocate(name: string): void {
    if (!this.#prepared.delete(name)) throw new Failure('26000')
  }

  #endBlock(kind: 'commit' | 'rollback', ran: Ran): Buffer {
    const failed = this.status === 'failed'
    if (kind === 'commit' && !failed && this.#deferred) {
      this.status = 'idle'
      throw new Failure('23503')
    }
    ran.outcome = 'completed'
    this.#deferred = false
    this.#endTransaction(kind === 'commit' && !failed)
    return wire.commandComplete(kind === 'commit' && !failed ? 'COMMIT' : 'ROLLBACK')
  }

  // -- COPY ---------------------------------------------------------------------------------------------------------

  #copyOut({ text, rows, verdict }: Command): void {
    this.#say(wire.copyOutResponse)
    const star = this.#withPolicy && verdict === 'mask' ? '*' : ''
    for (let row = 1; row <= rows; row++) this.#say(wire.copyData(`${star}${text}.${row}`))
    this.#say(wire.copyDone)
  }

  #inCopy(copy: CopyIn, tag: number, bytes: Buffer): void {
    try {
      if (tag === FRONTEND.copyData) this.#takeCopyData(copy, bytes)
      else if (tag === FRONTEND.copyDone) this.#endCopy(copy)
      else if (tag === FRONTEND.copyFail) throw new Failure('57014')
      else if (tag !== FRONTEND.flush && tag !== FRONTEND.sync) this.#lostInCopy()
    } catch (error) {
      this.#copyIn = undefined
      this.#fail(error)
      if (copy.simple) this.#ready()
      else this.#skipping = true
    }
  }

  #takeCopyData(copy: CopyIn, bytes: Buffer): void {
    if (bytes.includes('bad')) throw new Failure('22P04')
    copy.rows += 1
  }

  #endCopy(copy: CopyIn): void {
    this.#copyIn = undefined
    copy.ran.outcome = 'completed'
    if (copy.simple && copy.rest.length === 0) this.#commitImplicit()
    this.#say(wire.commandComplete(`COPY ${copy.rows}`))
    if (!copy.simple) return
    try {
      if (!this.#runAll(copy.rest)) return
    } catch (error) {
      this.#fail(error)
    }
    this.#ready()
  }

  /** As the servers that are still supported do it: what comes next cannot be told apart any more. */
  #lostInCopy(): void {
    this.#say(errorResponse({ severity: 'FATAL', code: '08P01', message: 'unexpected message type during COPY' }))
    this.#abort()
    this.closed = true
  }
}

/** A question of the node's own, which is SQL. */
const isQuestion = (sql: string): boolean => sql.startsWith('SELECT NULL')

const commandsOf = (sql: string): readonly Command[] =>
  isQuestion(sql)
    ? [{ text: sql, verdict: 'allow', guarded: false, kind: 'read', rows: 1, name: '', inner: '' }]
    : readScript(sql)

const refuseDenied = (commands: readonly Command[]): void => {
  if (commands.some(({ verdict }) => verdict === 'deny') || cannotBeGuarded(commands)) throw new Failure('42501')
}

const CHANGING = new Set(['write', 'returning', 'defer'])

const TEXT = 25

const describing = (command: Command | undefined): Buffer =>
  command && givesRows(command)
    ? message(
        BACKEND.rowDescription,
        int16(1),
        cstring('c'),
        int32(0),
        int16(0),
        int32(TEXT),
        int16(-1),
        int32(-1),
        int16(0),
      )
    : wire.noData

const tagOf = ({ kind }: Command, rows: number): string => {
  if (kind === 'read') return `SELECT ${rows}`
  if (kind === 'write') return `UPDATE ${rows}`
  if (kind === 'returning') return `INSERT 0 ${rows}`
  if (kind === 'copyout') return `COPY ${rows}`
  return kind.toUpperCase()
}
