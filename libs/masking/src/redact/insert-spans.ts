import type { DataClass } from '../data-class.ts'
import { sensitiveClassOf, type Span } from './span.ts'

const GAP = String.raw`\s{0,8}`
const SPACE = String.raw`\s{1,8}`
const INSERT = new RegExp(
  String.raw`\binsert${SPACE}into${SPACE}[\w".$]{1,200}(?:${SPACE}as${SPACE}\w{1,63})?${GAP}` +
    String.raw`\((?<columns>[^()]{1,20000})\)(?:${SPACE}overriding${SPACE}\w{1,10}${SPACE}value)?${GAP}` +
    String.raw`values${GAP}(?=\()`,
  'giu',
)

/** The values of an INSERT by their columns: `insert into t (id, ssn) values (1, '…'), (2, '…')`. */
export const insertSpans = (text: string): readonly Span[] => {
  const spans: Span[] = []
  const pattern = new RegExp(INSERT)
  for (let match = pattern.exec(text); match; match = pattern.exec(text)) {
    const classes = (match.groups?.['columns'] ?? '').split(',').map(sensitiveClassOf)
    // What the rows hold is not looked through for further statements.
    if (classes.some((dataClass) => dataClass !== undefined))
      pattern.lastIndex = rowsEnd(text, pattern.lastIndex, classes, spans)
  }
  return spans
}

/** Goes through `(…), (…)` until something else comes; answers where. */
const rowsEnd = (text: string, start: number, classes: readonly (DataClass | undefined)[], spans: Span[]): number => {
  let at = start
  while (text[at] === '(') {
    at = rowEnd(text, at + 1, classes, spans)
    const next = /\s{0,8},\s{0,8}/y
    next.lastIndex = at
    if (next.test(text)) at = next.lastIndex
  }
  return at
}

/** Adds the spans of one row, whose bracket is open; answers what follows its end. */
const rowEnd = (text: string, start: number, classes: readonly (DataClass | undefined)[], spans: Span[]): number => {
  let column = 0
  let depth = 0
  let from = start
  for (let at = start; at < text.length; at++) {
    const character = text[at]
    if (character === "'") at = quoteEnd(text, at)
    else if (character === '(') depth += 1
    else if (character === ')' && depth > 0) depth -= 1
    else if (depth === 0 && (character === ',' || character === ')')) {
      addValue(text, from, at, classes[column], spans)
      if (character === ')') return at + 1
      column += 1
      from = at + 1
    }
  }
  addValue(text, from, text.length, classes[column], spans)
  return text.length
}

/** The closing quote of the constant that opens at `at`; with `E` before it a backslash hides the next character. */
const quoteEnd = (text: string, at: number): number => {
  const isEscaped = /e/i.test(text[at - 1] ?? '') && !/\w/.test(text[at - 2] ?? '')
  for (let i = at + 1; i < text.length; i++) {
    if (isEscaped && text[i] === '\\') i += 1
    else if (text[i] === "'") {
      if (text[i + 1] !== "'") return i
      i += 1
    }
  }
  return text.length
}

/** Keywords and parameters show nothing: `default`, `null`, `$1`. */
const HARMLESS = /^(?:default|null|true|false|\$\d+)$/i

const addValue = (text: string, from: number, to: number, dataClass: DataClass | undefined, spans: Span[]): void => {
  const value = text.slice(from, to)
  const trimmed = value.trim()
  if (!dataClass || trimmed === '' || HARMLESS.test(trimmed)) return
  const start = from + value.indexOf(trimmed)
  const isQuoted = trimmed.length >= 2 && trimmed.startsWith("'") && trimmed.endsWith("'")
  const inset = isQuoted ? 1 : 0
  spans.push({ start: start + inset, end: start + trimmed.length - inset, class: dataClass })
}
