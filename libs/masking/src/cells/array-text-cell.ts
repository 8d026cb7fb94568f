import type { ByteWriter } from '../byte-writer.ts'
import { byteAt } from '../detect/characters.ts'
import type { Outcome, CellMask } from './cell-mask.ts'
import { Patch } from './patch.ts'
import { unescapeBackslashed, writeBackslashed } from './quoting.ts'
import type { TryMask } from './scan-cell.ts'

const OPEN = 0x7b
const CLOSE = 0x7d
const QUOTE = 0x22
const BACKSLASH = 0x5c
const COMMA = 0x2c
/** Between boxes, which hold commas themselves. */
export const BOX_SEPARATOR = 0x3b
const DEPTH_MAX = 6

/**
 * Masks the elements of an array in text: `{a,"b c",NULL,{…}}`, with or without bounds before it.
 * SPEC: PostgreSQL manual, 8.15.6, "Array Input and Output Syntax".
 */
export class ArrayTextMask implements TryMask {
  private readonly patch = new Patch()
  private readonly element: CellMask
  private readonly separator: number

  constructor(element: CellMask, separator = COMMA) {
    this.element = element
    this.separator = separator
  }

  /** Undefined when it is no array. */
  tryApply(bytes: Buffer, start: number, end: number, out: ByteWriter): Outcome | undefined {
    this.patch.begin(bytes, start, out)
    if (this.elements(bytes, afterBounds(bytes, start, end), end)) return this.patch.finish(end)
    this.patch.abandon()
    return undefined
  }

  private elements(bytes: Buffer, start: number, end: number): boolean {
    let depth = 0
    let at = start
    while (at < end) {
      const byte = byteAt(bytes, at)
      if (byte === OPEN) depth += 1
      else if (byte === CLOSE) depth -= 1
      if (depth < 0 || depth > DEPTH_MAX) return false
      if (byte === OPEN || byte === CLOSE || byte === this.separator) at += 1
      else if (depth === 0) return false
      else at = this.elementAt(bytes, at, end)
      if (at < 0) return false
      if (depth === 0) return at === end
    }
    return false
  }

  /** Masks the element that begins at `at`; answers its end, or -1. */
  private elementAt(bytes: Buffer, at: number, end: number): number {
    if (byteAt(bytes, at) === QUOTE) return this.quotedAt(bytes, at, end)
    let i = at
    while (i < end && byteAt(bytes, i) !== this.separator && byteAt(bytes, i) !== CLOSE) {
      if (byteAt(bytes, i) === BACKSLASH || byteAt(bytes, i) === OPEN || byteAt(bytes, i) === QUOTE) return -1
      i++
    }
    // What is written is always quoted, so that it cannot be taken for NULL or for more than one element.
    if (!isNull(bytes, at, i)) this.patch.mask(this.element, at, i, writeBackslashed, 'NULL')
    return i
  }

  private quotedAt(bytes: Buffer, at: number, end: number): number {
    let hasEscape = false
    let i = at + 1
    while (i < end && byteAt(bytes, i) !== QUOTE) {
      if (byteAt(bytes, i) === BACKSLASH) {
        hasEscape = true
        i++
      }
      i++
    }
    if (i >= end) return -1
    if (hasEscape) this.patch.mask(this.element, at, i + 1, writeBackslashed, 'NULL', unescapeBackslashed)
    else this.patch.maskInside(this.element, at + 1, i, 1, writeBackslashed, 'NULL')
    return i + 1
  }
}

/** Past `[1:2][0:1]=`, if it stands there. */
const afterBounds = (bytes: Uint8Array, start: number, end: number): number => {
  if (byteAt(bytes, start) !== 0x5b) return start
  for (let i = start; i < end && byteAt(bytes, i) !== OPEN; i++) if (byteAt(bytes, i) === 0x3d) return i + 1
  return start
}

/** Unquoted and in any case. */
const isNull = (bytes: Buffer, start: number, end: number): boolean =>
  end - start === 4 && bytes.toString('latin1', start, end).toUpperCase() === 'NULL'
