import {
  BACKEND,
  HEADER_BYTES,
  functionCallResponse,
  int16,
  message,
  parameterStatus,
  ProtocolError,
  readCommandTag,
  readCopyColumnCount,
  readDataRow,
  readNotice,
  readNotification,
  readParameterStatus,
  readReadyForQuery,
  readRowDescription,
  rowsOf,
  notificationResponse,
  writeNotice,
  type Column,
  type FrameReader,
  type RunReader,
  type RawFields,
} from '@countersign/pgwire'
import type { ToClient } from '../../session/to-client.ts'
import type { CopyPlan, RowPlan } from '../../statement/judgement.ts'
import type { PostgresExecution } from '../statement/postgres-judgement.ts'
import type { Exchange } from './exchange.ts'
import { executionsOf, judgementOf, type Pending, type Question } from './pending.ts'

/** Takes sensitive values out of what a server says beside its results. */
export interface Redactor {
  /** `strict`: the statement has to do with sensitive columns, so values go whatever they look like. */
  fields(fields: RawFields, strict: boolean): RawFields
  text(text: string): string
}

/** What the server's side tells the session. */
export interface ServerEvents {
  /** Nothing is owed: everything that was sent is answered. */
  idle(): void
  /** The schema is another one now, for everybody. */
  catalogueChanged(): void
  /** The server has failed: it passes over what follows, up to the Sync of the group. */
  failed(): void
  /** The server waits for data. */
  copyInBegins(): void
  /** A group has ended of which nothing was let out. */
  withheld(): void
  /** Returns the value that the client is to be told; undefined when it need not be told. */
  parameterChanged(name: string, value: string): string | undefined
  /** What SHOW application_name gives. */
  nameShown(): RowPlan
}

export interface ServerSideOptions {
  readonly exchange: Exchange
  readonly toClient: ToClient
  readonly redactor: Redactor
  readonly events: ServerEvents
  readonly rowBytesMax: number
}

/** Answers other than rows are short; what claims to be longer is not believed. */
const ANSWER_BYTES_MAX = 64 * 1024 * 1024

/** Reads what the server says, gives it to the client masked, and keeps account of how each statement ends. */
export class ServerSide implements FrameReader, RunReader {
  readonly #exchange: Exchange
  readonly #toClient: ToClient
  readonly #redactor: Redactor
  readonly #events: ServerEvents
  readonly #rowBytesMax: number

  constructor({ exchange, toClient, redactor, events, rowBytesMax }: ServerSideOptions) {
    this.#exchange = exchange
    this.#toClient = toClient
    this.#redactor = redactor
    this.#events = events
    this.#rowBytesMax = rowBytesMax
  }

  begin(tag: number, length: number): 'whole' | 'stream' | 'skip' {
    if (tag === BACKEND.dataRow) return this.#beginRow(length)
    if (tag === BACKEND.copyData) return this.#beginCopy(length)
    if (length > ANSWER_BYTES_MAX) throw new ProtocolError('PGWIRE_TOO_LONG', `an answer of ${length} bytes`)
    return 'whole'
  }

  #beginRow(length: number): 'whole' | 'stream' | 'skip' {
    if (this.#exchange.head?.kind === 'question') return 'whole'
    if (this.#toClient.withholds) return 'skip'
    const execution = this.#running()
    if (!execution) throw new ProtocolError('PGWIRE_UNEXPECTED', 'a row that nobody asked for')
    if (!execution.described) this.#plan(execution)
    this.#toClient.gate(execution.record)
    // No client sees more rows of a change than were approved.
    if (execution.rowsReturned >= execution.rowsMax) return skipRow(execution)
    execution.rowsReturned += 1
    execution.bytesReturned += length
    if (!execution.rows) return 'stream'
    this.#boundRow(length)
    return 'whole'
  }

  #rowsOf({ judgement }: PostgresExecution, columns: readonly Column[], formats: readonly number[] | undefined) {
    return judgement.showsName ? this.#events.nameShown() : judgement.results.rows(columns, formats)
  }

