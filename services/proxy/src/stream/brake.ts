import type { ByteStream } from './byte-stream.ts'

/** Reading from a stream rests while there is any reason for it. */
export class Brake {
  readonly #stream: ByteStream
  readonly #reasons = new Set<string>()

  constructor(stream: ByteStream) {
    this.#stream = stream
  }

  set(reason: string, on: boolean): void {
    if (on === this.#reasons.has(reason)) return
    if (on) this.#reasons.add(reason)
    else this.#reasons.delete(reason)
    if (this.#reasons.size === 0) this.#stream.resume()
    else if (on && this.#reasons.size === 1) this.#stream.pause()
  }
}
