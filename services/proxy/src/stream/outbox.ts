import type { ByteStream } from './byte-stream.ts'

/**
 * Gathers what goes out in one direction while one read is looked at, and sends it in one write.
 *
 * Neighbouring pieces of one buffer stay one piece, so that what passes unchanged is never copied.
 */
export class Outbox {
  #bytes: Buffer | undefined
  #start = 0
  #end = 0
  #before: Buffer[] = []

  /** Adds bytes[start, end). They must stay as they are until `take`. */
  add(bytes: Buffer, start: number, end: number): void {
    if (bytes === this.#bytes && start === this.#end) {
      this.#end = end
      return
    }
    this.#turn()
    this.#bytes = bytes
    this.#start = start
    this.#end = end
  }

  get empty(): boolean {
    return this.#bytes === undefined
  }

  /** Everything gathered, as one buffer; it shares memory with what was added when it can. */
  take(): Buffer {
    this.#turn()
    const pieces = this.#before
    this.#before = []
    const [only] = pieces
    return pieces.length === 1 && only ? only : Buffer.concat(pieces)
  }

  #turn(): void {
    if (this.#bytes) this.#before.push(this.#bytes.subarray(this.#start, this.#end))
    this.#bytes = undefined
  }
}

/** Writes, and keeps what was read from being overwritten while the write still refers to it. */
export const relay = (bytes: Buffer, from: ByteStream, to: ByteStream): void => {
  to.write(bytes)
  if (to.backlog > 0) from.keep()
}
