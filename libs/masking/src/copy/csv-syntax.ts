import type { ByteWriter } from '../byte-writer.ts'
import type { CopyCsvFormat } from './copy-format.ts'
import type { LineSyntax } from './copy-lines.ts'

const NEWLINE = 0x0a
const RETURN = 0x0d

/** COPY's CSV format, as the server writes it. SPEC: PostgreSQL manual, COPY, "CSV Format". */
export class CsvSyntax implements LineSyntax {
  readonly delimiter: number
  private readonly quote: number
  private readonly escape: number
  private readonly nullText: Buffer
  private isQuoted = false
  /** An escape character that is not the quote has been read inside quotes, and not what it stands before. */
  private isEscaping = false

  constructor({ delimiter = ',', null: nullText = '', quote = '"', escape = quote }: CopyCsvFormat) {
    this.delimiter = delimiter.charCodeAt(0)
    this.quote = quote.charCodeAt(0)
    this.escape = escape.charCodeAt(0)
    this.nullText = Buffer.from(nullText)
  }

  /** Inside quotes nothing ends a field. A doubled quote ends them and begins them again, which comes to the same. */
  fieldEnd(bytes: Buffer, at: number): number {
    for (let i = at; i < bytes.length; i++) {
      const byte = bytes[i] ?? 0
      if (this.isEscaping) {
        this.isEscaping = false
        if (byte === this.quote || byte === this.escape) continue
      }
      if (this.isQuoted && byte === this.escape && this.escape !== this.quote) this.isEscaping = true
      else if (byte === this.quote) this.isQuoted = !this.isQuoted
      else if (!this.isQuoted && (byte === this.delimiter || byte === NEWLINE)) return i
    }
    return -1
  }

  /** Only a field without quotes can be NULL. */
  isNull(bytes: Buffer, start: number, end: number): boolean {
    return end - start === this.nullText.length && this.nullText.compare(bytes, start, end) === 0
  }

  quoteLength(bytes: Buffer, start: number): number {
    return bytes[start] === this.quote ? 1 : 0
  }

  unescape(bytes: Buffer, start: number, end: number, plain: ByteWriter): boolean {
    if (bytes[start] !== this.quote || !this.holdsEscape(bytes, start + 1, end - 1)) return false
    for (let i = start + 1; i < end - 1; i++) {
      const next = i + 1 < end - 1 ? (bytes[i + 1] ?? 0) : -1
      if (bytes[i] === this.escape && (next === this.quote || next === this.escape)) i += 1
      plain.byte(bytes[i] ?? 0)
    }
    return true
  }

  private holdsEscape(bytes: Buffer, start: number, end: number): boolean {
    for (let i = start; i < end; i++) if (bytes[i] === this.escape || bytes[i] === this.quote) return true
    return false
  }

  /** In quotes if it was, or has to be: it holds what would end it, or looks like NULL. */
  write(value: Uint8Array, length: number, out: ByteWriter, quoted: boolean): void {
    const plain = !quoted && !this.needsQuotes(value, length)
    if (plain) return out.range(value, 0, length)
    out.byte(this.quote)
    for (let i = 0; i < length; i++) {
      const byte = value[i] ?? 0
      if (byte === this.quote || byte === this.escape) out.byte(this.escape)
      out.byte(byte)
    }
    out.byte(this.quote)
  }

  private needsQuotes(value: Uint8Array, length: number): boolean {
    if (length === this.nullText.length && this.nullText.compare(value, 0, length) === 0) return true
    for (let i = 0; i < length; i++) {
      const byte = value[i]
      if (byte === this.delimiter || byte === this.quote || byte === NEWLINE || byte === RETURN) return true
    }
    return length === 2 && value[0] === 0x5c && value[1] === 0x2e
  }

  writeNull(out: ByteWriter): void {
    out.range(this.nullText, 0, this.nullText.length)
  }
}
