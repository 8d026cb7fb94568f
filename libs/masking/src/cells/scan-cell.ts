import type { ByteWriter } from '../byte-writer.ts'
import { byteAt } from '../detect/characters.ts'
import { Hits } from '../detect/hits.ts'
import { scan, type Depth } from '../detect/scan.ts'
import { KEPT, NULLED, type CellMask, type Outcome } from './cell-mask.ts'
import { maskFound, type FoundMask } from './found-values.ts'

/** The shortest value that is looked for: `a@b.cd`. */
const LENGTH_MIN = 6

/** Masks the values that stand in a text. */
export const scanCell = (depth: Depth, mask: FoundMask): CellMask => {
  const hits = new Hits()
  return {
    apply: (bytes, start, end, out) => {
      if (end - start < LENGTH_MIN) return KEPT
      scan(bytes, start, end, depth, hits)
      return hits.count === 0 ? KEPT : maskFound(bytes, start, end, hits, mask, out)
    },
  }
}

/** A structure that a text may turn out to be: undefined when it is none, so that it is read as plain text. */
export interface TryMask {
  tryApply(bytes: Buffer, start: number, end: number, out: ByteWriter): Outcome | undefined
}

export const orElse = (mask: TryMask, otherwise: CellMask): CellMask => ({
  apply: (bytes, start, end, out) => mask.tryApply(bytes, start, end, out) ?? otherwise.apply(bytes, start, end, out),
})

/** Text that may be JSON: there the keys say what the values are, and escapes may hide them. */
export const textOrJsonCell = (text: CellMask, json: TryMask): CellMask => ({
  apply: (bytes, start, end, out) => {
    const structured = looksLikeJson(bytes, start, end) ? json.tryApply(bytes, start, end, out) : undefined
    return structured ?? text.apply(bytes, start, end, out)
  },
})

const looksLikeJson = (bytes: Uint8Array, start: number, end: number): boolean => {
  const first = byteAt(bytes, start)
  const last = byteAt(bytes, end - 1)
  return (
    (first === 0x7b && last === 0x7d) ||
    (first === 0x5b && last === 0x5d) ||
    (first === 0x22 && last === 0x22 && end - start > 2)
  )
}

/** For values whose bytes are not ours to edit: they become NULL when anything sensitive stands in them. */
export const nullIfFoundCell = (depth: Depth): CellMask => {
  const hits = new Hits()
  return {
    apply: (bytes, start, end) => {
      scan(bytes, start, end, depth, hits)
      return hits.count === 0 ? KEPT : NULLED
    },
  }
}
