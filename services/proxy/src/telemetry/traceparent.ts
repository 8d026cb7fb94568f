/*
 * SPEC: SQLCommenter (google.github.io/sqlcommenter/spec): key='value' pairs in a comment at the end of a statement, or
 * at its beginning as some libraries write it; keys and values percent-encoded. SPEC: W3C Trace Context, section 3.2:
 * the value of `traceparent`.
 */

/** The trace that a client says its statement belongs to: a claim, checked for its form only. */
export interface TraceParent {
  readonly text: string
  readonly traceId: string
  readonly spanId: string
  readonly sampled: boolean
}

/** A comment that is longer than this is none of SQLCommenter's. */
const COMMENT_BYTES_MAX = 4_096

/**
 * The traceparent in a statement's bytes; undefined when there is none, or it is malformed. What does not begin or end
 * with a comment costs a look at two bytes.
 */
export const traceParentIn = (text: Buffer): TraceParent | undefined => {
  const end = endOf(text)
  if (text[end - 1] === SLASH && text[end - 2] === STAR) {
    const from = Math.max(0, end - COMMENT_BYTES_MAX)
    const start = text.lastIndexOf('/*', end - 3)
    const found = start >= from ? parentIn(text.toString('latin1', start + 2, end - 2)) : undefined
    if (found) return found
  }
  const start = startOf(text)
  if (text[start] !== SLASH || text[start + 1] !== STAR) return undefined
  const close = text.indexOf('*/', start + 2)
  return close < 0 || close - start > COMMENT_BYTES_MAX
    ? undefined
    : parentIn(text.toString('latin1', start + 2, close))
}

const SLASH = 0x2f
const STAR = 0x2a
const SEMICOLON = 0x3b
const SPACE = 0x20

const endOf = (text: Buffer): number => {
  let end = text.length
  while (end > 0 && ((text[end - 1] ?? 0) <= SPACE || text[end - 1] === SEMICOLON)) end--
  return end
}

const startOf = (text: Buffer): number => {
  let start = 0
  while (start < text.length && (text[start] ?? 0) <= SPACE) start++
  return start
}

const PAIR = /(?:^|[\s,])traceparent='([^']*)'(?=[\s,]|$)/

const parentIn = (comment: string): TraceParent | undefined => {
  const value = PAIR.exec(comment)?.[1]
  return value === undefined ? undefined : parseTraceParent(decoded(value))
}

const decoded = (value: string): string => {
  try {
    return decodeURIComponent(value)
  } catch {
    return ''
  }
}

const VERSION_0 = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/
const NO_TRACE = '0'.repeat(32)
const NO_SPAN = '0'.repeat(16)

/** Of later versions the part that they share with version 0 is taken, as the specification says. */
export const parseTraceParent = (text: string): TraceParent | undefined => {
  const [, version, traceId = NO_TRACE, spanId = NO_SPAN, flags = '00', more] = VERSION_0.exec(text) ?? []
  if (version === undefined || version === 'ff' || (version === '00' && more !== undefined)) return undefined
  if (traceId === NO_TRACE || spanId === NO_SPAN) return undefined
  const sampled = (Number.parseInt(flags, 16) & 1) === 1
  return { text: `00-${traceId}-${spanId}-${sampled ? '01' : '00'}`, traceId, spanId, sampled }
}
