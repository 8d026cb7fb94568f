import { Buffer } from 'node:buffer'
import { SqlRefusedError } from './sql-error.ts'

export const TEXT_BYTES_MAX = 16 * 1024 * 1024

/** Nested comments cost the parser, and the server, quadratic time. Nobody nests them this deep. */
export const COMMENT_DEPTH_MAX = 64

/** Refuses what must not reach the parser. Linear in the length of the text. */
export const checkText = (text: string): void => {
  if (Buffer.byteLength(text) > TEXT_BYTES_MAX) {
    throw new SqlRefusedError('SQL_TOO_LARGE', `statement is longer than ${TEXT_BYTES_MAX} bytes`)
  }
  if (text.includes('\0')) throw new SqlRefusedError('SQL_NUL', 'statement holds a NUL character: remove it')
  if (commentDepth(text) > COMMENT_DEPTH_MAX) {
    throw new SqlRefusedError('SQL_COMMENTS_TOO_DEEP', `comments are nested deeper than ${COMMENT_DEPTH_MAX}`)
  }
}

const BLOCK = /\/\*|\*\//g

/**
 * How deep block comments nest. Only an estimate of what the parser will find in a text whose quotes do not match,
 * which is enough: what it misses costs time, and the caller has a deadline.
 */
export const commentDepth = (text: string): number => {
  if (!text.includes('/*')) return 0
  let deepest = 0
  let at = 0
  while (at < text.length) {
    if (text.startsWith('/*', at)) {
      const comment = commentAt(text, at)
      deepest = Math.max(deepest, comment.depth)
      at = comment.end
    } else {
      at = skipQuoted(text, at) ?? at + 1
    }
  }
  return deepest
}

const commentAt = (text: string, start: number): { end: number; depth: number } => {
  let depth = 0
  let deepest = 0
  BLOCK.lastIndex = start
  for (let match = BLOCK.exec(text); match; match = BLOCK.exec(text)) {
    depth += match[0] === '/*' ? 1 : -1
    deepest = Math.max(deepest, depth)
    if (depth === 0) return { end: BLOCK.lastIndex, depth: deepest }
  }
  return { end: text.length, depth: deepest }
}

/** The end of the string, quoted name, dollar quote or line comment that starts here; undefined when none does. */
export const skipQuoted = (text: string, at: number): number | undefined => {
  const char = text[at]
  if (char === "'") return endOfString(text, at)
  if (char === '"') return after(text, '"', at + 1)
  if (char === '-' && text[at + 1] === '-') return endOfLine(text, at)
  if (char === '$') return endOfDollarQuote(text, at)
  return undefined
}

const endOfString = (text: string, start: number): number => {
  if (!isEscapeString(text, start)) return after(text, "'", start + 1)
  let at = start + 1
  while (at < text.length && text[at] !== "'") at += text[at] === '\\' ? 2 : 1
  return at + 1
}

const isEscapeString = (text: string, quote: number) =>
  /[eE]/.test(text[quote - 1] ?? '') && !/[\w$\u0080-\uffff]/.test(text[quote - 2] ?? '')

const endOfLine = (text: string, start: number): number => {
  const rest = /[\r\n]/g
  rest.lastIndex = start
  return rest.test(text) ? rest.lastIndex : text.length
}

const DOLLAR_TAG = /\$(?:[A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*)?\$/y

const endOfDollarQuote = (text: string, start: number): number | undefined => {
  if (/[\w$\u0080-\uffff]/.test(text[start - 1] ?? '')) return undefined // Part of a name: `a$b$`.
  DOLLAR_TAG.lastIndex = start
  const tag = DOLLAR_TAG.exec(text)?.[0]
  return tag === undefined ? undefined : after(text, tag, start + tag.length)
}

const after = (text: string, what: string, from: number): number => {
  const found = text.indexOf(what, from)
  return found < 0 ? text.length : found + what.length
}
