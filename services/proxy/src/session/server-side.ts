import {
  BACKEND,
  HEADER_BYTES,
  message,
  ProtocolError,
  readCommandTag,
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
  type RawFields,
} from '@countersign/pgwire'
import type { Execution } from '../statement/execution.ts'
import type { Exchange } from './exchange.ts'
import type { Pending } from './pending.ts'
import type { ToClient } from './to-client.ts'

/** Takes sensitive values out of what a server says beside its results. */
export interface Redactor {
  /** `strict`: the statement has to do with sensitive columns, so values go whatever they look like. */
  fields(fields: RawFields, strict: boolean): RawFields
  text(text: string): string
}

/** What the server's side tells the session. */
export interface ServerEvents {
  /** A group has ended and nothing is owed: the next statement may be looked at. */
  idle(): void
  /** These have completed and stand. */
  completed(executions: readonly Execution[]): void
  /** The server has failed in the middle of a group whose end the client has not sent yet. */
  skipToSync(): void
  parameterChanged(name: string, value: string): void
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
export class ServerSide implements FrameReader {
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

  begin(tag: number, length: number): 'whole' | 'stream' {
    if (tag === BACKEND.dataRow) return this.#beginRow(length)
    if (tag === BACKEND.copyData) return this.#beginCopy(length)
    if (length > ANSWER_BYTES_MAX) throw new ProtocolError('PGWIRE_TOO_LONG', `an answer of ${length} bytes`)
    return 'whole'
  }

  #beginRow(length: number): 'whole' | 'stream' {
    if (this.#exchange.head?.kind === 'question') return 'whole'
    const execution = this.#running()
    if (!execution) throw new ProtocolError('PGWIRE_UNEXPECTED', 'a row that nobody asked for')
    if (!execution.described) this.#plan(execution)
    this.#toClient.gate(execution.record)
    execution.rowsReturned += 1
    execution.bytesReturned += length
    if (!execution.rows) return 'stream'
    this.#boundRow(length)
    return 'whole'
  }

  /** The rows of a portal may begin without a description of their own: then an earlier one holds. */
  #plan(execution: Execution): void {
    const { head } = this.#exchange
    const portal = head?.kind === 'execute' ? head.portal : undefined
    const columns = portal?.columns ?? portal?.prepared.columns
    if (!portal || !columns) throw new ProtocolError('PGWIRE_UNEXPECTED', 'a row that was not described')
    execution.rows = execution.judgement.results.rows(columns, portal.columns ? undefined : portal.resultFormats)
    execution.described = true
  }

  #beginCopy(length: number): 'whole' | 'stream' {
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

  piece(_tag: number, bytes: Buffer, start: number, end: number, first: boolean, last: boolean): void {
    if (this.#exchange.discarding) return
    this.#toClient.add(bytes, start, end)
    if (!(first && last)) this.#toClient.inside = !last
  }

  message(tag: number, bytes: Buffer, start: number, end: number): boolean {
    const { head, discarding } = this.#exchange
    if (head?.kind === 'question') this.#toQuestion(head, tag, bytes, start, end)
    else if (discarding) this.#discard(discarding, tag, bytes, start)
    else this.#toStatement(tag, bytes, start, end)
    return true
  }

  /** The answer may not go out. It is read to its end, so that the next one is found. */
  #discard(ended: () => void, tag: number, bytes: Buffer, start: number): void {
    if (tag !== BACKEND.readyForQuery) return
    const { pending } = this.#exchange
    pending.splice(0, pending.findIndex(({ kind }) => kind === 'query' || kind === 'sync') + 1)
    this.#exchange.discarding = undefined
    this.#exchange.ready(readReadyForQuery(bytes, start))
    ended()
    if (pending.length === 0) this.#events.idle()
  }

  #toStatement(tag: number, bytes: Buffer, start: number, end: number): void {
    switch (tag) {
      case BACKEND.dataRow:
        return this.#row(bytes, start, end)
      case BACKEND.copyData:
        return this.#copyData(bytes, start, end)
      case BACKEND.commandComplete:
        this.#complete(readCommandTag(bytes, start, end))
        return this.#pass(bytes, start, end)
      case BACKEND.readyForQuery:
        return this.#ready(bytes, start, end)
      case BACKEND.bindComplete:
      case BACKEND.parseComplete:
      case BACKEND.closeComplete:
        this.#shift('parse', 'bind', 'close')
        return this.#pass(bytes, start, end)
      case BACKEND.rowDescription:
        return this.#describe(readRowDescription(bytes, start, end), bytes, start, end)
      case BACKEND.noData:
        return this.#describe(NO_COLUMNS, bytes, start, end)
      case BACKEND.copyDone:
        this.#endCopyOut()
        return this.#pass(bytes, start, end)
      case BACKEND.parameterDescription:
      case BACKEND.copyInResponse:
        return this.#pass(bytes, start, end)
      case BACKEND.copyOutResponse:
        this.#beginCopyOut()
        return this.#pass(bytes, start, end)
      case BACKEND.emptyQueryResponse:
        this.#empty()
        return this.#pass(bytes, start, end)
      case BACKEND.portalSuspended:
        this.#suspended()
        return this.#pass(bytes, start, end)
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

  #beginCopyOut(): void {
    const execution = this.#running()
    if (!execution) throw new ProtocolError('PGWIRE_UNEXPECTED', 'COPY out that nobody asked for')
    execution.copy = execution.judgement.results.copy()
    execution.described = true
    this.#toClient.gate(execution.record)
  }

