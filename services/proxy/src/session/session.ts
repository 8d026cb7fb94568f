import type { AccessEvent } from '@countersign/contracts'
import { Frames, message, ProtocolError, readyForQuery, SYNC } from '@countersign/pgwire'
import type { NodeConfig } from '@countersign/platform'
import { temporaryQuery } from '@countersign/sql'
import type { Recorder } from '../record/recorder.ts'
import type { Execution } from '../statement/execution.ts'
import type { Holds, WithdrawnBecause } from '../statement/holds.ts'
import type { Judge } from '../statement/judge.ts'
import type { SessionEffects } from '../statement/judgement.ts'
import * as say from '../statement/refusal.ts'
import type { SessionView } from '../understanding/parser-jobs.ts'
import { Brake } from '../stream/brake.ts'
import type { ByteStream } from '../stream/byte-stream.ts'
import type { Upstream } from '../upstream/connect.ts'
import { Admission } from './admission.ts'
import { ClientSide, NO_SUCH_PORTAL } from './client-side.ts'
import { Exchange } from './exchange.ts'
import type { Identity } from './identity.ts'
import { ServerSide, type Redactor } from './server-side.ts'
import { ToClient } from './to-client.ts'
import { ToServer } from './to-server.ts'

export type ClosedBecause = Extract<AccessEvent, { type: 'session.closed' }>['data']['because']

export interface SessionOptions {
  readonly identity: Identity
  readonly client: ByteStream
  readonly upstream: Upstream
  readonly recorder: Recorder
  readonly judge: Judge
  readonly holds: Holds
  readonly redactor: Redactor
  readonly limits: NodeConfig['limits']
  /** What names mean in a session that has just begun like this one, where that is known already. */
  readonly firstNames: { get(): SessionView | undefined; set(names: SessionView): void }
  /** A statement has changed what is in the database's catalogue. */
  readonly catalogueChanged: () => void
  readonly closed: (because: ClosedBecause, error: unknown) => void
}

/** What a client has sent while it waits for an answer: more than this, and it is not read any further. */
const UNREAD_BYTES_MAX = 256 * 1024

/** One client's connection through the node, from login to end: two streams and what stands between them. */
export class Session {
  readonly #options: SessionOptions
  readonly #exchange: Exchange
  readonly #admission: Admission
  readonly #clientSide: ClientSide
  readonly #toServer: ToServer
  readonly #toClient: ToClient
  readonly #clientFrames: Frames
  readonly #serverFrames: Frames
  readonly #clientBrake: Brake
  /** Names were given a new meaning in the transaction that is open: its end may take that back. */
  #namesInDoubt = false
  #unread: Buffer[] = []
  #unreadBytes = 0
  #whenIdle: (() => void)[] = []
  #closed = false

