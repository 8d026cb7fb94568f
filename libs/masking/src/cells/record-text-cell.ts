import type { ByteWriter } from '../byte-writer.ts'
import { byteAt } from '../detect/characters.ts'
import type { CellMask, Outcome } from './cell-mask.ts'
import { Patch } from './patch.ts'
import type { TryMask } from './scan-cell.ts'

const OPEN = 0x28
const CLOSE = 0x29
const QUOTE = 0x22
const BACKSLASH = 0x5c
const COMMA = 0x2c

/**
 * Masks the fields of a composite value in text: `(1,"a b",,x)`. An empty field is NULL, an empty text is `""`.
 * SPEC: PostgreSQL manual, 8.16.6, "Composite Type Input and Output Syntax".
 */
export class RecordTextMask implements TryMask {
  private readonly patch = new Patch()
  private readonly field: CellMask

  constructor(field: CellMask) {
    this.field = field
  }

  /** Undefined when it is no composite. */
  tryApply(bytes: Buffer, start: number, end: number, out: ByteWriter): Outcome | undefined {
    if (end - start < 2 || byteAt(bytes, start) !== OPEN || byteAt(bytes, end - 1) !== CLOSE) return undefined
    this.patch.begin(bytes, start, out)
    if (this.fields(bytes, start + 1, end - 1)) return this.patch.finish(end)
    this.patch.abandon()
    return undefined
  }

  private fields(bytes: Buffer, start: number, end: number): boolean {
    let at = start
    for (;;) {
      const fieldEnd = byteAt(bytes, at) === QUOTE && at < end ? quotedEnd(bytes, at, end) : bareEnd(bytes, at, end)
      if (fieldEnd < 0) return false
      if (fieldEnd > at) this.mask(bytes, at, fieldEnd)
      if (fieldEnd === end) return true
      if (byteAt(bytes, fieldEnd) !== COMMA) return false
      at = fieldEnd + 1
    }
  }

  private mask(bytes: Buffer, start: number, end: number): void {
    if (byteAt(bytes, start) !== QUOTE) this.patch.mask(this.field, start, end, writeQuoted, '')
    else if (holdsEscape(bytes, start + 1, end - 1))
      this.patch.mask(this.field, start, end, writeQuoted, '', unescapeQuoted)
    else this.patch.maskInside(this.field, start + 1, end - 1, 1, writeQuoted, '')
  }
}

const bareEnd = (bytes: Uint8Array, at: number, end: number): number => {
  let i = at
  for (; i < end && byteAt(bytes, i) !== COMMA; i++) {
    const byte = byteAt(bytes, i)
    if (byte === QUOTE || byte === BACKSLASH || byte === OPEN || byte === CLOSE) return -1
  }
  return i
}

/** Past the closing quote; a doubled quote and an escaped one are part of the field. */
const quotedEnd = (bytes: Uint8Array, at: number, end: number): number => {
  for (let i = at + 1; i < end; i++) {
    const byte = byteAt(bytes, i)
    if (byte === BACKSLASH || (byte === QUOTE && byteAt(bytes, i + 1) === QUOTE && i + 1 < end)) i++
    else if (byte === QUOTE) return i + 1
  }
  return -1
}

const holdsEscape = (bytes: Uint8Array, start: number, end: number): boolean => {
  for (let i = start; i < end; i++) if (byteAt(bytes, i) === BACKSLASH || byteAt(bytes, i) === QUOTE) return true
  return false
}

const unescapeQuoted = (bytes: Uint8Array, start: number, end: number, out: ByteWriter): void => {
  for (let i = start + 1; i < end - 1; i++) {
    if (byteAt(bytes, i) === BACKSLASH || byteAt(bytes, i) === QUOTE) i++
    out.byte(byteAt(bytes, i))
  }
}

const writeQuoted = (bytes: Uint8Array, start: number, end: number, out: ByteWriter): void => {
  out.byte(QUOTE)
  for (let i = start; i < end; i++) {
    const byte = byteAt(bytes, i)
    if (byte === QUOTE || byte === BACKSLASH) out.byte(byte)
    out.byte(byte)
  }
  out.byte(QUOTE)
}
