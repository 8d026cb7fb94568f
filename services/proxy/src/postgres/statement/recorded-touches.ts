import type { Touch } from '@countersign/contracts'
import { isSensitive, type DataClass } from '@countersign/masking'
import { touchesOf, type Facts, type StatementTouch } from '@countersign/sql'
import type { KnownColumn } from '../../statement/masked-column.ts'

export interface RecordedTouches {
  /** As many as an event takes; what is sensitive comes first. */
  readonly touches: readonly Touch[]
  /** One of them, listed or not, is of a column that is not clear. */
  readonly sensitive: boolean
  /** Something that is returned is masked. */
  readonly masks: boolean
  /** Sensitive columns of which values are returned, masked or not, as many as an event takes. */
  readonly returned: readonly { readonly column: string; readonly class: DataClass }[]
}

const LIST_MAX = 1_000

/** What a statement touches, with what each column holds, and whether its values leave as they are. */
export const recordedTouches = (
  facts: Facts,
  classOf: (column: string) => DataClass,
  maskRule: (column: KnownColumn) => { readonly clear: boolean },
): RecordedTouches => {
  const all = touchesOf(facts).map((touch) => recorded(touch, classOf, maskRule))
  const isKnown = ({ class: held }: Touch) => held === undefined || held === 'clear'
  const touches = all.length > LIST_MAX ? [...all.filter((touch) => !isKnown(touch)), ...all.filter(isKnown)] : all
  return {
    touches: touches.slice(0, LIST_MAX),
    sensitive: !all.every(isKnown),
    masks: all.some(({ how }) => how === 'returned-masked'),
    returned: all
      .flatMap(({ relation, column, how }) =>
        column !== undefined && how.startsWith('returned') ? [`${relation}.${column}`] : [],
      )
      .map((column) => ({ column, class: classOf(column) }))
      .filter((each) => isSensitive(each.class))
      .slice(0, LIST_MAX),
  }
}

const recorded = (
  { relation, column, how }: StatementTouch,
  classOf: (column: string) => DataClass,
  maskRule: (column: KnownColumn) => { readonly clear: boolean },
): Touch => {
  if (column === undefined) return { relation, how: how === 'returned' ? 'returned-clear' : how }
  const found = { name: `${relation}.${column}`, class: classOf(`${relation}.${column}`) }
  const place = { relation, column }
  if (how !== 'returned') return { ...place, how, class: found.class }
  const isMasked = isSensitive(found.class) && !maskRule(found).clear
  return { ...place, how: isMasked ? 'returned-masked' : 'returned-clear', class: found.class }
}

/** A column of a table holds what the columns of its partitions and heirs hold. */
export const classWithParts = (
  { parts }: Facts,
  classOf: (column: string) => DataClass,
): ((column: string) => DataClass) => {
  if (parts.length === 0) return classOf
  const heldIn = new Map(parts.map((each) => [each.relation, each.heldIn]))
  return (column) => {
    const own = classOf(column)
    const dot = column.lastIndexOf('.')
    if (isSensitive(own)) return own
    const others = (heldIn.get(column.slice(0, dot)) ?? []).map((part) => classOf(part + column.slice(dot)))
    return others.find(isSensitive) ?? own
  }
}
