import { setTimeout as sleep } from 'node:timers/promises'
import type { AccessEvent } from '@countersign/contracts'
import { Frames, ProtocolError, query, readyForQuery, SYNC } from '@countersign/pgwire'
import type { LiveSession, SessionParts } from '../../protocol.ts'
import { Admission } from '../../session/admission.ts'
import type { Identity } from '../../session/identity.ts'
import { ToClient } from '../../session/to-client.ts'
import type { WithdrawnBecause } from '../../statement/holds.ts'
import { StatementRefusedError } from '../../statement/refusal.ts'
import { Brake } from '../../stream/brake.ts'
import type { ByteStream } from '../../stream/byte-stream.ts'
import type { ClosedBecause } from '../../telemetry/labels.ts'
import type { Judge } from '../statement/judge.ts'
import type { PostgresJudgement } from '../statement/postgres-judgement.ts'
import { misreadIn } from '../statement/reading.ts'
import type { Undos } from '../undo/undos.ts'
import type { Upstream } from '../upstream/connect.ts'
import { ApplicationName } from './application-name.ts'
import { ClientSide, NO_SUCH_PORTAL } from './client-side.ts'
import { Exchange } from './exchange.ts'
import type { Question } from './pending.ts'
import * as say from './say.ts'
import { ServerSide, type Redactor } from './server-side.ts'
import { SessionCircumstances } from './session-circumstances.ts'
import {
  CLOSES,
  FLUSH,
  questionFor,
  sessionQuestion,
  toldIn,
  type Answer,
  type SessionTold,
} from './session-question.ts'
import { ToServer } from './to-server.ts'

export interface SessionOptions extends SessionParts {
  readonly client: ByteStream
  readonly upstream: Upstream
  readonly judge: Judge
  readonly redactor: Redactor
  /** What the server says of a session that has just begun like this one, where that is known already. */
  readonly firstTold: { get(): SessionTold | undefined; set(told: SessionTold): void }
  /** Stands for the schema as it is known now: another value when it is another one. */
  readonly schema: () => unknown
  /** Where what approved statements have changed is kept as it was. */
  readonly undos?: Undos
  /** A statement has changed what is in the database's catalogue. */
  readonly catalogueChanged: () => void
}

/** What a client has sent while it waits for an answer: more than this, and it is not read any further. */
const UNREAD_BYTES_MAX = 256 * 1024

/** So many messages that the server has not answered, and the client is not read any further. */
const UNANSWERED_MAX = 10_000

/** One client's connection through the node, from login to end: two streams and what stands between them. */
export class Session implements LiveSession {
  readonly #options: SessionOptions
  readonly #exchange: Exchange
  readonly #admission: Admission<PostgresJudgement>
  readonly #clientSide: ClientSide
  readonly #toServer: ToServer
  readonly #toClient: ToClient
  readonly #clientFrames: Frames
  readonly #serverFrames: Frames
  readonly #clientBrake: Brake
  readonly #applicationName: ApplicationName
  #unread: Buffer[] = []
  #unreadBytes = 0
  /** Somebody waits until everything that was sent is answered. */
  #whenAnswered: (() => void)[] = []
  /** The client is done: when everything is answered, the session ends. */
  #terminated = false
  /** Told when the server has been asked to cancel what it has not been sent yet. */
  #cancelling: (() => void)[] = []
  /** Why it ends, while the server is given a moment to say what became of the statement under way. */
  #interrupted: ClosedBecause | undefined
  #patience: NodeJS.Timeout | undefined
  #closed = false