  /** The rows of a portal may begin without a description of their own: then an earlier one holds. */
  #plan(execution: PostgresExecution): void {
    const { head } = this.#exchange
    const portal = head?.kind === 'execute' ? head.portal : undefined
    const columns = portal?.columns ?? portal?.prepared.columns
    if (!portal || !columns) throw new ProtocolError('PGWIRE_UNEXPECTED', 'a row that was not described')
    const formats = portal.columns ? undefined : portal.resultFormats
    execution.rows = this.#rowsOf(execution, columns, formats)
    execution.described = true
  }

  #beginCopy(length: number): 'whole' | 'stream' | 'skip' {
    if (this.#toClient.withholds) return 'skip'
    const execution = this.#running()
    if (!execution?.described) throw new ProtocolError('PGWIRE_UNEXPECTED', 'COPY data that was not announced')
    this.#toClient.gate(execution.record)
    execution.rowsReturned += 1
    execution.bytesReturned += length
    if (!execution.copy) return 'stream'
    this.#boundRow(length)
    return 'whole'
  }

  #boundRow(length: number): void {
    if (length > this.#rowBytesMax) throw new ProtocolError('PGWIRE_TOO_LONG', `a row of ${length} bytes to mask`)
  }

  /** Rows of what is described, when what the server says is neither for us nor held back. */
  takes(tag: number): boolean {
    if (tag !== BACKEND.dataRow && tag !== BACKEND.copyData) return false
    if (this.#exchange.head?.kind === 'question' || this.#toClient.withholds) return false
    const execution = this.#running()
    return (
      execution?.described === true && !execution.guarded && (!execution.rows || execution.rows.applyRun !== undefined)
    )
  }

  run(tag: number, bytes: Buffer, start: number, end: number, count: number, longest: number): void {
    const execution = this.#running()
    if (!execution) throw new ProtocolError('PGWIRE_UNEXPECTED', 'a row that nobody asked for')
    this.#toClient.gate(execution.record)
    execution.rowsReturned += count
    execution.bytesReturned += end - start
    if (tag === BACKEND.copyData ? execution.copy : execution.rows) this.#boundRow(longest)
    const masked =
      tag === BACKEND.copyData
        ? execution.copy && copyRun(execution.copy, bytes, start, end)
        : execution.rows?.applyRun?.(bytes, start, end)
    if (!masked) this.#toClient.add(bytes, start, end)
    else if (masked.length > 0) this.#toClient.addWhole(masked)
  }

  piece(_tag: number, bytes: Buffer, start: number, end: number, first: boolean, last: boolean): void {
    this.#toClient.add(bytes, start, end)
    if (!(first && last)) this.#toClient.inside = !last
  }

  message(tag: number, bytes: Buffer, start: number, end: number): boolean {
    const { head } = this.#exchange
    if (head?.kind === 'question' && this.#toQuestion(head, tag, bytes, start, end)) return true
    this.#toStatement(tag, bytes, start, end)
    return true
  }

  #toStatement(tag: number, bytes: Buffer, start: number, end: number): void {
    switch (tag) {
      case BACKEND.dataRow:
        return this.#row(bytes, start, end)
      case BACKEND.copyData:
        return this.#copyData(bytes, start, end)
      case BACKEND.commandComplete:
        return this.#complete(readCommandTag(bytes, start, end), bytes, start, end)
      case BACKEND.readyForQuery:
        return this.#ready(bytes, start, end)
      case BACKEND.bindComplete:
      case BACKEND.parseComplete:
      case BACKEND.closeComplete:
        this.#changed()
        return this.#pass(bytes, start, end)
      case BACKEND.rowDescription:
        return this.#describe(readRowDescription(bytes, start, end), bytes, start, end)
      case BACKEND.noData:
        return this.#describe(NO_COLUMNS, bytes, start, end)
      case BACKEND.copyDone:
        this.#endCopyOut()
        return this.#pass(bytes, start, end)
      case BACKEND.functionCallResponse:
        return this.#functionResult(bytes, start, end)
      case BACKEND.parameterDescription:
        return this.#pass(bytes, start, end)
      case BACKEND.copyInResponse:
        this.#copyInBegins()
        return this.#pass(bytes, start, end)
      case BACKEND.copyOutResponse:
        this.#beginCopyOut(readCopyColumnCount(bytes, start, end))
        return this.#pass(bytes, start, end)
      case BACKEND.emptyQueryResponse:
        this.#empty()
        return this.#pass(bytes, start, end)
      case BACKEND.portalSuspended:
        if (!this.#suspended()) this.#pass(bytes, start, end)
        return
      case BACKEND.errorResponse:
        return this.#error(bytes, start, end)
      case BACKEND.noticeResponse:
        return this.#notice(bytes, start, end)
      case BACKEND.notificationResponse:
        return this.#notification(bytes, start, end)
      case BACKEND.parameterStatus:
        return this.#parameter(bytes, start, end)
      default:
        throw new ProtocolError('PGWIRE_UNEXPECTED', `message ${String.fromCharCode(tag)} of the server`)
    }
  }

  /** Passes a message on; it waits at the gate when the statement that it belongs to is not recorded yet. */
  #pass(bytes: Buffer, start: number, end: number): void {
    this.#toClient.add(bytes, start, end)
  }

  #row(bytes: Buffer, start: number, end: number): void {
    const masked = this.#running()?.rows?.apply(bytes, start, end)
    if (masked) this.#toClient.addWhole(masked)
    else this.#toClient.add(bytes, start, end)
  }

  #copyData(bytes: Buffer, start: number, end: number): void {
    const masked = this.#running()?.copy?.push(bytes.subarray(start + HEADER_BYTES, end))
    if (!masked) throw new ProtocolError('PGWIRE_UNEXPECTED', 'COPY data outside COPY')
    if (masked.length > 0) this.#toClient.addWhole(message(BACKEND.copyData, masked))
  }

  #endCopyOut(): void {
    const left = this.#running()?.copy?.end()
    if (left && left.length > 0) this.#toClient.addWhole(message(BACKEND.copyData, left))
  }

  #beginCopyOut(columns: number): void {
    const execution = this.#running()
    if (!execution) throw new ProtocolError('PGWIRE_UNEXPECTED', 'COPY out that nobody asked for')
    execution.copy = execution.judgement.results.copy(columns)
    execution.described = true
    this.#toClient.gate(execution.record)
  }

  #describe(columns: readonly Column[], bytes: Buffer, start: number, end: number): void {
    const { head } = this.#exchange
    if (head?.kind === 'describe') {
      if (head.of) head.of.columns = columns
      this.#answered()
      if (!head.silent) this.#pass(bytes, start, end)
      return
    }
    const execution = this.#running()
    if (!execution) throw new ProtocolError('PGWIRE_UNEXPECTED', 'a description that nobody asked for')
    this.#toClient.gate(execution.record)
    execution.rows = this.#rowsOf(execution, columns, undefined)
    execution.described = true
    this.#pass(bytes, start, end)
  }

  /** A name stands for something else now. */
  #changed(): void {
    const head = this.#answered()
    const { prepared, portals } = this.#exchange.meaning
    if (head?.kind === 'parse' || head?.kind === 'close-statement') prepared.answered(head.change)
    else if (head?.kind === 'bind' || head?.kind === 'close-portal') {
      const replaced = portals.answered(head.change)
      if (replaced) this.#exchange.dropPortal(replaced)
    } else throw outOfTurn(head)
  }

  #complete(tag: string, bytes: Buffer, start: number, end: number): void {
    const { head } = this.#exchange
    if (head?.kind === 'verdict') return this.#endGuarded(head)
    const execution = this.#running()
    if (!head || !execution) throw new ProtocolError('PGWIRE_UNEXPECTED', `${tag}, which nobody asked for`)
    this.#toClient.gate(execution.record)
    this.#exchange.copying = false
    this.#exchange.finish(execution, tag, countsRowsReturned(tag, execution) ? 0 : rowsOf(tag))
    if (execution.guarded) this.#checkRows(execution, head)
    if (head.kind === 'query') head.next += 1
    else this.#endOfPortal()
    const isLast = head.kind === 'query' && head.guarded?.wrapped === true && head.next === head.executions.length
    if (isLast && head.guarded) head.guarded.completed = Buffer.from(bytes.subarray(start, end))
    else if (!execution.tripped) this.#pass(bytes, start, end)
  }

  /**
   * CONTROL approved-is-executed: what has changed more rows than it may is not committed (`ClientSide` sees to that),
   * and its client does not hear that it is done. What comes behind it in the same text is lost with it.
   */
  #checkRows(execution: PostgresExecution, { kind }: Pending): void {
    const { rowsAffected, rowsMax, hasMoreRows, rowsReturned, judgement } = execution
    if (rowsAffected > rowsMax || hasMoreRows) this.#exchange.trip(execution, 'more-rows')
    // It gives one row when it has found everything as it should be.
    if (judgement.restores !== undefined && rowsReturned !== 1) this.#exchange.trip(execution, 'changed-since')
    if (execution.tripped && kind === 'query') this.#toClient.withhold()
  }

  /** It is committed, or rolled back: now its client may be told how it ended. */
  #endGuarded({ of, error }: Extract<Pending, { kind: 'verdict' }>): void {
    if (error) this.#toClient.addWhole(error)
    else if (of.completed) this.#toClient.addWhole(of.completed)
  }

  /** The same as a row of one column, but without the count in front of it. */
  #functionResult(bytes: Buffer, start: number, end: number): void {
    const { head } = this.#exchange
    const execution = this.#running()
    if (head?.kind !== 'query' || !head.result || !execution) throw outOfTurn(head)
    this.#toClient.gate(execution.record)
    execution.rowsReturned += 1
    execution.bytesReturned += end - start
    execution.rows = execution.judgement.results.rows([head.result], undefined)
    const row = execution.rows && message(BACKEND.dataRow, int16(1), bytes.subarray(start + HEADER_BYTES, end))
    const masked = row && execution.rows?.apply(row, 0, row.length)
    this.#exchange.finish(execution, 'SELECT 1', 0)
    head.next += 1
    if (!masked) return this.#pass(bytes, start, end)
    this.#toClient.addWhole(functionCallResponse(readDataRow(masked, 0, masked.length)[0] ?? null))
  }

  #copyInBegins(): void {
    const execution = this.#running()
    if (!execution) throw new ProtocolError('PGWIRE_UNEXPECTED', 'COPY in that nobody asked for')
    this.#exchange.copyInBegins()
    this.#events.copyInBegins()
  }

  #empty(): void {
    if (this.#exchange.head?.kind === 'execute') this.#endOfPortal()
  }

  /** Returns whether it must not be: then the number of rows comes when the client has them all, or never. */
  #suspended(): boolean {
    const { head } = this.#exchange
    if (head?.kind !== 'execute') throw outOfTurn(head)
    const isGuarded = head.execution?.guarded === true
    if (head.execution && isGuarded) this.#exchange.trip(head.execution, 'in-parts')
    if (head.execution) {
      head.execution.asked -= 1
      head.execution.suspended = true
      this.#exchange.meaning.suspended(head.execution)
    }
    this.#answered()
    if (head.execution && isGuarded) this.#exchange.settle(head.execution, 'failed')
    return isGuarded
  }

  #endOfPortal(): void {
    const head = this.#answered()
    if (head?.kind !== 'execute') throw outOfTurn(head)
    if (head.execution) head.execution.asked -= 1
    if (head.portal.execution === head.execution) head.portal.execution = undefined
  }

  #ready(bytes: Buffer, start: number, end: number): void {
    const head = this.#exchange.answered()
    if (head?.kind !== 'query' && head?.kind !== 'sync' && head?.kind !== 'verdict') {
      throw new ProtocolError('PGWIRE_UNEXPECTED', 'the server is ready before it has answered')
    }
    if (head.kind === 'query') for (const left of head.executions.slice(head.next)) this.#exchange.skip(left)
    const status = readReadyForQuery(bytes, start, end)
    if (head.kind === 'query' && isUndecided(head)) return this.#undecided(status)
    if (this.#exchange.ready(status)) this.#events.catalogueChanged()
    if (this.#toClient.withholds) this.#events.withheld()
    else this.#toClient.addReady(bytes, start, end)
    this.#idleWhenNothingIsOwed()
  }

  /** Whether it stands is for us to say: the client waits for that, and goes on to (`ClientSide`). */
  #undecided(status: Exchange['status']): void {
    this.#exchange.status = status
    this.#exchange.copying = false
    this.#toClient.letOut()
    this.#idleWhenNothingIsOwed()
  }

  #error(bytes: Buffer, start: number, end: number): void {
    const { head, pending } = this.#exchange
    const fields = readNotice(bytes, start, end)
    const sqlstate = sqlstateIn(fields)
    this.#exchange.copying = false
    this.#exchange.serverHasLeft ||= FATAL.has(fields.get('V') ?? '')
    if (head?.kind === 'refused') this.#toClient.addWhole(head.error)
    else this.#passError(fields)
    if (head?.kind === 'query') {
      const failed = head.executions[head.next]
      this.#exchange.fail(failed, sqlstate)
      if (failed) head.next += 1
      return
    }
    const isEnd = head === undefined || head.kind === 'sync' || head.kind === 'verdict'
    if (isEnd) return this.#exchange.fail(undefined, sqlstate) // FATAL, or a failed end.
    this.#exchange.fail(executionsOf(head)[0], sqlstate)
    // PostgreSQL forgets the unnamed statement before it looks at the one that is to take its place.
    if (head.kind === 'parse' && head.change.name === '') this.#exchange.meaning.prepared.givenAway(head.change)
    if (head.kind === 'refused' && head.change) this.#exchange.meaning.prepared.answered(head.change)
    const sync = pending.findIndex(({ kind }) => kind === 'sync')
    const gone = pending.splice(0, sync < 0 ? pending.length : sync)
    if (sync < 0) this.#events.failed()
    for (const each of gone.toReversed()) this.#exchange.passOver(each)
    if (sync < 0) this.#idleWhenNothingIsOwed()
  }

  #passError(fields: RawFields): void {
    const execution = this.#running()
    if (execution) this.#toClient.gate(execution.record)
    const strict = judgementOf(this.#exchange.head)?.sensitive ?? true
    this.#toClient.addWhole(writeNotice(BACKEND.errorResponse, this.#redactor.fields(fields, strict)))
  }

  #notice(bytes: Buffer, start: number, end: number): void {
    const strict = judgementOf(this.#exchange.head)?.sensitive ?? true
    const fields = this.#redactor.fields(readNotice(bytes, start, end), strict)
    this.#toClient.addWhole(writeNotice(BACKEND.noticeResponse, fields))
  }

  #notification(bytes: Buffer, start: number, end: number): void {
    const notification = readNotification(bytes, start, end)
    const payload = this.#redactor.text(notification.payload)
    if (payload === notification.payload) this.#pass(bytes, start, end)
    else this.#toClient.addWhole(notificationResponse({ ...notification, payload }))
  }

  #parameter(bytes: Buffer, start: number, end: number): void {
    const { name, value } = readParameterStatus(bytes, start, end)
    const told = this.#events.parameterChanged(name, value)
    if (told === value) this.#pass(bytes, start, end)
    else if (told !== undefined) this.#toClient.addWhole(parameterStatus(name, told))
  }

  /**
   * The answer to a question of our own. False for what is not about it: notices and the like that come in between are
   * the client's, and so is the news that the server gives up altogether.
   */
  #toQuestion(question: Question, tag: number, bytes: Buffer, start: number, end: number): boolean {
    switch (tag) {
      case BACKEND.dataRow:
        question.rows.push(readDataRow(bytes, start, end).map((value) => value?.toString('utf8') ?? null))
        return true
      case BACKEND.errorResponse:
        return this.#questionFails(question, bytes, start, end)
      case BACKEND.closeComplete:
        question.closes -= 1
        if (question.within && question.closes === 0) this.#endQuestion(question)
        return true
      case BACKEND.readyForQuery:
        this.#exchange.status = readReadyForQuery(bytes, start, end)
        this.#endQuestion(question)
        return true
      default:
        return !BETWEEN.has(tag)
    }
  }

  #endQuestion(question: Question): void {
    this.#exchange.answered()
    question.answered(question)
    this.#idleWhenNothingIsOwed()
  }

  /** In the middle of a group the server fails with it, so the error is the client's. */
  #questionFails(question: Question, bytes: Buffer, start: number, end: number): boolean {
    const fields = readNotice(bytes, start, end)
    question.failure = sqlstateIn(fields)
    // The client has asked for it, or a timeout of its own: it need not know that it was our question that was hit.
    if (question.failure === QUERY_CANCELED) question.message = fields.get('M')
    if (!question.within) return !FATAL.has(fields.get('V') ?? '')
    this.#error(bytes, start, end)
    question.answered(question)
    return true
  }

  #answered(): Pending | undefined {
    const answered = this.#exchange.answered()
    this.#idleWhenNothingIsOwed()
    return answered
  }

  #idleWhenNothingIsOwed(): void {
    if (this.#exchange.pending.length === 0) this.#events.idle()
  }

  /** The statement that the server is working on, or is about to answer. */
  #running(): PostgresExecution | undefined {
    const { head } = this.#exchange
    if (head?.kind === 'query') return head.executions[head.next]
    return head?.kind === 'execute' ? head.execution : undefined
  }
}