  #describe(columns: readonly Column[], bytes: Buffer, start: number, end: number): void {
    const { head } = this.#exchange
    if (head?.kind === 'describe') {
      if (head.of) head.of.columns = columns
      this.#exchange.pending.shift()
      if (!head.silent) this.#pass(bytes, start, end)
      return
    }
    const execution = this.#running()
    if (!execution) throw new ProtocolError('PGWIRE_UNEXPECTED', 'a description that nobody asked for')
    this.#toClient.gate(execution.record)
    execution.rows = execution.judgement.results.rows(columns, undefined)
    execution.described = true
    this.#pass(bytes, start, end)
  }

  #complete(tag: string): void {
    const { head } = this.#exchange
    const execution = this.#running()
    if (!head || !execution) throw new ProtocolError('PGWIRE_UNEXPECTED', `${tag}, which nobody asked for`)
    this.#toClient.gate(execution.record)
    this.#exchange.finish(execution, tag, countsRowsReturned(tag, execution) ? 0 : rowsOf(tag))
    if (head.kind === 'query') head.next += 1
    else this.#endOfPortal()
  }

  #empty(): void {
    if (this.#exchange.head?.kind === 'execute') this.#endOfPortal()
  }

  #suspended(): void {
    const { head } = this.#exchange
    this.#shift('execute')
    if (head?.kind === 'execute') this.#exchange.suspend(head.portal)
  }

  #endOfPortal(): void {
    const head = this.#exchange.pending.shift()
    if (head?.kind === 'execute') head.portal.execution = undefined
  }

  #ready(bytes: Buffer, start: number, end: number): void {
    const head = this.#exchange.pending.shift()
    if (head?.kind !== 'query' && head?.kind !== 'sync') {
      throw new ProtocolError('PGWIRE_UNEXPECTED', 'the server is ready before it has answered')
    }
    if (head.kind === 'query') for (const left of head.executions.slice(head.next)) this.#exchange.skip(left)
    const completed = this.#exchange.ready(readReadyForQuery(bytes, start))
    if (completed.length > 0) this.#events.completed(completed)
    this.#toClient.addReady(bytes, start, end)
    if (this.#exchange.pending.length === 0) this.#events.idle()
  }

  #error(bytes: Buffer, start: number, end: number): void {
    const { head, pending } = this.#exchange
    const fields = readNotice(bytes, start, end)
    const sqlstate = fields.get('C') ?? 'XX000'
    if (head?.kind === 'refused') {
      this.#toClient.addWhole(head.error)
    } else {
      const execution = this.#running()
      if (execution) this.#toClient.gate(execution.record)
      const strict = execution?.judgement.sensitive ?? true
      this.#toClient.addWhole(writeNotice(BACKEND.errorResponse, this.#redactor.fields(fields, strict)))
    }
    if (head?.kind === 'query') {
      const failed = head.executions[head.next]
      this.#exchange.fail(failed, sqlstate)
      if (failed) head.next += 1
      return
    }
    this.#exchange.fail(head?.kind === 'execute' ? head.execution : undefined, sqlstate)
    if (head?.kind === 'execute') head.portal.execution = undefined
    if (head === undefined || head.kind === 'sync') return // A FATAL error, or one of the transaction's end.
    dropToSync(pending, (dropped) => this.#dropped(dropped))
    if (pending.length === 0) this.#events.skipToSync()
  }

  #dropped(pending: Pending): void {
    if (pending.kind === 'execute') {
      if (pending.execution) this.#exchange.skip(pending.execution)
      pending.portal.execution = undefined
    }
  }

  #notice(bytes: Buffer, start: number, end: number): void {
    const strict = this.#running()?.judgement.sensitive ?? true
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
    this.#events.parameterChanged(name, value)
    this.#pass(bytes, start, end)
  }

  /** The answer to a question of our own. Notices and parameters that come in between are still the client's. */
  #toQuestion(
    question: Extract<Pending, { kind: 'question' }>,
    tag: number,
    bytes: Buffer,
    start: number,
    end: number,
  ): void {
    if (tag === BACKEND.dataRow) {
      question.rows.push(readDataRow(bytes, start, end).map((value) => value?.toString('utf8') ?? null))
    } else if (tag === BACKEND.readyForQuery) {
      this.#exchange.pending.shift()
      this.#exchange.status = readReadyForQuery(bytes, start)
      question.answered(question.rows)
    } else if (tag === BACKEND.notificationResponse) this.#notification(bytes, start, end)
    else if (tag === BACKEND.parameterStatus) this.#parameter(bytes, start, end)
  }

  /** The statement that the server is working on, or is about to answer. */
  #running(): Execution | undefined {
    const { head } = this.#exchange
    if (head?.kind === 'query') return head.executions[head.next]
    return head?.kind === 'execute' ? head.execution : undefined
  }

  #shift(...kinds: readonly Pending['kind'][]): void {
    const head = this.#exchange.pending.shift()
    if (!head || !kinds.includes(head.kind)) {
      throw new ProtocolError('PGWIRE_UNEXPECTED', `an answer out of turn: ${head?.kind ?? 'nothing'} was expected`)
    }
  }
}

const NO_COLUMNS: readonly Column[] = []

/** Takes off everything before the next sync, newest first where something has to be taken back. */
const dropToSync = (pending: Pending[], dropped: (pending: Pending) => void): void => {
  const sync = pending.findIndex(({ kind }) => kind === 'sync')
  const gone = pending.splice(0, sync < 0 ? pending.length : sync)
  for (const each of gone.toReversed()) {
    if ('undo' in each) each.undo?.()
    dropped(each)
  }
}

/** Most command tags count rows changed; these count rows returned. COPY counts whichever way it went. */
const countsRowsReturned = (tag: string, { described }: Execution): boolean =>
  tag.startsWith('SELECT') || tag.startsWith('FETCH') || tag.startsWith('MOVE') || (tag.startsWith('COPY') && described)
