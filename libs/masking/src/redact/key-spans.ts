import { sensitiveClassOf, type Span } from './span.ts'

/** `Key (lower(email), city)=(ana@example.com, Ulm) already exists.`: as constraints write it. */
const KEY = /\bkey \(([^\n]{1,500}?)\)=\(/gi
const ENDS = [
  ') already exists',
  ') is not present in table',
  ') is still referenced from table',
  ') conflicts with existing key',
  ') conflicts with key',
  ') is duplicated',
]

/** One sensitive column hides the whole key: values are not quoted, and may hold commas. */
export const keySpans = (text: string): readonly Span[] =>
  keysIn(text).flatMap(({ columns, start, end }) => {
    const dataClass = columns.map(sensitiveClassOf).find((found) => found !== undefined)
    return dataClass ? [{ start, end, class: dataClass }] : []
  })

export interface KeyInText {
  readonly columns: readonly string[]
  readonly start: number
  readonly end: number
}

export const keysIn = (text: string): readonly KeyInText[] => {
  const keys: KeyInText[] = []
  const pattern = new RegExp(KEY)
  for (let match = pattern.exec(text); match; match = pattern.exec(text)) {
    const start = pattern.lastIndex
    const end = keyEnd(text, start)
    keys.push({ columns: (match[1] ?? '').split(', '), start, end })
    pattern.lastIndex = end
  }
  return keys
}

/** The last place where it can end: what stands in a key may look like its end. */
const keyEnd = (text: string, start: number): number => {
  const newline = text.indexOf('\n', start)
  const limit = newline < 0 ? text.length : newline
  const last = Math.max(...ENDS.map((end) => text.slice(start, limit).lastIndexOf(end)))
  if (last >= 0) return start + last
  return text.endsWith(').', limit) && limit - 2 >= start ? limit - 2 : limit
}
