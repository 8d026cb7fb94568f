import { byteAt } from '../detect/characters.ts'
import type { Depth } from '../detect/scan.ts'
import type { WireFormat } from '../values/types.ts'
import { KEPT, type CellMask } from './cell-mask.ts'
import { looksLikeText } from './looks-like-text.ts'
import { nullIfFoundCell } from './scan-cell.ts'

/**
 * `bytea` may hold text, as it is or in hexadecimal; it becomes NULL when anything sensitive stands in it. What is no
 * text (a picture) is left alone: in enough noise anything can be found.
 */
export const bytesCell = (depth: Depth, format: WireFormat): CellMask => {
  const found = nullIfFoundCell(depth)
  const readable: CellMask = {
    apply: (bytes, start, end, out) => (looksLikeText(bytes, start, end) ? found.apply(bytes, start, end, out) : KEPT),
  }
  if (format === 'binary') return readable
  return {
    apply: (bytes, start, end, out) => {
      if (!isHex(bytes, start)) return readable.apply(bytes, start, end, out)
      const decoded = Buffer.from(bytes.toString('latin1', start + 2, end), 'hex')
      return readable.apply(decoded, 0, decoded.length, out)
    },
  }
}

/** `bytea_output` is `hex` and not `escape`. */
const isHex = (bytes: Uint8Array, start: number): boolean =>
  byteAt(bytes, start) === 0x5c && byteAt(bytes, start + 1) === 0x78
