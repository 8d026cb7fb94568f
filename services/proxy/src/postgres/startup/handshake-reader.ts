import type { Duplex } from 'node:stream'
import { ProtocolError } from '@countersign/pgwire'
import { PeerGoneError } from '../../startup/startup-refused.ts'

/** Reads the few messages of a start-up, one after the other, from any duplex. Keeps no more than it was asked for. */
export class HandshakeReader {
  readonly #duplex: Duplex
  readonly #bytesMax: number
  #bytes = Buffer.alloc(0)
  #wake: (() => void) | undefined
  #gone = false
  readonly #onData = (chunk: Buffer) => {
    this.#bytes = Buffer.concat([this.#bytes, chunk])
    if (this.#bytes.length > this.#bytesMax) this.#duplex.pause()
    this.#wake?.()
  }
  readonly #onEnd = () => {
    this.#gone = true
    this.#wake?.()
  }

  constructor(duplex: Duplex, bytesMax: number) {
    this.#duplex = duplex
    this.#bytesMax = bytesMax
    duplex.on('data', this.#onData)
    for (const event of ['end', 'close', 'error']) duplex.on(event, this.#onEnd)
  }

  /** Waits until `read` finds a message at the start of what has come; it returns undefined to wait for more. */
  async next<T extends { readonly length: number }>(read: (bytes: Buffer) => T | undefined): Promise<T> {
    for (;;) {
      const found = read(this.#bytes)
      if (found) {
        this.#bytes = this.#bytes.subarray(found.length)
        return found
      }
      if (this.#bytes.length > this.#bytesMax) throw new ProtocolError('PGWIRE_TOO_LONG', 'too much before the login')
      if (this.#gone) throw new PeerGoneError()
      await new Promise<void>((resolve) => (this.#wake = resolve))
    }
  }

  /** Bytes that have come behind the last message read. */
  get unread(): number {
    return this.#bytes.length
  }

  /** Lets go of the duplex, and puts back what was not read. */
  release(): void {
    this.#duplex.pause()
    this.#duplex.off('data', this.#onData)
    for (const event of ['end', 'close', 'error']) this.#duplex.off(event, this.#onEnd)
    if (this.#bytes.length > 0) this.#duplex.unshift(this.#bytes)
  }
}
