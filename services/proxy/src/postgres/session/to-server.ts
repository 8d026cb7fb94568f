import type { Recorder, Waiter } from '../../record/recorder.ts'
import type { Brake } from '../../stream/brake.ts'
import type { ByteStream } from '../../stream/byte-stream.ts'
import { Outbox, relay } from '../../stream/outbox.ts'
import type { Exchange } from './exchange.ts'
import type { Pending } from './pending.ts'

const BACKLOG_BYTES_MAX = 256 * 1024

interface Waiting {
  readonly record: number
  readonly bytes: Buffer
  readonly pending: Pending | undefined
}

/**
 * The way to the server, and the gate on it.
 *
 * CONTROL record-before-effect: a statement that is not proven read-only is forwarded only after the record of its
 * intent is durable (DESIGN.md, section 3.4). What comes behind it waits too, so the order stays; many that wait
 * together share one record, so a batch costs one write to the log.
 */
export class ToServer implements Waiter {
  readonly #client: ByteStream
  readonly #server: ByteStream
  readonly #brake: Brake
  readonly #exchange: Exchange
  readonly #recorder: Recorder
  readonly #lost: (pending: readonly (Pending | undefined)[]) => void
  readonly #cleared: () => void
  readonly failed: (error: unknown) => void
  readonly #outbox = new Outbox()
  #waiting: Waiting[] = []
  #waitingBytes = 0
  #gate = 0
  #closed = false

  /**
   * `lost`: the record cannot be written; these were to be asked of the server and will not be.
   * `cleared`: nothing waits here any more.
   */
  constructor(
    client: ByteStream,
    server: ByteStream,
    brake: Brake,
    exchange: Exchange,
    recorder: Recorder,
    lost: (pending: readonly (Pending | undefined)[]) => void,
    cleared: () => void,
    failed: (error: unknown) => void,
  ) {
    this.#client = client
    this.#server = server
    this.#brake = brake
    this.#exchange = exchange
    this.#recorder = recorder
    this.#lost = lost
    this.#cleared = cleared
    this.failed = failed
  }

  /** Nothing that is added from here on is forwarded before this record is durable. */
  gate(record: number): void {
    if (record > this.#gate) this.#gate = record
  }

  get waiting(): boolean {
    return this.#waiting.length > 0
  }

  /** Forwards bytes[start, end), to which the server owes the answer `pending`. */
  add(bytes: Buffer, start: number, end: number, pending: Pending | undefined): void {
    if (this.#closed) return
    if (this.#waiting.length === 0 && this.#gate <= this.#recorder.durable) {
      this.#outbox.add(bytes, start, end)
      if (pending) this.#exchange.owe(pending)
      return
    }
    this.#waiting.push({ record: this.#gate, bytes: Buffer.from(bytes.subarray(start, end)), pending })
    this.#waitingBytes += end - start
    this.#slowDown()
    if (this.#waiting.length === 1) this.#ask()
  }

  /** Forwards a message of our own. */
  send(bytes: Buffer, pending: Pending | undefined): void {
    this.add(bytes, 0, bytes.length, pending)
  }

  /** Sends what was added during this read. Call it before the bytes that were added may change. */
  flush(): void {
    if (this.#outbox.empty || this.#closed) return
    relay(this.#outbox.take(), this.#client, this.#server)
    this.#slowDown()
  }

  recorded(): void {
    while (this.#waiting[0] && this.#waiting[0].record <= this.#recorder.durable) {
      const { bytes, pending } = this.#waiting[0]
      this.#waiting.shift()
      this.#waitingBytes -= bytes.length
      this.#outbox.add(bytes, 0, bytes.length)
      if (pending) this.#exchange.owe(pending)
    }
    this.flush()
    this.#ask()
    this.#slowDown()
    if (this.#waiting.length === 0) this.#cleared()
  }

  unrecorded(): void {
    const lost = this.#waiting.map(({ pending }) => pending)
    this.#waiting = []
    this.#waitingBytes = 0
    this.#gate = 0
    this.#lost(lost)
    this.flush()
    this.#slowDown()
    this.#cleared()
  }

  /**
   * The server has failed, and would pass over what waits here up to its Sync: that need not be sent at all. Returns
   * whether that Sync is here.
   */
  dropToSync(dropped: (pending: Pending) => void): boolean {
    const sync = this.#waiting.findIndex(({ pending }) => pending?.kind === 'sync')
    const gone = this.#waiting.splice(0, sync < 0 ? this.#waiting.length : sync)
    for (const { bytes, pending } of gone.toReversed()) {
      this.#waitingBytes -= bytes.length
      if (pending) dropped(pending)
    }
    this.#slowDown()
    return sync >= 0
  }

  /** Nothing is forwarded from now on, whatever still waits or is added. */
  close(): void {
    this.#closed = true
    this.#waiting = []
    this.#waitingBytes = 0
  }

  drained(): void {
    this.#slowDown()
  }

  /** Waits for the first record that something waits for; the later ones follow from `recorded`. */
  #ask(): void {
    const [first] = this.#waiting
    if (first) this.#recorder.whenRecorded(first.record, this)
  }

  #slowDown(): void {
    this.#brake.set('server', this.#server.backlog > BACKLOG_BYTES_MAX || this.#waitingBytes > BACKLOG_BYTES_MAX)
  }
}
