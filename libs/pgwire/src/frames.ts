import { HEADER_BYTES } from './body.ts'
import { ProtocolError } from './errors.ts'

/** Who looks at the messages of one direction of a connection. */
export interface FrameReader {
  /**
   * A message begins: its tag, and its whole length with the header. Say how to read it: `whole` hands it over when
   * its last byte is there, `stream` hands its bytes over as they come (nothing is kept, so it may be of any size),
   * `skip` drops it. Throw to refuse it; nothing of it has been kept by then.
   */
  begin(tag: number, length: number): 'whole' | 'stream' | 'skip'

  /** One whole message: bytes[start, end), header included. Valid during the call only. Returns false to pause. */
  message(tag: number, bytes: Buffer, start: number, end: number): boolean

  /** Bytes of a message that is streamed: bytes[start, end). `first` and `last` tell its header and its end. */
  piece(tag: number, bytes: Buffer, start: number, end: number, first: boolean, last: boolean): void
}

/**
 * Who takes messages of one kind several at a time: what each of them costs by itself is more than what is done with it.
 */
export interface RunReader {
  /** False: messages of this tag go to the `FrameReader` now, one by one. */
  takes(tag: number): boolean
  /** bytes[start, end) are `count` whole messages of this tag, one behind the other, of `longest` bytes at most. */
  run(tag: number, bytes: Buffer, start: number, end: number, count: number, longest: number): void
}

/**
 * Cuts a byte stream into messages, however its bytes are cut.
 *
 * Messages that lie whole within what was read are handed over in place, with no copy. One that does not is
 * gathered in a buffer of its own size, so that a long message costs its bytes once; a streamed one costs nothing.
 */
export class Frames {
  readonly #reader: FrameReader
  readonly #lengthMax: number
  readonly #runs: RunReader | undefined
  readonly #header = Buffer.alloc(HEADER_BYTES)
  #headerBytes = 0
  #mode: 'whole' | 'stream' | 'skip' = 'whole'
  #tag = 0
  /** Bytes of the current message that are still to come, once its header is known. */
  #missing = 0
  #gathered: Buffer | undefined
  #gatheredBytes = 0

  /** `lengthMax`: the longest length field to believe; the reader's `begin` may set closer bounds per tag. */
  constructor(reader: FrameReader, lengthMax = 0x7fffffff, runs?: RunReader) {
    this.#reader = reader
    this.#lengthMax = lengthMax
    this.#runs = runs
  }

  /** True while a message that is being streamed has not come to its end: nothing may be put in between. */
  get inside(): boolean {
    return this.#missing > 0 && this.#mode === 'stream'
  }

  /** Reads bytes[start, end). Returns how far it came: less than `end` only when the reader paused. */
  read(bytes: Buffer, start: number, end: number): number {
    let at = start
    while (at < end) {
      if (this.#missing > 0) {
        at = this.#continue(bytes, at, end)
        if (this.#paused) return this.#unpause(at)
        continue
      }
      const header = this.#headerBytes
      if (header === 0 && end - at >= HEADER_BYTES) {
        const tag = bytes[at] ?? 0
        if (this.#runs?.takes(tag)) {
          const behind = this.#run(this.#runs, tag, bytes, at, end)
          if (behind > at) {
            at = behind
            continue
          }
        }
        const length = 1 + this.#checked(bytes.readInt32BE(at + 1))
        const mode = this.#reader.begin(tag, length)
        if (at + length <= end) {
          if (!this.#deliver(mode, tag, bytes, at, at + length)) return at + length
          at += length
          continue
        }
        this.#open(mode, tag, length)
        continue
      }
      bytes.copy(this.#header, header, at, Math.min(end, at + HEADER_BYTES - header))
      const taken = Math.min(end - at, HEADER_BYTES - header)
      this.#headerBytes += taken
      at += taken
      if (this.#headerBytes === HEADER_BYTES) {
        const length = 1 + this.#checked(this.#header.readInt32BE(1))
        const tag = this.#header[0] ?? 0
        this.#open(this.#reader.begin(tag, length), tag, length)
        this.#headerBytes = 0
        if (!this.#feedHeader()) return at
      }
    }
    return at
  }

  /** Hands over the run that begins here, and returns its end. What is wrong, or not whole, is left to the other way. */
  #run(runs: RunReader, tag: number, bytes: Buffer, start: number, end: number): number {
    let at = start
    let count = 0
    let longest = 0
    while (end - at >= HEADER_BYTES && bytes[at] === tag) {
      const length = 1 + bytes.readInt32BE(at + 1)
      if (length < HEADER_BYTES || length > this.#lengthMax || length > end - at) break
      if (length > longest) longest = length
      at += length
      count += 1
    }
    if (count > 0) runs.run(tag, bytes, start, at, count, longest)
    return at
  }

  #paused = false

  #unpause(at: number): number {
    this.#paused = false
    return at
  }

  #checked(length: number): number {
    if (length < 4) throw new ProtocolError('PGWIRE_BAD_LENGTH', `a message of length ${length}`)
    if (length > this.#lengthMax) throw new ProtocolError('PGWIRE_TOO_LONG', `a message of length ${length}`)
    return length
  }

  #deliver(mode: 'whole' | 'stream' | 'skip', tag: number, bytes: Buffer, start: number, end: number): boolean {
    if (mode === 'whole') return this.#reader.message(tag, bytes, start, end)
    if (mode === 'stream') this.#reader.piece(tag, bytes, start, end, true, true)
    return true
  }

  #open(mode: 'whole' | 'stream' | 'skip', tag: number, length: number): void {
    this.#mode = mode
    this.#tag = tag
    this.#missing = length
    this.#fresh = true
    if (mode === 'whole') {
      this.#gathered = Buffer.allocUnsafe(length)
      this.#gatheredBytes = 0
    }
  }

  #fresh = false

  /**
   * A header that came in pieces: its bytes are no longer in what was read, so they are fed from here; as a copy,
   * because whoever streams them may hold on to them until long after the next header has come.
   */
  #feedHeader(): boolean {
    this.#continue(this.#mode === 'stream' ? Buffer.from(this.#header) : this.#header, 0, HEADER_BYTES)
    if (!this.#paused) return true
    this.#paused = false
    return false
  }

  #continue(bytes: Buffer, start: number, end: number): number {
    const stop = Math.min(end, start + this.#missing)
    this.#missing -= stop - start
    const first = this.#fresh
    this.#fresh = false
    if (this.#mode === 'stream') {
      this.#reader.piece(this.#tag, bytes, start, stop, first, this.#missing === 0)
    } else if (this.#mode === 'whole') {
      this.#gather(bytes, start, stop)
    }
    return stop
  }

  #gather(bytes: Buffer, start: number, stop: number): void {
    const gathered = this.#gathered
    if (!gathered) return
    bytes.copy(gathered, this.#gatheredBytes, start, stop)
    this.#gatheredBytes += stop - start
    if (this.#missing > 0) return
    this.#gathered = undefined
    this.#paused = !this.#reader.message(this.#tag, gathered, 0, gathered.length)
  }
}
