import { classifyName, namesPeople } from '../classify/classify-name.ts'
import { isSensitive, type DataClass } from '../data-class.ts'
import { findValues } from '../detect/find-values.ts'

/** What a key of a JSON object (an XML element, an hstore entry) says of the value below it. */
export interface KeyVerdict {
  readonly class: DataClass | undefined
  /** The same if the key around it is one of people: `{"customer": {"name": …}}`. */
  readonly classInPerson: DataClass | undefined
  readonly isPerson: boolean
  /** The key may hold a value itself: `{"ana@example.com": 3}`. */
  readonly holdsValue: boolean
}

const CONFIDENCE_MIN = 0.8
const ENTRIES_MAX = 4096
const KEY_LENGTH_MAX = 128

interface Entry {
  readonly key: Buffer
  readonly verdict: KeyVerdict
}

const NOTHING: KeyVerdict = { class: undefined, classInPerson: undefined, isPerson: false, holdsValue: false }

/** Remembers verdicts by the bytes of keys: a result has few different ones, and each many times. */
export class KeyClasses {
  private readonly entries = new Map<number, Entry>()

  verdictOf(bytes: Buffer, start: number, end: number): KeyVerdict {
    // So long a key is data. Nor may it fill the memory.
    if (end - start > KEY_LENGTH_MAX) return { ...NOTHING, holdsValue: true }
    const hash = hashOf(bytes, start, end)
    const known = this.entries.get(hash)
    if (known && isSame(known.key, bytes, start, end)) return known.verdict
    const verdict = judge(bytes.toString('utf8', start, end))
    if (this.entries.size >= ENTRIES_MAX) this.entries.clear()
    this.entries.set(hash, { key: Buffer.from(bytes.subarray(start, end)), verdict })
    return verdict
  }
}

const judge = (key: string): KeyVerdict => {
  if (findValues(key, 'certain').length > 0) return { ...NOTHING, holdsValue: true }
  return {
    class: sensitiveClass(key, ''),
    classInPerson: sensitiveClass(key, 'person'),
    isPerson: namesPeople(key),
    holdsValue: false,
  }
}

const sensitiveClass = (key: string, owner: string): DataClass | undefined => {
  const verdict = classifyName(key, owner, 'json')
  return verdict && verdict.confidence >= CONFIDENCE_MIN && isSensitive(verdict.class) ? verdict.class : undefined
}

/** By hand: for keys of a few bytes the call to the engine costs more. */
const isSame = (key: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean => {
  if (key.length !== end - start) return false
  for (let i = 0; i < key.length; i++) if (key[i] !== bytes[start + i]) return false
  return true
}

/** FNV-1a. */
const hashOf = (bytes: Uint8Array, start: number, end: number): number => {
  let hash = 0x811c9dc5
  for (let i = start; i < end; i++) hash = Math.imul(hash ^ (bytes[i] ?? 0), 0x01000193)
  return hash
}
