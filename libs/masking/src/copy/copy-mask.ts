import type { ColumnPlan } from '../column-plan.ts'
import { CopyBinary } from './copy-binary.ts'
import { CopyColumns } from './copy-columns.ts'
import type { CopyFormat, CopyMaskOptions } from './copy-format.ts'
import { CopyLines } from './copy-lines.ts'
import { CsvSyntax } from './csv-syntax.ts'
import { TextSyntax } from './text-syntax.ts'

/**
 * Masks what COPY … TO STDOUT sends, in constant memory. `push` takes the payload of a CopyData message, or any piece
 * of the stream, and answers what is to be sent now: often the same buffer, perhaps edited, sometimes nothing.
 */
export class CopyMask {
  /** Whether all columns pass: then there is no need to call at all. */
  readonly passes: boolean
  private readonly columns: CopyColumns
  private readonly stream: CopyLines | CopyBinary

  constructor(columns: readonly ColumnPlan[], format: CopyFormat, options: CopyMaskOptions = {}) {
    this.columns = new CopyColumns(columns, options)
    this.passes = this.columns.passes
    this.stream = streamOf(this.columns, format)
  }

  push(payload: Buffer): Buffer {
    return this.passes ? payload : this.stream.push(payload)
  }

  /** To be called at CopyDone; answers what is left to be sent. */
  end(): Buffer {
    return this.passes ? Buffer.alloc(0) : this.stream.end()
  }

  /** Rows that went through. Not counted while all columns pass. */
  get rows(): number {
    return this.columns.rows
  }

  get maskedColumns(): readonly number[] {
    return this.columns.maskedColumns
  }

  get maskedValues(): number {
    return this.columns.maskedValues
  }
}

const streamOf = (columns: CopyColumns, format: CopyFormat): CopyLines | CopyBinary => {
  switch (format.format) {
    case 'binary':
      return new CopyBinary(columns)
    case 'csv':
      return new CopyLines(columns, new CsvSyntax(format), format.header ?? false)
    case 'text':
      return new CopyLines(columns, new TextSyntax(format), format.header ?? false)
  }
}
