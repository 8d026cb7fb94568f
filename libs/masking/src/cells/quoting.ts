import type { ByteWriter } from '../byte-writer.ts'
import { byteAt } from '../detect/characters.ts'

const QUOTE = 0x22
const BACKSLASH = 0x5c

/** `"…"` with a backslash before quotes and backslashes, as arrays and hstore have it. */
export const writeBackslashed = (bytes: Uint8Array, start: number, end: number, out: ByteWriter): void => {
  out.byte(QUOTE)
  for (let i = start; i < end; i++) {
    const byte = byteAt(bytes, i)
    if (byte === QUOTE || byte === BACKSLASH) out.byte(BACKSLASH)
    out.byte(byte)
  }
  out.byte(QUOTE)
}

/** Of a quoted text with its quotes: `\x` is `x`. */
export const unescapeBackslashed = (bytes: Uint8Array, start: number, end: number, out: ByteWriter): void => {
  for (let i = start + 1; i < end - 1; i++) {
    if (byteAt(bytes, i) === BACKSLASH) i++
    out.byte(byteAt(bytes, i))
  }
}
