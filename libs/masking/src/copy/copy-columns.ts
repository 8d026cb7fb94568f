import { ByteWriter } from '../byte-writer.ts'
import { cellFor } from '../cells/cell-for.ts'
import { KEPT, type CellMask, type Outcome } from '../cells/cell-mask.ts'
import type { ColumnPlan } from '../column-plan.ts'
import { MaskingError } from '../masking-error.ts'
import { FIELD_LENGTH_MAX, type CopyMaskOptions } from './copy-format.ts'

/** The columns of a COPY, and where in a row the stream is. Shared by all three formats. */
export class CopyColumns {
  rows = 0
  readonly passes: boolean
  readonly fieldLengthMax: number
  /** The masked value, after REPLACED. */
  readonly value = new ByteWriter()
  private column = 0
  private readonly cells: readonly (CellMask | undefined)[]
  private readonly counts: Float64Array

  constructor(columns: readonly ColumnPlan[], { pseudonymKey, fieldLengthMax = FIELD_LENGTH_MAX }: CopyMaskOptions) {
    this.cells = columns.map((column) => cellFor(column, pseudonymKey))
    this.passes = this.cells.every((cell) => cell === undefined)
    this.counts = new Float64Array(columns.length)
    this.fieldLengthMax = fieldLengthMax
  }

  get count(): number {
    return this.cells.length
  }

  get atRowStart(): boolean {
    return this.column === 0
  }

  /** The mask of the column that the stream is in. */
  get cell(): CellMask | undefined {
    return this.cells[this.column]
  }

  get maskedColumns(): readonly number[] {
    return [...this.counts.keys()].filter((column) => (this.counts[column] ?? 0) > 0)
  }

  get maskedValues(): number {
    return this.counts.reduce((sum, count) => sum + count, 0)
  }

  /** Masks a value of the current column into `value`, or where it lies. */
  mask(cell: CellMask, bytes: Buffer, start: number, end: number): Outcome {
    const outcome = cell.apply(bytes, start, end, this.value.clear())
    if (outcome !== KEPT) this.counts[this.column] = (this.counts[this.column] ?? 0) + 1
    return outcome
  }

  /** A column more than was planned could hold anything: it is not sent. */
  nextColumn(): void {
    this.column += 1
    if (this.column >= this.cells.length) throw this.mismatch('more')
  }

  nextRow(isHeader: boolean): void {
    if (this.column !== this.cells.length - 1) throw this.mismatch('fewer')
    this.column = 0
    if (!isHeader) this.rows += 1
  }

  /** What has been read of a field already may not be more than the bound. */
  bound(length: number): void {
    if (length <= this.fieldLengthMax) return
    throw new MaskingError(
      'MASKING_FIELD_TOO_LARGE',
      `a field of COPY is too large to be masked: over ${this.fieldLengthMax} bytes; leave it out, or raise the bound`,
    )
  }

  private mismatch(how: 'more' | 'fewer'): MaskingError {
    return new MaskingError(
      'MASKING_PLAN_MISMATCH',
      `a row of COPY has ${how} columns than the ${this.cells.length} that were planned: it is stopped`,
    )
  }
}