  constructor(options: SessionOptions) {
    this.#options = options
    const { identity, client, upstream, recorder, judge, holds, limits, redactor } = options
    this.#exchange = new Exchange(identity, recorder)
    this.#clientBrake = new Brake(client)
    this.#toClient = new ToClient(client, upstream.stream, recorder, (readies) => this.#lostResults(readies))
    this.#toServer = new ToServer(client, upstream.stream, this.#clientBrake, this.#exchange, recorder, (pending) =>
      this.#clientSide.lost(pending),
    )
    this.#admission = new Admission({
      identity,
      exchange: this.#exchange,
      judge,
      recorder,
      holds,
      notice: (bytes) => this.#toClient.say(bytes),
      askNames: () => this.#askNames(),
    })
    this.#clientSide = new ClientSide({
      exchange: this.#exchange,
      toServer: this.#toServer,
      toClient: this.#toClient,
      judge,
      recorder,
      admission: this.#admission,
      limits,
      clock: identity.clock,
      unblocked: () => this.#readOn(),
      failed: (error) => this.#fail(error),
      terminated: () => this.close('client-terminated'),
    })
    const serverSide = new ServerSide({
      exchange: this.#exchange,
      toClient: this.#toClient,
      redactor,
      rowBytesMax: limits.rowBytesMax,
      events: {
        idle: () => this.#idle(),
        completed: (executions) => this.#completed(executions),
        skipToSync: () => this.#clientSide.skipToSync(),
        parameterChanged: (name, value) => this.#parameterChanged(name, value),
      },
    })
    this.#clientFrames = new Frames(this.#clientSide)
    this.#serverFrames = new Frames(serverSide)
    const firstNames = options.firstNames.get()
    if (firstNames) this.#exchange.learnNames(firstNames)
    this.#listen(client, upstream.stream)
  }

  get identity(): Identity {
    return this.#options.identity
  }

  /** The client asks, on another connection, to cancel what it is waiting for. */
  cancel(): void {
    if (this.#admission.busy) this.#admission.abort('cancelled')
    else if (this.#exchange.pending.length > 0) this.#options.upstream.cancel()
  }

  /** Ends the session and tells the client why, when there is something to tell. */
  end(because: ClosedBecause, lastWords: Buffer): void {
    if (this.#closed) return
    this.#toClient.say(lastWords)
    this.close(because)
  }

  close(because: ClosedBecause, error?: unknown): void {
    if (this.#closed) return
    this.#closed = true
    const { client, upstream, recorder, identity, closed } = this.#options
    this.#admission.abort(WITHDRAWN[because])
    this.#exchange.abandon(({ forwarded, judgement }) => {
      if (forwarded === 0) return 'withdrawn'
      return judgement.readOnly ? 'cancelled' : 'outcome_unknown'
    })
    const { sessionId, now } = identity
    const statements = this.#exchange.statements
    recorder.add({ type: 'session.closed', data: { sessionId, because, statements, at: now() } } as AccessEvent)
    for (const resolve of this.#whenIdle.splice(0)) resolve()
    upstream.stream.write(TERMINATE)
    upstream.stream.end()
    client.end()
    closed(because, error)
  }

  #listen(client: ByteStream, server: ByteStream): void {
    client.listener = {
      received: (bytes, length) => this.#guard(() => this.#fromClient(bytes, length)),
      drained: () => this.#toClient.drained(),
      closed: () => this.close('client-gone'),
    }
    server.listener = {
      received: (bytes, length) => this.#guard(() => this.#fromServer(bytes, length)),
      drained: () => this.#toServer.drained(),
      closed: () => this.close('upstream-gone'),
    }
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
    const tooLong = error instanceof ProtocolError && error.code === 'PGWIRE_TOO_LONG'
    const because = tooLong ? 'limit-exceeded' : 'protocol-error'
    const code = tooLong ? '54000' : error instanceof ProtocolError ? '08P01' : 'XX000'
    const text = error instanceof ProtocolError ? error.message : 'internal error; the operator finds it in the log'
    if (!this.#serverFrames.inside) this.#options.client.write(say.fatal(code, `session ended: ${text}`))
    this.close(because, error)
  }

  #fromServer(bytes: Buffer, length: number): void {
    this.#serverFrames.read(bytes, 0, length)
    this.#toClient.flush()
  }

  #fromClient(bytes: Buffer, length: number): void {
    if (this.#clientSide.blocked) {
      this.#keepUnread(Buffer.from(bytes.subarray(0, length)))
      return
    }
    const read = this.#clientFrames.read(bytes, 0, length)
    this.#toServer.flush()
    if (read < length && !this.#closed) this.#keepUnread(Buffer.from(bytes.subarray(read, length)))
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

  #idle(): void {
    for (const resolve of this.#whenIdle.splice(0)) resolve()
  }

  /**
   * Asks the server what names mean now. Not inside a group of the extended protocol, where the answer would come
   * only with its Sync, nor in a failed transaction, where nothing is answered: then what was known last must do.
   */
  async #askNames(): Promise<void> {
    const { pending } = this.#exchange
    const last = pending.at(-1)
    if (last && last.kind !== 'sync' && last.kind !== 'query') return
    if (this.#toServer.waiting) return
    if (last) await new Promise<void>((resolve) => this.#whenIdle.push(resolve))
    if (this.#closed || this.#exchange.status === 'failed') return
    const rows = await new Promise<readonly (readonly (string | null)[])[]>((answered) => {
      this.#toServer.send(NAMES_QUESTION, { kind: 'question', answered, rows: [] })
      this.#toServer.flush()
      this.#whenIdle.push(() => answered([]))
    })
    if (rows.length === 0) return
    const names = { ...namesIn(rows), changedSchema: this.#exchange.names.changedSchema }
    this.#exchange.learnNames(names)
    if (this.#exchange.statements === 0) this.#options.firstNames.set(names)
  }

  #completed(executions: readonly Execution[]): void {
    let catalogueChanged = false
    for (const { judgement } of executions) {
      const { effects } = judgement
      if (!effects.any) continue
      this.#follow(effects)
      catalogueChanged ||= effects.changesCatalogue
    }
    if (catalogueChanged) this.#catalogueChanged()
  }

  /** Inside a transaction nobody else sees the new schema: until its end, names are taken at their word. */
  #catalogueChanged(): void {
    if (this.#exchange.status === 'idle') this.#options.catalogueChanged()
    else this.#exchange.learnNames({ ...this.#exchange.names, changedSchema: true })
  }

  /** A statement has changed the session itself. */
  #follow({ prepares, deallocates, declares, says, changesNames, endsTransaction }: SessionEffects): void {
    const { prepared, cursors } = this.#exchange
    if (prepares) {
      const { name, text } = prepares
      prepared.set(name, { text, textBytes: Buffer.from(text), parameterTypes: [], columns: undefined })
    }
    if (deallocates === 'ALL') prepared.clear()
    else if (deallocates !== undefined) prepared.delete(deallocates)
    if (declares) cursors.set(declares.name, declares.text)
    if (says) this.#exchange[says.name] = says.value
    if (changesNames) {
      this.#exchange.namesChanged = true
      this.#namesInDoubt = true
    }
    if (endsTransaction) this.#transactionEnded()
  }

  #transactionEnded(): void {
    const { names } = this.#exchange
    if (this.#namesInDoubt || names.temporary.length > 0) this.#exchange.namesChanged = true
    if (this.#exchange.status === 'idle') this.#namesInDoubt = false
    if (!names.changedSchema) return
    this.#exchange.learnNames({ ...names, changedSchema: false })
    this.#exchange.namesChanged = true
    this.#options.catalogueChanged()
  }

  #parameterChanged(name: string, value: string): void {
    if (name === 'search_path') this.#exchange.namesChanged = true
    const misread =
      (name === 'standard_conforming_strings' && value !== 'on') || (name === 'client_encoding' && value !== 'UTF8')
    if (misread) {
      throw new ProtocolError('PGWIRE_UNEXPECTED', `${name} is ${value}: statements would be read in another way`)
    }
  }

  /**
   * Results whose record cannot be written were held back and are gone. When that was the only thing that the client
   * waits for, it is told so and the session goes on; otherwise the order of the answers is lost, and it ends.
   */
  #lostResults(readies: number): void {
    const exchange = this.#exchange
    exchange.refuseUnrecorded()
    const outstanding = readies + exchange.groupsSent - exchange.groupsEnded
    if (outstanding !== 1) {
      this.end('limit-exceeded', say.fatal('ZA010', 'session ended: the audit log cannot be written'))
      return
    }
    const error = say.errorOf(say.logDown())
    if (readies === 0) exchange.discarding = () => this.#afterDiscarding(error)
    else this.#afterDiscarding(error)
  }

  #afterDiscarding(error: Buffer): void {
    if (this.#exchange.status !== 'open') {
      this.#toClient.say(Buffer.concat([error, readyForQuery(this.#exchange.status)]))
      return
    }
    this.#toServer.send(NO_SUCH_PORTAL, { kind: 'refused', error })
    this.#toServer.send(SYNC, { kind: 'sync' })
    this.#exchange.groupsSent += 1
    this.#toServer.flush()
  }
}

const QUERY_TAG = 0x51

/** Two lists of two columns; what belongs to the first has a space in front, which no name needs. */
const NAMES_QUESTION = message(
  QUERY_TAG,
  Buffer.from(`SELECT ' path', s FROM pg_catalog.unnest(pg_catalog.current_schemas(true)) s; ${temporaryQuery}\0`),
)

const namesIn = (rows: readonly (readonly (string | null)[])[]): Omit<SessionView, 'changedSchema'> => {
  const searchPath: string[] = []
  const temporary: [string, 'table' | 'other'][] = []
  for (const [name, value] of rows) {
    if (name === ' path' && value) searchPath.push(value)
    else if (name) temporary.push([name, value === 'table' ? 'table' : 'other'])
  }
  return { searchPath: searchPath.filter((schema) => !schema.startsWith('pg_temp')), temporary }
}

const TERMINATE = Buffer.from([0x58, 0, 0, 0, 4])

const WITHDRAWN: Readonly<Record<ClosedBecause, WithdrawnBecause>> = {
  'client-terminated': 'client-gone',
  'client-gone': 'client-gone',
  'upstream-gone': 'client-gone',
  'protocol-error': 'client-gone',
  'limit-exceeded': 'client-gone',
  revoked: 'revoked',
  'node-stopping': 'node-stopping',
  'node-died': 'node-died',
}
