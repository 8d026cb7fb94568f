import type { Recorder, Waiter } from '../record/recorder.ts'
import { Brake } from '../stream/brake.ts'
import type { ByteStream } from '../stream/byte-stream.ts'
import { Outbox, relay } from '../stream/outbox.ts'

/** Result bytes that wait for the record: more than this, and the server is not read until they are out. */
const WAITING_BYTES_MAX = 256 * 1024
/** Bytes that a slow client has not taken: more than this, and the server is not read until they are out. */
const BACKLOG_BYTES_MAX = 256 * 1024

/**
 * The way to the client, and the gate on it.
 *
 * INVARIANT output-commit: no byte of a statement's result leaves before the record of its intent is durable
 * (DESIGN.md, section 3.4). What comes sooner waits here, in order.
 */
export class ToClient implements Waiter {
  readonly #client: ByteStream
  readonly #server: ByteStream
  readonly #recorder: Recorder
  readonly #lost: (readies: number) => void
  readonly failed: (error: unknown) => void
  readonly #brake: Brake
  readonly #outbox = new Outbox()
  readonly #waiting: { readonly record: number; readonly bytes: Buffer; readonly readies: number }[] = []
  #waitingBytes = 0
  /** Ends of answers among what was added since the last flush. */
  #readies = 0
  #gate = 0
  /** Our own messages that came while a message of the server's was half way through. */
  readonly #between: Buffer[] = []
  #inside = false
  /** What the server says is thrown away. */
  #withheld = false
  #closed = false

  /**
   * `lost`: the record cannot be written, and what waits for it must not go out. Among it were so many ends of
   * answers, for which the client still waits.
   */
  constructor(
    client: ByteStream,
    server: ByteStream,
    recorder: Recorder,
    lost: (readies: number) => void,
    failed: (error: unknown) => void,
  ) {
    this.#client = client
    this.#server = server
    this.#recorder = recorder
    this.#lost = lost
    this.failed = failed
    this.#brake = new Brake(server)
  }

  /** What is added from here on may leave when this record is durable. */
  gate(record: number): void {
    if (record > this.#gate && !this.#withheld) this.#gate = record
  }

  add(bytes: Buffer, start: number, end: number): void {
    if (!this.#withheld) this.#outbox.add(bytes, start, end)
  }

  addWhole(bytes: Buffer): void {
    this.add(bytes, 0, bytes.length)
  }

  /** The end of an answer (ReadyForQuery): the client may take its turn when this has gone out. */
  addReady(bytes: Buffer, start: number, end: number): void {
    this.add(bytes, start, end)
    this.#readies += 1
  }

  /** True while what the server says may not go out, up to the end of its group. */
  get withholds(): boolean {
    return this.#withheld
  }

  withhold(): void {
    this.#withheld = true
    this.#inside = false
  }

  letOut(): void {
    this.#withheld = false
  }

  /** A message of the server's is being streamed: nothing may come in between until its end. */
  set inside(inside: boolean) {
    if (this.#withheld) return
    this.#inside = inside
    if (inside || this.#between.length === 0) return
    for (const bytes of this.#between.splice(0)) this.addWhole(bytes)
  }

  /** Sends a message of our own at the next place where one may stand. */
  say(bytes: Buffer): void {
    if (this.#inside) {
      this.#between.push(bytes)
      return
    }
    this.#outbox.add(bytes, 0, bytes.length)
    this.flush()
  }

  /** An answer of our own, with its end, to a client to which the server owes nothing. */
  sayReady(bytes: Buffer): void {
    this.#readies += 1
    this.say(bytes)
  }

  /** The client hears this, where a message may stand, and nothing more. */
  close(lastWords?: Buffer): void {
    if (this.#closed) return
    this.#closed = true
    if (lastWords && !this.#inside) this.#client.write(lastWords)
    this.#waiting.length = 0
    this.#waitingBytes = 0
    this.#slowDown()
  }

  flush(): void {
    if (this.#outbox.empty || this.#closed) return
    const bytes = this.#outbox.take()
    const readies = this.#readies
    this.#readies = 0
    if (this.#waiting.length === 0 && this.#gate <= this.#recorder.durable) {
      relay(bytes, this.#server, this.#client)
      this.#slowDown()
      return
    }
    this.#waiting.push({ record: this.#gate, bytes: Buffer.from(bytes), readies })
    this.#waitingBytes += bytes.length
    this.#slowDown()
    if (this.#waiting.length === 1) this.#ask()
  }

  recorded(): void {
    while (this.#waiting[0] && this.#waiting[0].record <= this.#recorder.durable) {
      const { bytes } = this.#waiting[0]
      this.#waiting.shift()
      this.#waitingBytes -= bytes.length
      this.#client.write(bytes)
    }
    this.#ask()
    this.#slowDown()
  }

  unrecorded(): void {
    const readies = this.#waiting.reduce((sum, each) => sum + each.readies, 0)
    this.#waiting.length = 0
    this.#waitingBytes = 0
    this.#gate = 0
    this.#inside = false
    this.#between.length = 0
    this.#lost(readies)
    this.#slowDown()
  }

  /** The client has taken everything that it was sent. */
  drained(): void {
    this.#slowDown()
  }

  get waiting(): boolean {
    return this.#waiting.length > 0
  }

  /** Waits for the first record that something waits for; the later ones follow from `recorded`. */
  #ask(): void {
    const [first] = this.#waiting
    if (first) this.#recorder.whenRecorded(first.record, this)
  }

  /** Back-pressure: the server is read only as fast as the record and the client take what it says. */
  #slowDown(): void {
    const slow = this.#client.backlog > BACKLOG_BYTES_MAX || this.#waitingBytes > WAITING_BYTES_MAX
    this.#brake.set('client', slow && !this.#closed)
  }
}
