import type { DataClass } from '../data-class.ts'
import { Hits } from './hits.ts'
import { scan, type Depth } from './scan.ts'

export interface FoundValue {
  readonly class: DataClass
  /** Positions in the text, as JavaScript counts. */
  readonly start: number
  readonly end: number
}

/** The sensitive values in a text, in order. The same rules as for bytes: it is the same scanner. */
export const findValues = (text: string, depth: Depth = 'likely'): readonly FoundValue[] => {
  const bytes = Buffer.from(text)
  const hits = new Hits()
  scan(bytes, 0, bytes.length, depth, hits)
  let byte = 0
  let character = 0
  const characterAt = (offset: number): number => {
    character += bytes.toString('utf8', byte, offset).length
    byte = offset
    return character
  }
  return Array.from({ length: hits.count }, (_, index) => ({
    class: hits.class(index),
    start: characterAt(hits.start(index)),
    end: characterAt(hits.end(index)),
  }))
}

/** The class of a text that is one value and nothing else, as columns hold them. */
export const classOfValue = (text: string, depth: Depth = 'likely'): DataClass | undefined => {
  const value = text.trim()
  const first = findValues(value, depth)[0]
  // What a national number has around its digits is not part of the hit: `(415) 555-1234`.
  return first && first.start <= 1 && first.end === value.length ? first.class : undefined
}
