import { DEAF, type ByteListener, type ByteStream } from '../stream/byte-stream.ts'

const READ_BYTES = 64 * 1024
/** Stands where bytes were that their reader may not look at any more. */
const SPOILT = 0xee

/**
 * A connection in memory, as strict as a real one: what was received is spoilt as soon as the reader has returned
 * (unless it has called `keep`), and what was written is looked at only when the peer takes it.
 */
export class FakeStream implements ByteStream {
  listener: ByteListener = DEAF
  paused = false
  ended = false
  destroyed = false
  /** Written after the end: a real connection would fail. */
  readonly late: Buffer[] = []
  /** Told of everything that the peer has got. */
  taken: (bytes: Buffer) => void = () => {}
  #slow = false
  #held: Buffer[] = []
  #arrived: Buffer[] = []
  #buffer = Buffer.alloc(READ_BYTES)
  #kept = false
  #reading = false
  #closed = false

  /** Bytes come in, in these pieces. */
  receive(...pieces: readonly Buffer[]): void {
    for (const piece of pieces) {
      for (let at = 0; at < piece.length; at += READ_BYTES) {
        this.#arrived.push(Buffer.from(piece.subarray(at, at + READ_BYTES)))
      }
    }
    this.#read()
  }

  /** The peer closes, or is gone. */
  hangUp(): void {
    if (this.#closed) return
    this.#closed = true
    this.listener.closed()
  }

  /** Bytes that have come and that nobody has read, because reading rests. */
  get unread(): number {
    return this.#arrived.reduce((sum, { length }) => sum + length, 0)
  }

  /** The peer takes nothing from now on; or, with false, all that has gathered and everything to come. */
  set slow(slow: boolean) {
    this.#slow = slow
    if (!slow) this.take()
  }

  /** The peer takes what has been written until now. */
  take(): void {
    const held = this.#held
    if (held.length === 0) return
    this.#held = []
    for (const bytes of held) this.taken(Buffer.from(bytes))
    this.listener.drained()
  }

  get backlog(): number {
    return this.#held.reduce((sum, { length }) => sum + length, 0)
  }

  write(bytes: Buffer): void {
    if (this.ended || this.destroyed) this.late.push(Buffer.from(bytes))
    else if (this.#slow) this.#held.push(bytes)
    else this.taken(Buffer.from(bytes))
  }

  keep(): void {
    this.#kept = true
  }

  pause(): void {
    this.paused = true
  }

  resume(): void {
    this.paused = false
    setImmediate(() => this.#read())
  }

  end(): void {
    this.ended = true
  }

  destroy(): void {
    this.destroyed = true
    this.hangUp()
  }

  #read(): void {
    if (this.#reading) return
    this.#reading = true
    while (!this.paused && !this.#closed) {
      const piece = this.#arrived.shift()
      if (!piece) break
      this.#hand(piece)
    }
    this.#reading = false
  }

  #hand(piece: Buffer): void {
    this.#kept = false
    const buffer = this.#buffer
    piece.copy(buffer)
    this.listener.received(buffer, piece.length)
    if (this.#kept || this.backlog > 0) this.#buffer = Buffer.alloc(READ_BYTES)
    if (!this.#kept) buffer.fill(SPOILT, 0, piece.length)
  }
}
