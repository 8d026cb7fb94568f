import { labelOf, type DataClass } from '../data-class.ts'
import { findValues } from '../detect/find-values.ts'
import { insertSpans } from './insert-spans.ts'
import { keySpans } from './key-spans.ts'
import { namedSpans } from './named-spans.ts'
import type { Span } from './span.ts'

export interface RedactedText {
  readonly text: string
  /** Each class that was found, once. */
  readonly found: readonly DataClass[]
}

/**
 * A text for people and logs (a statement, a message) in which labels stand for sensitive values: those that are known
 * by their form, those that stand beside a name that says so (`ssn = '…'`, the columns of an INSERT), and whole keys of
 * such columns (`Key (ssn)=(…)`). What is sensitive only by where it comes from is not seen here.
 */
export const redactText = (text: string): RedactedText => {
  const spans = merged([...findValues(text), ...namedSpans(text), ...insertSpans(text), ...keySpans(text)])
  let redacted = ''
  let at = 0
  for (const { start, end, class: dataClass } of spans) {
    redacted += text.slice(at, start) + labelOf(dataClass)
    at = end
  }
  return { text: redacted + text.slice(at), found: [...new Set(spans.map((span) => span.class))] }
}

/** In order; of those that overlap the first and longest, made long enough for all. */
const merged = (spans: readonly Span[]): readonly Span[] => {
  const result: Span[] = []
  for (const span of spans.toSorted((a, b) => a.start - b.start || b.end - a.end)) {
    const last = result.at(-1)
    if (!last || span.start >= last.end) result.push(span)
    else if (span.end > last.end) result[result.length - 1] = { ...last, end: span.end }
  }
  return result
}
