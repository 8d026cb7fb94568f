import { isUtf8 } from 'node:buffer'
import { ProtocolError } from './errors.ts'

/** PostgreSQL's NAMEDATALEN, less the zero byte. */
export const NAME_BYTES_MAX = 63

export const HEADER_BYTES = 5 // Byte1 tag, Int32 length. The length counts itself but not the tag.

/** Reads the fields of one message body, and insists that nothing is missing or left over. */
export class Body {
  readonly #bytes: Buffer
  readonly #end: number
  #at: number

  /** `start` is the first byte of the body, behind the header; `end` the first byte behind the message. */
  constructor(bytes: Buffer, start: number, end: number) {
    this.#bytes = bytes
    this.#at = start
    this.#end = end
  }

  get at(): number {
    return this.#at
  }

  get left(): number {
    return this.#end - this.#at
  }

  byte(): number {
    return this.#bytes.readUInt8(this.#take(1))
  }

  uint16(): number {
    return this.#bytes.readUInt16BE(this.#take(2))
  }

  int16(): number {
    return this.#bytes.readInt16BE(this.#take(2))
  }

  int32(): number {
    return this.#bytes.readInt32BE(this.#take(4))
  }

  uint32(): number {
    return this.#bytes.readUInt32BE(this.#take(4))
  }

  /** The bytes of a string, without the zero byte that ends it. Shares memory with the message. */
  cbytes(): Buffer {
    const zero = this.#bytes.indexOf(0, this.#at)
    if (zero < 0 || zero >= this.#end) throw new ProtocolError('PGWIRE_SHORT_BODY', 'a string without its zero byte')
    const text = this.#bytes.subarray(this.#at, zero)
    this.#at = zero + 1
    return text
  }

  cstring(): string {
    return this.cbytes().toString('utf8')
  }

  /**
   * What a statement or a portal is called, as the server tells names apart: it looks at no more than their first 63
   * bytes, so two longer ones may be one. Bytes that are no text stay apart from all that is text by the zero byte in
   * front, which no name can hold.
   */
  name(): string {
    const bytes = this.cbytes().subarray(0, NAME_BYTES_MAX)
    return isUtf8(bytes) ? bytes.toString('utf8') : `\0${bytes.toString('latin1')}`
  }

  /** The next `size` bytes. Shares memory with the message. */
  take(size: number): Buffer {
    const at = this.#take(size)
    return this.#bytes.subarray(at, at + size)
  }

  /** A length and that many bytes, or null when the length is -1. */
  value(): Buffer | null {
    const length = this.int32()
    if (length === -1) return null
    if (length < 0) throw new ProtocolError('PGWIRE_BAD_LENGTH', `a value of ${length} bytes`)
    return this.take(length)
  }

  list<T>(read: () => T): T[] {
    const items: T[] = []
    for (let left = this.uint16(); left > 0; left--) items.push(read())
    return items
  }

  end(): void {
    if (this.left > 0) throw new ProtocolError('PGWIRE_TRAILING_BYTES', `${this.left} bytes behind the last field`)
  }

  #take(size: number): number {
    const at = this.#at
    if (at + size > this.#end) throw new ProtocolError('PGWIRE_SHORT_BODY', `${size} bytes wanted, ${this.left} left`)
    this.#at += size
    return at
  }
}
