import type { ByteWriter } from '../byte-writer.ts'
import type { CopyTextFormat } from './copy-format.ts'
import type { LineSyntax } from './copy-lines.ts'

const BACKSLASH = 0x5c
const NEWLINE = 0x0a

/** The letter behind a backslash for each character that has one. */
const LETTERS: readonly (readonly [character: number, letter: number])[] = [
  [0x08, 0x62],
  [0x0c, 0x66],
  [0x0a, 0x6e],
  [0x0d, 0x72],
  [0x09, 0x74],
  [0x0b, 0x76],
]
const CHARACTER_BY_LETTER: ReadonlyMap<number, number> = new Map(
  LETTERS.map(([character, letter]) => [letter, character]),
)

/**
 * COPY's text format, as the server writes it: fields between delimiters, backslash before what would be misread.
 * SPEC: PostgreSQL manual, COPY, "Text Format". The server never writes `\ooo` or `\xhh`, which it would read.
 */
export class TextSyntax implements LineSyntax {
  readonly delimiter: number
  private readonly nullText: Buffer
  private readonly stops = new Uint8Array(256)
  /** What is written behind a backslash in place of each byte; 0 for those that need none. */
  private readonly escapes = new Uint8Array(256)
  /** A backslash has been read, and not what it stands before. */
  private isEscaping = false

  constructor({ delimiter = '\t', null: nullText = '\\N' }: CopyTextFormat) {
    this.delimiter = delimiter.charCodeAt(0)
    this.nullText = Buffer.from(nullText)
    for (const byte of [this.delimiter, NEWLINE, BACKSLASH]) this.stops[byte] = 1
    for (const byte of [this.delimiter, BACKSLASH]) this.escapes[byte] = byte
    for (const [character, letter] of LETTERS) this.escapes[character] = letter
  }

  fieldEnd(bytes: Buffer, at: number): number {
    let i = at
    if (this.isEscaping && i < bytes.length) {
      this.isEscaping = false
      i += 1
    }
    for (; i < bytes.length; i++) {
      const byte = bytes[i] ?? 0
      if (this.stops[byte] === 0) continue
      if (byte !== BACKSLASH) return i
      i += 1
      this.isEscaping = i === bytes.length
    }
    return -1
  }

  /** Compared with the field as it is written. */
  isNull(bytes: Buffer, start: number, end: number): boolean {
    return end - start === this.nullText.length && this.nullText.compare(bytes, start, end) === 0
  }

  quoteLength(): number {
    return 0
  }

  unescape(bytes: Buffer, start: number, end: number, plain: ByteWriter): boolean {
    let i = start
    while (i < end && bytes[i] !== BACKSLASH) i++
    if (i === end) return false
    plain.range(bytes, start, i)
    for (; i < end; i++) {
      const byte = bytes[i] ?? 0
      if (byte !== BACKSLASH) plain.byte(byte)
      else {
        i += 1
        plain.byte(CHARACTER_BY_LETTER.get(bytes[i] ?? 0) ?? bytes[i] ?? 0)
      }
    }
    return true
  }

  write(value: Uint8Array, length: number, out: ByteWriter): void {
    for (let i = 0; i < length; i++) {
      const byte = value[i] ?? 0
      const escape = this.escapes[byte] ?? 0
      if (escape !== 0) out.byte(BACKSLASH)
      out.byte(escape || byte)
    }
  }

  writeNull(out: ByteWriter): void {
    out.range(this.nullText, 0, this.nullText.length)
  }
}
