import { classifyName } from '../classify/classify-name.ts'
import { isSensitive, type DataClass } from '../data-class.ts'

/** A part of a text that is to be hidden. */
export interface Span {
  readonly start: number
  readonly end: number
  readonly class: DataClass
}

const CONFIDENCE_MIN = 0.8

/** Names come again and again, and to look one up takes longer than all else that is done for a short statement. */
const known = new Map<string, DataClass | undefined>()
const KNOWN_MAX = 10_000

/** The class of what stands under a column's name, if the name alone says that it is sensitive. */
export const sensitiveClassOf = (name: string): DataClass | undefined => {
  if (known.has(name)) return known.get(name)
  const found = lookUp(name)
  if (known.size >= KNOWN_MAX) known.clear()
  known.set(name, found)
  return found
}

const lookUp = (name: string): DataClass | undefined => {
  const verdict = classifyName(name.replaceAll('"', '').trim(), '', 'json')
  return verdict && verdict.confidence >= CONFIDENCE_MIN && isSensitive(verdict.class) ? verdict.class : undefined
}
