import { ByteWriter } from './byte-writer.ts'
import { cellFor } from './cells/cell-for.ts'
import { KEPT, NULLED, REPLACED, type CellMask, type Outcome } from './cells/cell-mask.ts'
import type { ColumnPlan } from './column-plan.ts'
import { MaskingError } from './masking-error.ts'
import type { PseudonymKey } from './values/pseudonym.ts'

const DATA_ROW = 0x44
const HEADER = 7

export interface RowMaskOptions {
  /** Needed when a column is masked by pseudonyms. */
  readonly pseudonymKey?: PseudonymKey | undefined
}

/**
 * Masks the rows of one result. Made once, when the result's columns are known; rows are masked in the buffer that
 * they came in, and copied only when a masked value has another length.
 *
 *   DataRow => 'D' length columnCount [valueLength value]
 *     length      => Int32
 *     columnCount => Int16
 *     valueLength => Int32   (-1: NULL)
 */
export class RowMask {
  /** Rows that went through `apply` and `applyRun`. Not counted while all columns pass. */
  rows = 0
  /** Whether all columns pass: then there is no need to call at all. */
  readonly passes: boolean

  private readonly cells: readonly (CellMask | undefined)[]
  private readonly counts: Float64Array
  private readonly value = new ByteWriter()
  /** What is sent instead of the rows, from `kept` on; undefined as long as nothing has changed its length. */
  private out: ByteWriter | undefined
  private kept = 0

  constructor(columns: readonly ColumnPlan[], { pseudonymKey }: RowMaskOptions = {}) {
    this.cells = columns.map((column) => cellFor(column, pseudonymKey))
    this.passes = this.cells.every((cell) => cell === undefined)
    this.counts = new Float64Array(columns.length)
  }

  /** Columns of which at least one value was masked, counted from 0. */
  get maskedColumns(): readonly number[] {
    return [...this.counts.keys()].filter((column) => (this.counts[column] ?? 0) > 0)
  }

  /** How many values were masked. */
  get maskedValues(): number {
    return this.counts.reduce((sum, count) => sum + count, 0)
  }

  /** Masks one message. Undefined: `bytes[start, end)` is right as it lies, perhaps edited. */
  apply(bytes: Buffer, start: number, end: number): Buffer | undefined {
    if (this.passes) return undefined
    this.begin(start)
    if (this.row(bytes, start, end) !== end) throw malformed('a row is shorter than its message')
    return this.finish(bytes, end)
  }

  /** The same of a run of whole messages. */
  applyRun(bytes: Buffer, start: number, end: number): Buffer | undefined {
    if (this.passes) return undefined
    this.begin(start)
    for (let at = start; at < end;) at = this.row(bytes, at, end)
    return this.finish(bytes, end)
  }

  private begin(start: number): void {
    this.out = undefined
    this.kept = start
  }

  private finish(bytes: Buffer, end: number): Buffer | undefined {
    const out = this.out
    if (!out) return undefined
    out.range(bytes, this.kept, end)
    this.out = undefined
    return out.bytes.subarray(0, out.length)
  }

  /** Masks the message that begins at `start`; answers its end. */
  private row(bytes: Buffer, start: number, limit: number): number {
    const end = rowEnd(bytes, start, limit, this.cells.length)
    let grown = 0
    let at = start + HEADER
    // Where this row begins in what is sent instead, once part of it has been copied.
    let head = -1
    for (let column = 0; column < this.cells.length; column++) {
      if (at + 4 > end) throw malformed('a row ends within a value')
      const length = int32(bytes, at)
      const from = at + 4
      at = length < 0 ? from : from + length
      if (at > end || length < -1) throw malformed('a value is longer than its row')
      const cell = this.cells[column]
      if (cell === undefined || length < 0) continue
      const outcome = cell.apply(bytes, from, at, this.value.clear())
      if (outcome === KEPT) continue
      this.counts[column] = (this.counts[column] ?? 0) + 1
      if (outcome !== REPLACED && outcome !== NULLED) continue
      const out = this.copyUpTo(bytes, from - 4, limit)
      if (head < 0) head = out.length - (from - 4 - start)
      grown += this.writeValue(out, outcome) - length
      this.kept = at
    }
    if (at !== end) throw malformed('a row is longer than its values')
    this.rows += 1
    if (head >= 0) this.out?.bytes.writeInt32BE(end - start - 1 + grown, head + 1)
    return end
  }

  private copyUpTo(bytes: Buffer, at: number, limit: number): ByteWriter {
    this.out ??= new ByteWriter(limit - this.kept + SLACK)
    this.out.range(bytes, this.kept, at)
    return this.out
  }

  /** Answers how many bytes the value takes. */
  private writeValue(out: ByteWriter, outcome: Outcome): number {
    if (outcome === NULLED) {
      out.int32(-1)
      return 0
    }
    out.int32(this.value.length)
    out.range(this.value.bytes, 0, this.value.length)
    return this.value.length
  }
}

/** Room for masks that are longer than what they mask. */
const SLACK = 512

const int32 = (bytes: Buffer, at: number): number =>
  ((bytes[at] ?? 0) << 24) | ((bytes[at + 1] ?? 0) << 16) | ((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0)

const rowEnd = (bytes: Buffer, start: number, limit: number, columns: number): number => {
  if (start + HEADER > limit) throw malformed('a row is cut off')
  if (bytes[start] !== DATA_ROW) throw malformed('a message is no DataRow')
  const length = int32(bytes, start + 1)
  const end = start + 1 + length
  if (length < HEADER - 1 || end > limit) throw malformed('a row is longer than its message')
  const count = ((bytes[start + 5] ?? 0) << 8) | (bytes[start + 6] ?? 0)
  if (count !== columns) {
    throw new MaskingError(
      'MASKING_PLAN_MISMATCH',
      `a row has ${count} columns where ${columns} were described: the result is stopped`,
    )
  }
  return end
}

const malformed = (what: string): MaskingError =>
  new MaskingError('MASKING_MALFORMED', `${what}: the result is stopped`)