const skipRow = (execution: PostgresExecution): 'skip' => {
  execution.hasMoreRows = true
  return 'skip'
}

/** Each message of COPY data, masked, in a message of its own; none where everything is still held back. */
const copyRun = (copy: CopyPlan, bytes: Buffer, start: number, end: number): Buffer => {
  const payloads: Buffer[] = []
  let length = 0
  for (let at = start; at < end;) {
    const next = at + 1 + bytes.readInt32BE(at + 1)
    const masked = copy.push(bytes.subarray(at + HEADER_BYTES, next))
    if (masked.length > 0) {
      payloads.push(masked)
      length += HEADER_BYTES + masked.length
    }
    at = next
  }
  const messages = Buffer.allocUnsafe(length)
  let at = 0
  for (const payload of payloads) {
    messages[at] = BACKEND.copyData
    messages.writeInt32BE(4 + payload.length, at + 1)
    messages.set(payload, at + HEADER_BYTES)
    at += HEADER_BYTES + payload.length
  }
  return messages
}

const NO_COLUMNS: readonly Column[] = []

const BETWEEN: ReadonlySet<number> = new Set([
  BACKEND.noticeResponse,
  BACKEND.notificationResponse,
  BACKEND.parameterStatus,
])

/** It stands in a transaction of ours, or must not stand at all. */
const isUndecided = ({ guarded, executions }: Extract<Pending, { kind: 'query' }>): boolean =>
  guarded !== undefined && (guarded.wrapped || executions.some(({ tripped }) => tripped))

/** It goes into the record as it is, so it must be one. */
const sqlstateIn = (fields: RawFields): string => {
  const code = fields.get('C') ?? ''
  return /^[0-9A-Z]{5}$/.test(code) ? code : 'XX000'
}

const QUERY_CANCELED = '57014'

const FATAL = new Set(['FATAL', 'PANIC'])

const outOfTurn = (expected: Pending | undefined): ProtocolError =>
  new ProtocolError('PGWIRE_UNEXPECTED', `an answer out of turn: ${expected?.kind ?? 'nothing'} was expected`)

/** Most command tags count rows changed; these count rows returned. COPY counts whichever way it went. */
const countsRowsReturned = (tag: string, { described }: PostgresExecution): boolean =>
  tag.startsWith('SELECT') || tag.startsWith('FETCH') || tag.startsWith('MOVE') || (tag.startsWith('COPY') && described)
