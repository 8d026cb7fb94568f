import { ByteWriter } from '../byte-writer.ts'
import { EDITED, KEPT, NULLED, REPLACED, type CellMask, type Outcome } from './cell-mask.ts'

/** Turns the escaped form of a value, `bytes[start, end)`, into the value itself. */
export type Unescape = (bytes: Uint8Array, start: number, end: number, out: ByteWriter) => void

/** Writes a value in the form that the larger value around it demands. */
export type Escape = (bytes: Uint8Array, start: number, end: number, out: ByteWriter) => void

/**
 * A larger value in which some parts are masked. Nothing is copied until the first part changes its length: most
 * values have none. One object serves all values of a column; values within values have one of their own.
 */
export class Patch {
  private bytes: Buffer = Buffer.alloc(0)
  private out = new ByteWriter(0)
  private origin = 0
  private kept = 0
  private outcome: Outcome = KEPT
  private readonly plain = new ByteWriter()
  private readonly masked = new ByteWriter()

  begin(bytes: Buffer, start: number, out: ByteWriter): void {
    this.bytes = bytes
    this.out = out
    this.origin = out.length
    this.kept = start
    this.outcome = KEPT
  }

  /** Masks the part `[start, end)` of the value. `unescape` is left out when the part holds nothing to unescape. */
  mask(cell: CellMask, start: number, end: number, escape: Escape, nothing: string, unescape?: Unescape): void {
    const outcome = unescape ? this.maskUnescaped(cell, start, end, unescape) : this.maskPlain(cell, start, end)
    this.replace(outcome, start, end, escape, nothing)
  }

  /** The same for a part without escapes in quotes of `quote` bytes, which `escape` writes anew. */
  maskInside(cell: CellMask, start: number, end: number, quote: number, escape: Escape, nothing: string): void {
    this.replace(this.maskPlain(cell, start, end), start - quote, end + quote, escape, nothing)
  }

  private replace(outcome: Outcome, start: number, end: number, escape: Escape, nothing: string): void {
    if (outcome === NULLED) this.cut(start, end).ascii(nothing)
    else if (outcome === REPLACED) escape(this.masked.bytes, 0, this.masked.length, this.cut(start, end))
    else if (outcome === EDITED) this.edited()
  }

  edited(): void {
    if (this.outcome === KEPT) this.outcome = EDITED
  }

  /** Takes `[start, end)` out; what replaces it is to be appended to the writer. */
  cut(start: number, end: number): ByteWriter {
    this.out.range(this.bytes, this.kept, start)
    this.kept = end
    this.outcome = REPLACED
    return this.out
  }

  finish(end: number): Outcome {
    if (this.outcome === REPLACED) this.out.range(this.bytes, this.kept, end)
    return this.outcome
  }

  /** Takes back what was appended. Parts that were masked where they lie stay masked. */
  abandon(): void {
    this.out.length = this.origin
    this.outcome = KEPT
  }

  private maskPlain(cell: CellMask, start: number, end: number): Outcome {
    return cell.apply(this.bytes, start, end, this.masked.clear())
  }

  private maskUnescaped(cell: CellMask, start: number, end: number, unescape: Unescape): Outcome {
    unescape(this.bytes, start, end, this.plain.clear())
    const outcome = cell.apply(this.plain.bytes, 0, this.plain.length, this.masked.clear())
    if (outcome !== EDITED) return outcome
    this.masked.range(this.plain.bytes, 0, this.plain.length)
    return REPLACED
  }
}
