import type { ByteWriter } from '../byte-writer.ts'
import { CLASS_TRAITS, labelOf, type DataClass, type MaskKind } from '../data-class.ts'
import type { Hits } from '../detect/hits.ts'
import { keepTail, starEmail } from '../values/partial.ts'
import { checkedKey, pseudonymDigest, pseudonymText, type PseudonymKey } from '../values/pseudonym.ts'
import { EDITED, NULLED, REPLACED, type Outcome } from './cell-mask.ts'

/** How values are masked that were found inside a text. */
export interface FoundMask {
  readonly kind: MaskKind
  /** The masked text may not become longer: its column has a limit. */
  readonly limited: boolean
  readonly key?: PseudonymKey | undefined
}

/**
 * Masks what a scan found in `bytes[start, end)`. With `partial` most classes are masked where they lie, in the same
 * length and without a copy; secrets, and all else with another kind, give way to their label or pseudonym.
 */
export const maskFound = (
  bytes: Buffer,
  start: number,
  end: number,
  hits: Hits,
  mask: FoundMask,
  out: ByteWriter,
): Outcome => {
  if (mask.kind === 'null') return NULLED
  let edited = 0
  for (let i = 0; i < hits.count; i++) if (editInPlace(bytes, hits, i, mask.kind)) edited++
  if (edited === hits.count) return EDITED
  let kept = start
  for (let i = 0; i < hits.count; i++) {
    if (isEditable(hits.class(i), mask.kind)) continue
    out.range(bytes, kept, hits.start(i))
    writeInstead(bytes, hits, i, mask, out)
    kept = hits.end(i)
  }
  out.range(bytes, kept, end)
  return REPLACED
}

const isEditable = (dataClass: DataClass, kind: MaskKind): boolean =>
  (kind === 'partial' || kind === 'year') && CLASS_TRAITS[dataClass].defaultMask === 'partial'

const editInPlace = (bytes: Buffer, hits: Hits, index: number, kind: MaskKind): boolean => {
  const dataClass = hits.class(index)
  if (!isEditable(dataClass, kind)) return false
  if (dataClass === 'email') starEmail(bytes, hits.start(index), hits.end(index))
  else keepTail(bytes, hits.start(index), hits.end(index))
  return true
}

const writeInstead = (bytes: Buffer, hits: Hits, index: number, mask: FoundMask, out: ByteWriter): void => {
  const from = hits.start(index)
  const to = hits.end(index)
  const room = mask.limited ? to - from : Number.POSITIVE_INFINITY
  const dataClass = hits.class(index)
  if (mask.kind === 'pseudonym') {
    const digest = pseudonymDigest(checkedKey(mask.key), dataClass, bytes.subarray(from, to))
    return out.ascii(pseudonymText(digest, dataClass, room))
  }
  const label = labelOf(dataClass)
  if (label.length <= room) out.ascii(label)
  else out.fill(0x2a, room)
}
