import type { ByteWriter } from '../byte-writer.ts'
import { byteAt } from '../detect/characters.ts'
import type { CellMask, Outcome } from './cell-mask.ts'
import { jsonStringEnd } from './json-text.ts'
import { KeyClasses } from './key-classes.ts'
import type { LeafCells } from './leaf-cells.ts'
import { Patch } from './patch.ts'
import { unescapeBackslashed, writeBackslashed } from './quoting.ts'
import type { TryMask } from './scan-cell.ts'

const QUOTE = 0x22
const BACKSLASH = 0x5c

/** Masks the values of an hstore in text, by their keys and by what they are: `"email"=>"…", "note"=>NULL`. */
export class HstoreTextMask implements TryMask {
  private readonly patch = new Patch()
  private readonly keys = new KeyClasses()
  private readonly cells: LeafCells
  private readonly otherwise: CellMask

  constructor(cells: LeafCells, otherwise: CellMask) {
    this.cells = cells
    this.otherwise = otherwise
  }

  /** Undefined when it is no hstore. */
  tryApply(bytes: Buffer, start: number, end: number, out: ByteWriter): Outcome | undefined {
    if (end - start < 6 || byteAt(bytes, start) !== QUOTE) return undefined
    this.patch.begin(bytes, start, out)
    if (this.pairs(bytes, start, end)) return this.patch.finish(end)
    this.patch.abandon()
    return undefined
  }

  private pairs(bytes: Buffer, start: number, end: number): boolean {
    let at = start
    for (;;) {
      const keyEnd = byteAt(bytes, at) === QUOTE ? jsonStringEnd(bytes, at + 1, end) : -1
      if (keyEnd < 0 || byteAt(bytes, keyEnd + 1) !== 0x3d || byteAt(bytes, keyEnd + 2) !== 0x3e) return false
      const verdict = this.keys.verdictOf(bytes, at + 1, keyEnd)
      if (verdict.holdsValue) this.string(bytes, this.otherwise, at + 1, keyEnd)
      const cell = verdict.class ? this.cells.text(verdict.class) : this.otherwise
      at = this.valueAt(bytes, cell, keyEnd + 3, end)
      if (at < 0 || at === end) return at === end
      if (byteAt(bytes, at) !== 0x2c || byteAt(bytes, at + 1) !== 0x20) return false
      at += 2
    }
  }

  private valueAt(bytes: Buffer, cell: CellMask, at: number, end: number): number {
    if (byteAt(bytes, at) !== QUOTE) return bytes.toString('latin1', at, at + 4) === 'NULL' ? at + 4 : -1
    const valueEnd = jsonStringEnd(bytes, at + 1, end)
    if (valueEnd < 0) return -1
    this.string(bytes, cell, at + 1, valueEnd)
    return valueEnd + 1
  }

  private string(bytes: Buffer, cell: CellMask, start: number, end: number): void {
    if (bytes.subarray(start, end).includes(BACKSLASH)) {
      this.patch.mask(cell, start - 1, end + 1, writeBackslashed, 'NULL', unescapeBackslashed)
    } else this.patch.maskInside(cell, start, end, 1, writeBackslashed, 'NULL')
  }
}
