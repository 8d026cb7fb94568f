import { ByteWriter } from '../byte-writer.ts'
import { EDITED, KEPT, NULLED, REPLACED, type CellMask, type Outcome } from '../cells/cell-mask.ts'
import type { CopyColumns } from './copy-columns.ts'

/** How one of the two formats in lines writes its fields: the part in which `text` and `csv` differ. */
export interface LineSyntax {
  readonly delimiter: number
  /**
   * Where the delimiter or newline stands that ends the field, of which all before `at` has been read; -1: not here.
   */
  fieldEnd(bytes: Buffer, at: number): number
  isNull(bytes: Buffer, start: number, end: number): boolean
  /** How many bytes of quotes a field has before its value, and as many after it. */
  quoteLength(bytes: Buffer, start: number): number
  /** Writes the value of a field without its escapes; false if there are none, and then nothing is written. */
  unescape(bytes: Buffer, start: number, end: number, plain: ByteWriter): boolean
  write(value: Uint8Array, length: number, out: ByteWriter, quoted: boolean): void
  writeNull(out: ByteWriter): void
}

/** Room for masks that are longer than what they mask. */
const SLACK = 256
const NOTHING: Buffer = Buffer.alloc(0)

/**
 * Masks a stream of lines of fields, in whatever pieces it comes. A field that passes flows through; one that has to be
 * read is held back until its end has come, up to the bound.
 */
export class CopyLines {
  private readonly columns: CopyColumns
  private readonly syntax: LineSyntax
  private isHeader: boolean
  private isInRow = false
  /** The beginning of a field that has not ended yet and has not been sent. */
  private readonly held = new ByteWriter()
  private readonly plain = new ByteWriter()
  private bytes: Buffer = NOTHING
  private out: ByteWriter | undefined
  /** From here on nothing of `bytes` has been copied to `out`. */
  private kept = 0

  constructor(columns: CopyColumns, syntax: LineSyntax, hasHeader: boolean) {
    this.columns = columns
    this.syntax = syntax
    this.isHeader = hasHeader
  }

  push(bytes: Buffer): Buffer {
    this.begin(bytes)
    let start = 0
    for (let end = this.syntax.fieldEnd(bytes, 0); end >= 0; end = this.syntax.fieldEnd(bytes, start)) {
      this.maskField(start, end)
      this.leaveField(bytes[end] === this.syntax.delimiter)
      start = end + 1
    }
    if (start < bytes.length) this.isInRow = true
    return this.finish(start)
  }

  /** The end of the stream, where a last line need not have ended. */
  end(): Buffer {
    if (!this.isInRow) return NOTHING
    this.begin(NOTHING)
    this.maskField(0, 0)
    this.leaveField(false)
    return this.finish(0)
  }

  private begin(bytes: Buffer): void {
    this.bytes = bytes
    this.out = undefined
    this.kept = 0
  }

  private leaveField(isDelimited: boolean): void {
    this.isInRow = isDelimited
    if (isDelimited) return this.columns.nextColumn()
    this.columns.nextRow(this.isHeader)
    this.isHeader = false
  }

  private get cell(): CellMask | undefined {
    return this.isHeader ? undefined : this.columns.cell
  }

  private maskField(start: number, end: number): void {
    const { cell, bytes, held } = this
    if (!cell) return
    if (held.length === 0) return this.maskLying(cell, start, end)
    held.range(bytes, start, end)
    this.columns.bound(held.length)
    const out = this.writer()
    const outcome = this.maskValue(cell, held.bytes, 0, held.length)
    if (outcome === KEPT || outcome === EDITED) out.range(held.bytes, 0, held.length)
    else this.write(out, outcome, held.bytes, 0)
    held.clear()
    this.kept = end
  }

  private maskLying(cell: CellMask, start: number, end: number): void {
    this.columns.bound(end - start)
    const outcome = this.maskValue(cell, this.bytes, start, end)
    if (outcome === KEPT || outcome === EDITED) return
    const out = this.writer()
    out.range(this.bytes, this.kept, start)
    this.write(out, outcome, this.bytes, start)
    this.kept = end
  }

  private maskValue(cell: CellMask, bytes: Buffer, start: number, end: number): Outcome {
    if (this.syntax.isNull(bytes, start, end)) return KEPT
    const { plain, columns } = this
    if (!this.syntax.unescape(bytes, start, end, plain.clear())) {
      const quote = this.syntax.quoteLength(bytes, start)
      return columns.mask(cell, bytes, start + quote, end - quote)
    }
    const outcome = columns.mask(cell, plain.bytes, 0, plain.length)
    if (outcome !== EDITED) return outcome
    columns.value.range(plain.bytes, 0, plain.length)
    return REPLACED
  }

  private write(out: ByteWriter, outcome: Outcome, bytes: Buffer, start: number): void {
    const { value } = this.columns
    if (outcome === NULLED) this.syntax.writeNull(out)
    else this.syntax.write(value.bytes, value.length, out, this.syntax.quoteLength(bytes, start) > 0)
  }

  private writer(): ByteWriter {
    this.out ??= new ByteWriter(this.bytes.length + this.held.length + SLACK)
    return this.out
  }

  /** What is decided is sent. The field that begins at `start` and has not ended is held back, if it is to be read. */
  private finish(start: number): Buffer {
    const { bytes, out } = this
    const end = this.cell ? start : bytes.length
    this.held.range(bytes, end, bytes.length)
    this.columns.bound(this.held.length)
    if (!out) return end === bytes.length ? bytes : bytes.subarray(0, end)
    out.range(bytes, this.kept, end)
    return out.bytes.subarray(0, out.length)
  }
}