  constructor(options: SessionOptions) {
    this.#options = options
    const { identity, client, upstream, recorder, judge, holds, limits, redactor } = options
    this.#applicationName = new ApplicationName(identity.sessionId, identity.application)
    this.#exchange = new Exchange(identity, recorder, options.schema)
    this.#clientBrake = new Brake(client)
    const failed = (error: unknown) => this.#fail(error)
    const lost = (readies: number) => this.#lostResults(readies)
    this.#toClient = new ToClient(client, upstream.stream, recorder, lost, failed)
    this.#toServer = new ToServer(
      client,
      upstream.stream,
      this.#clientBrake,
      this.#exchange,
      recorder,
      (pending) => this.#clientSide.lost(pending),
      () => this.#cleared(),
      failed,
    )
    this.#admission = new Admission({
      identity,
      account: this.#exchange,
      recorder,
      holds,
      notice: (notice) => this.#toClient.say(say.noticeOf(notice)),
      notUnderstood: (sql, refusal) => judge.notUnderstood(sql, refusal),
      prepare: (judged) => this.#seeHandles(judged),
    })
    this.#clientSide = new ClientSide({
      exchange: this.#exchange,
      toServer: this.#toServer,
      toClient: this.#toClient,
      judge,
      recorder,
      admission: this.#admission,
      circumstances: new SessionCircumstances(identity, this.#exchange.meaning, judge),
      limits,
      clock: identity.clock,
      settled: (within) => this.#settled(within),
      answered: () => this.#answered(),
      command: (sql) => this.#command(sql),
      asked: (sql, within) => this.#answer(sql, within),
      undos: options.undos,
      sessionId: identity.sessionId,
      unblocked: () => this.#readOn(),
      failed: (error) => this.#fail(error),
      terminated: () => this.#terminate(),
      ended: (refusal) => void this.#endFor(refusal),
    })
    const serverSide = new ServerSide({
      exchange: this.#exchange,
      toClient: this.#toClient,
      redactor,
      rowBytesMax: limits.rowBytesMax,
      events: {
        idle: () => this.#checkAnswered(),
        catalogueChanged: () => this.#options.catalogueChanged(),
        failed: () => this.#serverFailed(),
        copyInBegins: () => this.#copyInBegins(),
        withheld: () => this.#afterWithholding(),
        parameterChanged: (name, value) => this.#parameterChanged(name, value),
        nameShown: () => this.#applicationName.shown(),
      },
    })
    this.#clientFrames = new Frames(this.#clientSide)
    this.#serverFrames = new Frames(serverSide, undefined, serverSide)
    const firstTold = options.firstTold.get()
    if (firstTold) this.#exchange.meaning.told(firstTold, true)
    this.#listen(client, upstream.stream)
  }

  get identity(): Identity {
    return this.#options.identity
  }

  get judge(): Judge {
    return this.#options.judge
  }

  /** Between two transactions, with nothing under way in either direction: nothing is lost when it ends now. */
  get idle(): boolean {
    const { status, pending } = this.#exchange
    const waiting = this.#toServer.waiting || this.#toClient.waiting || this.#unreadBytes > 0
    return status === 'idle' && pending.length === 0 && !waiting && !this.#clientSide.busy
  }

  /** A statement that waits for an approval waits no longer. */
  leaveHold(because: WithdrawnBecause): void {
    this.#admission.leaveHold(because)
  }

  /**
   * The client asks, on another connection, to cancel what it is waiting for. Resolves when that is done, as far as it
   * can be: nothing that the client sends from then on is cancelled by it.
   */
  async cancel(): Promise<void> {
    if (this.#admission.busy) this.#admission.abort('cancelled')
    else if (this.#exchange.pending.length > 0) await this.#options.upstream.cancel()
    else if (this.#toServer.waiting) await new Promise<void>((resolve) => this.#cancelling.push(resolve))
  }

  /** Ends the session and tells the client why, when there is something to tell. */
  end(because: ClosedBecause, lastWords: Buffer): void {
    if (this.#closed) return
    this.#toClient.close(lastWords)
    this.close(because)
  }

  /**
   * The same while the server is at work: the client is told at once and nothing more goes either way. The server is
   * asked to cancel, and has a moment to say how it ended, so that the record can say so too.
   */
  interrupt(because: ClosedBecause, lastWords: Buffer): void {
    if (this.#closed || this.#interrupted) return
    if (this.#exchange.pending.length === 0) return this.end(because, lastWords)
    this.#interrupted = because
    this.#clientSide.close()
    this.#admission.end(WITHDRAWN[because])
    this.#toServer.close()
    this.#toClient.close(lastWords)
    this.#toClient.withhold()
    this.#options.client.end()
    this.#options.upstream.cancel()
    this.#patience = setTimeout(() => this.close(because), CANCEL_MS)
  }

  /**
   * A policy ends the session. What the client sent before is answered first, as far as that takes no longer than a
   * moment; then it hears why. Its transaction ends with it.
   */
  async #endFor(refusal: StatementRefusedError): Promise<void> {
    if (this.#clientSide.within) this.#toServer.send(FLUSH, undefined)
    this.#toServer.flush()
    const answered = this.#answered().then(() => this.#options.recorder.flushed())
    await Promise.race([answered, sleep(CANCEL_MS, undefined, { ref: false })])
    this.interrupt('policy', say.fatalOf(refusal))
  }

  close(because: ClosedBecause, error?: unknown): void {
    if (this.#closed) return
    this.#closed = true
    clearTimeout(this.#patience)
    const { client, upstream, recorder, identity, closed } = this.#options
    this.#clientSide.close()
    // What the server is believed to have been sent it must have been sent: whole, up to where the client broke off.
    this.#toServer.flush()
    this.#toServer.close()
    this.#toClient.close()
    this.#admission.end(WITHDRAWN[because])
    this.#exchange.abandon()
    const { sessionId, now } = identity
    const statements = this.#exchange.statements
    recorder.add({ type: 'session.closed', data: { sessionId, because, statements, at: now() } } as AccessEvent)
    for (const resolve of [...this.#whenAnswered.splice(0), ...this.#cancelling.splice(0)]) resolve()
    // In the middle of COPY data it would be taken for a part of it.
    if (!this.#clientFrames.inside) upstream.stream.write(TERMINATE)
    upstream.stream.end()
    client.end()
    closed(because, error)
  }

  #listen(client: ByteStream, server: ByteStream): void {
    client.listener = {
      received: (bytes, length) => this.#guard(() => this.#fromClient(bytes, length)),
      drained: () => this.#toClient.drained(),
      closed: () => this.#clientGone(),
    }
    server.listener = {
      received: (bytes, length) => this.#guard(() => this.#fromServer(bytes, length)),
      drained: () => this.#toServer.drained(),
      closed: () => this.#serverGone(),
    }
  }

  /** A client that has said goodbye need not wait for the answers. */
  #clientGone(): void {
    if (this.#interrupted) return
    if (this.#terminated) this.#toClient.close()
    else this.close('client-gone')
  }

  #serverGone(): void {
    if (this.#interrupted) return this.close(this.#interrupted)
    if (this.#terminated) {
      this.close('client-terminated')
      return
    }
    // Its own last words may wait for a record, with the result in front of them; then they will not go out any more.
    if (this.#exchange.serverHasLeft && !this.#toClient.waiting) this.close('upstream-gone')
    else this.end('upstream-gone', say.serverGone())
  }

  #guard(work: () => void): void {
    if (this.#closed) return
    try {
      work()
    } catch (error) {
      this.#fail(error)
    }
  }

  /** A peer that breaks the protocol, or a mistake of ours: nothing more is let through. */
  #fail(error: unknown): void {
    if (this.#closed) return
    if (this.#interrupted) return this.close(this.#interrupted)
    const tooLong = error instanceof ProtocolError && error.code === 'PGWIRE_TOO_LONG'
    const because = tooLong ? 'limit-exceeded' : 'protocol-error'
    const code = tooLong ? '54000' : error instanceof ProtocolError ? '08P01' : 'XX000'
    const text = error instanceof ProtocolError ? error.message : 'internal error; the operator finds it in the log'
    this.#toClient.close(say.fatal(code, `session ended: ${text}`))
    this.close(because, error)
  }

  #fromServer(bytes: Buffer, length: number): void {
    this.#exchange.heard()
    this.#serverFrames.read(bytes, 0, length)
    this.#toClient.flush()
    this.#brakePipeline()
  }

  /** Who never waits for answers is kept from having millions of questions remembered. Data of COPY are none. */
  #brakePipeline(): void {
    const { pending, copying } = this.#exchange
    this.#clientBrake.set('unanswered', pending.length > UNANSWERED_MAX && !copying)
  }

  #fromClient(bytes: Buffer, length: number): void {
    if (this.#interrupted) return
    if (this.#clientSide.blocked) {
      this.#keepUnread(Buffer.from(bytes.subarray(0, length)))
      return
    }
    const read = this.#clientFrames.read(bytes, 0, length)
    this.#toServer.flush()
    if (read < length && !this.#closed) this.#keepUnread(Buffer.from(bytes.subarray(read, length)))
    this.#brakePipeline()
  }

  #keepUnread(bytes: Buffer): void {
    this.#unread.push(bytes)
    this.#unreadBytes += bytes.length
    this.#clientBrake.set('blocked', this.#unreadBytes > UNREAD_BYTES_MAX)
  }

  /** Looks at what came while the client side was blocked. */
  #readOn(): void {
    this.#guard(() => {
      while (this.#unread.length > 0 && !this.#clientSide.blocked && !this.#closed) {
        const bytes = this.#unread.shift() ?? Buffer.alloc(0)
        this.#unreadBytes -= bytes.length
        const read = this.#clientFrames.read(bytes, 0, bytes.length)
        this.#toServer.flush()
        if (read < bytes.length) {
          this.#unread.unshift(bytes.subarray(read))
          this.#unreadBytes += bytes.length - read
        }
      }
      this.#clientBrake.set('blocked', this.#unreadBytes > UNREAD_BYTES_MAX)
    })
  }

  #checkAnswered(): void {
    const answered = this.#exchange.pending.length === 0 && !this.#toServer.waiting
    if (!answered) return
    for (const resolve of this.#whenAnswered.splice(0)) resolve()
    if (this.#interrupted) this.close(this.#interrupted)
    else if (this.#terminated) this.close('client-terminated')
  }

  /** Nothing waits for the record any more: it is on its way to the server, or lost. */
  #cleared(): void {
    const cancelling = this.#cancelling.splice(0)
    if (cancelling.length > 0) {
      void this.#options.upstream.cancel().then(() => {
        for (const resolve of cancelling) resolve()
      })
    }
    this.#checkAnswered()
  }

  /**
   * What the client has said before is still done, as PostgreSQL would do it. That may never be answered, because no
   * Sync came behind it: so the server is told as well, in its turn. While it takes data it would wait for more.
   */
  #terminate(): void {
    this.#terminated = true
    const { copying } = this.#exchange
    if (!copying) this.#toServer.send(TERMINATE, undefined)
    this.#toServer.flush()
    if (copying) this.close('client-terminated')
    else this.#checkAnswered()
  }

  #serverFailed(): void {
    const syncIsHere = this.#toServer.dropToSync((pending) => this.#exchange.passOver(pending))
    if (!syncIsHere) this.#clientSide.skipToSync()
  }

  /** The server takes data now; a client that has sent something else, which waits, will not send any. */
  #copyInBegins(): void {
    if (this.#terminated) this.close('client-terminated')
    if (this.#clientSide.waitsInVain)
      throw new ProtocolError('PGWIRE_UNEXPECTED', 'a statement in the middle of COPY data')
  }

  /**
   * Resolves when everything that was sent is answered and it is known what names mean; or with a refusal, when the
   * server does not say so. In a failed transaction it answers nothing, and only its end is let through anyway.
   */
  async #settled(within: boolean): Promise<StatementRefusedError | undefined> {
    if (this.#clientSide.within) this.#toServer.send(FLUSH, undefined)
    this.#toServer.flush()
    await this.#answered()
    const { meaning, status, statements } = this.#exchange
    if (this.#closed || !meaning.unknown || status === 'failed' || this.#clientSide.skipping) return undefined
    meaning.asks()
    const { rows, failure, message } = await this.#ask(within)
    if (this.#closed) return undefined
    if (failure !== undefined) return say.notTold(failure, message)
    const told = toldIn(rows)
    if (told.misread !== undefined) throw new ProtocolError('PGWIRE_UNEXPECTED', told.misread)
    const lost = within
      ? meaning.told(told, false, this.#exchange.syncs)
      : meaning.told(told, this.#exchange.status === 'idle')
    for (const portal of lost) this.#exchange.dropPortal(portal)
    if (statements === 0) this.#options.firstTold.set(told)
    return undefined
  }

  /** Code that may put others in their places: afterwards it must be possible to tell them apart. */
  async #seeHandles(judged: readonly PostgresJudgement[]): Promise<StatementRefusedError | undefined> {
    const { meaning } = this.#exchange
    if (!judged.some(({ effects }) => effects.changesHandles) || !meaning.mustSeeHandles) return undefined
    meaning.seesHandles()
    return this.#settled(this.#clientSide.asksWithin)
  }

  async #command(sql: string): Promise<void> {
    const { failure, message } = await this.#asked(query(sql), false)
    if (failure === undefined) return
    throw new StatementRefusedError(failure, message ?? NOT_BEGUN)
  }

  async #answer(sql: string, within: boolean): Promise<Answer> {
    const { failure, message, rows } = await this.#asked(questionFor(sql, within), within)
    if (failure === undefined) return rows
    throw new StatementRefusedError(failure, message ?? NOT_TOLD)
  }

  async #answered(): Promise<void> {
    this.#toServer.flush()
    if (this.#exchange.pending.length === 0 && !this.#toServer.waiting) return
    await new Promise<void>((resolve) => this.#whenAnswered.push(resolve))
  }

  #ask(within: boolean): Promise<Question> {
    return this.#asked(this.#question(within), within)
  }

  #asked(bytes: Buffer, within: boolean): Promise<Question> {
    return new Promise<Question>((answered) => {
      const question: Question = { kind: 'question', within, closes: CLOSES, rows: [], failure: undefined, answered }
      this.#toServer.send(bytes, question)
      this.#toServer.flush()
      // At the end of the session nobody answers any more.
      this.#whenAnswered.push(() => answered({ ...question, failure: question.failure ?? '57P01' }))
    })
  }

  #question(within: boolean): Buffer {
    const { meaning, status } = this.#exchange
    const name = this.#applicationName.mark
    const mark = name === undefined ? undefined : { name, local: status === 'open' }
    return sessionQuestion({ within, handles: meaning.asksForHandles, mark })
  }

  /** Returns the value that the client is to be told; undefined when it need not be told. */
  #parameterChanged(name: string, value: string): string | undefined {
    if (name === 'application_name') return this.#nameChanged(value)
    if (name === 'search_path') this.#exchange.meaning.searchPathChanged()
    const why = misreadIn([[name, value]])
    if (why !== undefined) throw new ProtocolError('PGWIRE_UNEXPECTED', why)
    return value
  }

  /** The client has given itself another name: before its next statement the server is told a marked one. */
  #nameChanged(value: string): string | undefined {
    const told = this.#applicationName.said(value)
    if (this.#applicationName.mark !== undefined) this.#exchange.meaning.asksAgain()
    return told
  }

  /**
   * Results whose record cannot be written were held back and are gone. When that was the only thing that the client
   * waits for, it is told so and the session goes on; otherwise the order of the answers is lost, and it ends.
   */
  #lostResults(readies: number): void {
    if (this.#interrupted) return
    const exchange = this.#exchange
    exchange.refuseUnrecorded()
    const outstanding = readies + exchange.groupsSent - exchange.groupsEnded
    if (outstanding !== 1) {
      this.end('limit-exceeded', say.fatal('ZA010', 'session ended: the audit log cannot be written'))
      return
    }
    this.#toClient.withhold()
    if (readies > 0) this.#afterWithholding()
  }

  #afterWithholding(): void {
    if (this.#interrupted) return
    this.#toClient.letOut()
    const error = say.errorOf(say.logDown())
    if (this.#exchange.status !== 'open') {
      this.#toClient.sayReady(Buffer.concat([error, readyForQuery(this.#exchange.status)]))
      return
    }
    // What stood in the middle of COPY data would be read as a part of it, and the end of that data as messages.
    if (this.#clientFrames.inside) {
      this.end('limit-exceeded', say.fatal('ZA010', 'session ended: the audit log cannot be written'))
      return
    }
    this.#toServer.send(NO_SUCH_PORTAL, { kind: 'refused', error })
    this.#toServer.send(SYNC, { kind: 'sync' })
    this.#exchange.groupsSent += 1
    this.#toServer.flush()
  }
}

const NOT_TOLD = 'the server has not told what the statement has changed'

const NOT_BEGUN = 'the server has not begun the transaction in which this was to run'

/** How long a server may take to say what became of a statement that was cancelled because its session ends. */
const CANCEL_MS = 500

const TERMINATE = Buffer.from([0x58, 0, 0, 0, 4])

const WITHDRAWN: Readonly<Record<ClosedBecause, WithdrawnBecause>> = {
  'client-terminated': 'client-gone',
  'client-gone': 'client-gone',
  'upstream-gone': 'client-gone',
  'protocol-error': 'client-gone',
  'limit-exceeded': 'client-gone',
  revoked: 'revoked',
  policy: 'client-gone',
  restricted: 'revoked',
  'node-stopping': 'node-stopping',
  'node-died': 'node-died',
}
