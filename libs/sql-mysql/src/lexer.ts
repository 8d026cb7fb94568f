import { SqlRefusedError, SqlSyntaxError } from '@countersign/sql'

/*
 * MySQL's own reading of a text into tokens, under the settings that a node pins (README.md): utf8mb4, and a sql_mode
 * without ANSI_QUOTES, NO_BACKSLASH_ESCAPES, PIPES_AS_CONCAT and IGNORE_SPACE.
 *
 * Everything else in this library works on these tokens; neither parser ever sees the bytes of a client. What MySQL and
 * MariaDB, or two versions of one, could read in two ways is refused here: comments that are code for some servers,
 * names and numbers that run into each other, strings that do not end.
 */

export type TokenKind = 'word' | 'quoted' | 'string' | 'bits' | 'number' | 'parameter' | 'variable' | 'sign'

export interface Token {
  readonly kind: TokenKind
  /** Words as they are written; what is quoted without its quotes; strings with their escapes undone. */
  readonly text: string
  /** Upper case, of a word that stands where a keyword may stand; otherwise empty. */
  readonly word: string
  /** Characters of the text. */
  readonly start: number
  readonly end: number
  /** A charset introducer before a string: `_utf8mb4`. */
  readonly introducer?: string
}

export const tokensOf = (text: string): readonly Token[] => {
  const tokens: Token[] = []
  let at = 0
  while ((at = skipBlank(text, at, tokens)) < text.length) {
    const token = tokenAt(text, at, tokens.at(-1))
    at = token.end
    const last = tokens.at(-1)
    if (token.kind === 'string' && last?.kind === 'string' && canContinue(last, token)) {
      tokens[tokens.length - 1] = { ...last, text: last.text + token.text, end: token.end }
    } else if (isIntroducer(last, token)) {
      tokens[tokens.length - 1] = { ...token, start: last.start, introducer: last.text }
    } else tokens.push(token)
  }
  return tokens
}

/** `'a' 'b'` is one string. */
const canContinue = (_last: Token, { introducer }: Token): boolean => introducer === undefined

const INTRODUCERS = new Set([
  '_utf8',
  '_utf8mb3',
  '_utf8mb4',
  '_latin1',
  '_ascii',
  '_binary',
  '_ucs2',
  '_utf16',
  '_utf32',
])

/**
 * `_latin1'x'`. The server reads the string by the charset of the connection, whatever the introducer says, so that it
 * ends where it ends here. `N'x'` is the same.
 */
const isIntroducer = (last: Token | undefined, { kind, start }: Token): last is Token => {
  if (last?.kind !== 'word' || (kind !== 'string' && kind !== 'bits')) return false
  const name = last.text.toLowerCase()
  return INTRODUCERS.has(name) || (name === 'n' && last.end === start)
}

const code = (text: string, at: number): number => text.charCodeAt(at)

const isDigit = (char: number): boolean => char >= 0x30 && char <= 0x39
const isNamePart = (char: number): boolean =>
  isDigit(char) ||
  (char >= 0x41 && char <= 0x5a) ||
  (char >= 0x61 && char <= 0x7a) ||
  char === 0x5f ||
  char === 0x24 ||
  char > 0x7f

const isBlank = (char: number): boolean => char === 0x20 || (char >= 0x09 && char <= 0x0d)

/** Past white space and comments. */
const skipBlank = (text: string, from: number, before: readonly Token[]): number => {
  let at = from
  for (;;) {
    while (at < text.length && isBlank(code(text, at))) at += 1
    const end = endOfComment(text, at, before)
    if (end === undefined) return at
    at = end
  }
}

/** `--` begins a comment only before white space, a control character or the end: otherwise it is minus minus. */
const endOfComment = (text: string, at: number, before: readonly Token[]): number | undefined => {
  const char = text[at]
  if (char === '#') return endOfLine(text, at)
  if (char === '-' && text[at + 1] === '-') {
    const next = code(text, at + 2)
    return at + 2 >= text.length || next <= 0x20 || next === 0x7f ? endOfLine(text, at + 2) : undefined
  }
  return char === '/' && text[at + 1] === '*' ? endOfBlock(text, at, before) : undefined
}

const endOfLine = (text: string, from: number): number => {
  const end = text.indexOf('\n', from)
  return end < 0 ? text.length : end + 1
}

/** What stands in `/*! … *\/` and `/*M! … *\/` runs on some servers and not on others. Comments do not nest. */
const endOfBlock = (text: string, at: number, before: readonly Token[]): number => {
  if (text[at + 2] === '!' || (/[mM]/.test(text[at + 2] ?? '') && text[at + 3] === '!')) {
    throw refused(
      'SQL_VERSION_COMMENT',
      'a comment that is code for some servers (`/*! … */`): write the code, or leave it out',
    )
  }
  const end = text.indexOf('*/', at + 2)
  if (end < 0) throw new SqlSyntaxError('comment does not end', at)
  const content = text.slice(at + 2, end)
  if (content.includes('/*')) {
    throw refused('SQL_VERSION_COMMENT', 'a comment within a comment: servers disagree on where it ends')
  }
  if (content.startsWith('+') && !isHarmlessHint(content.slice(1), before)) {
    throw refused('SQL_VERSION_COMMENT', 'an optimizer hint that changes more than the plan: leave it out')
  }
  return end + 2
}

const HINTS = new Set(
  (
    'BKA NO_BKA BNL NO_BNL DERIVED_CONDITION_PUSHDOWN NO_DERIVED_CONDITION_PUSHDOWN HASH_JOIN NO_HASH_JOIN INDEX NO_INDEX ' +
    'GROUP_INDEX NO_GROUP_INDEX JOIN_INDEX NO_JOIN_INDEX ORDER_INDEX NO_ORDER_INDEX INDEX_MERGE NO_INDEX_MERGE ' +
    'JOIN_FIXED_ORDER JOIN_ORDER JOIN_PREFIX JOIN_SUFFIX MAX_EXECUTION_TIME MERGE NO_MERGE MRR NO_MRR NO_ICP ' +
    'NO_RANGE_OPTIMIZATION QB_NAME SEMIJOIN NO_SEMIJOIN SKIP_SCAN NO_SKIP_SCAN SUBQUERY'
  ).split(' '),
)

const HINT_LENGTH_MAX = 1_000

/** `SET_VAR` and `RESOURCE_GROUP` are hints as well: only those that speak of the plan are passed over. */
const isHarmlessHint = (hints: string, before: readonly Token[]): boolean =>
  hints.length <= HINT_LENGTH_MAX &&
  before.length > 0 &&
  [...hints.matchAll(/([\w$]+)\s*\(/g)].every(([, name = '']) => HINTS.has(name.toUpperCase())) &&
  !/["'`]/.test(hints)

const refused = (why: 'SQL_VERSION_COMMENT' | 'SQL_AMBIGUOUS', message: string) => new SqlRefusedError(why, message)

const tokenAt = (text: string, start: number, last: Token | undefined): Token => {
  const char = text[start] ?? ''
  const afterDot = last?.kind === 'sign' && last.text === '.'
  if (char === "'" || char === '"') return stringAt(text, start)
  if (char === '`') return quotedAt(text, start)
  if (char === '@') return variableAt(text, start)
  if (char === '?') return { kind: 'parameter', text: '?', word: '', start, end: start + 1 }
  if (char === '\\') return nullAt(text, start)
  if (isDigit(code(text, start)) || (char === '.' && isDigit(code(text, start + 1)) && !endsName(last, start))) {
    return numberAt(text, start, afterDot)
  }
  if (isNamePart(code(text, start))) return wordAt(text, start, afterDot)
  return signAt(text, start)
}

const endsName = (last: Token | undefined, start: number): boolean =>
  last !== undefined && last.end === start && (last.kind === 'word' || last.kind === 'quoted' || last.text === ')')

const wordAt = (text: string, start: number, afterDot: boolean): Token => {
  const end = endOfName(text, start)
  const name = text.slice(start, end)
  if (/^[xXbB]$/.test(name) && text[end] === "'") return bitsAt(text, start, end)
  return { kind: 'word', text: name, word: afterDot ? '' : name.toUpperCase(), start, end }
}

const endOfName = (text: string, start: number): number => {
  let end = start
  while (end < text.length && isNamePart(code(text, end))) end += 1
  return end
}

/** `X'4D'`, `b'01'`: nothing but digits, or the server would refuse it. */
const bitsAt = (text: string, start: number, quote: number): Token => {
  const end = text.indexOf("'", quote + 1)
  const content = end < 0 ? '?' : text.slice(quote + 1, end)
  const digits = /^[xX]/.test(text.slice(start)) ? /^([0-9a-fA-F]{2})*$/ : /^[01]*$/
  if (!digits.test(content)) throw new SqlSyntaxError('not a literal of hexadecimal or binary digits', start)
  return { kind: 'bits', text: text.slice(start, end + 1), word: '', start, end: end + 1 }
}

const NUMBER = /(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?/y
const BITS = /0x[0-9a-fA-F]+|0b[01]+/y

/**
 * A name may begin with a digit, `1.e(` was a number and a function for some versions, `0xZZ` is a name: all of these
 * are ways to hide one thing in another, and nobody needs them.
 */
const numberAt = (text: string, start: number, afterDot: boolean): Token => {
  BITS.lastIndex = start
  const bits = BITS.exec(text)?.[0]
  NUMBER.lastIndex = start
  const found = bits ?? NUMBER.exec(text)?.[0] ?? ''
  const end = start + found.length
  const next = code(text, end)
  if (afterDot || isNamePart(next) || (next === 0x2e && !bits) || found === '') {
    throw refused(
      'SQL_AMBIGUOUS',
      'a name that begins with a digit, or a number that runs into what follows: quote the name, or add a space',
    )
  }
  return { kind: bits ? 'bits' : 'number', text: found, word: '', start, end }
}

const ESCAPES: Readonly<Record<string, string>> = { '0': '\0', b: '\b', n: '\n', r: '\r', t: '\t', Z: '\x1a' }

/** A quote within is doubled or behind a backslash. `\%` and `\_` keep their backslash. */
const stringAt = (text: string, start: number): Token => {
  const quote = text[start]
  let content = ''
  let at = start + 1
  while (at < text.length) {
    const char = text[at] ?? ''
    if (char === '\\' && at + 1 < text.length) {
      const next = text[at + 1] ?? ''
      content += next === '%' || next === '_' ? `\\${next}` : (ESCAPES[next] ?? next)
      at += 2
    } else if (char === quote && text[at + 1] === quote) {
      content += char
      at += 2
    } else if (char === quote) return { kind: 'string', text: content, word: '', start, end: at + 1 }
    else {
      content += char
      at += 1
    }
  }
  throw new SqlSyntaxError('string does not end', start)
}

/** No backslashes in here. */
const quotedAt = (text: string, start: number): Token => {
  let name = ''
  let at = start + 1
  for (;;) {
    const end = text.indexOf('`', at)
    if (end < 0) throw new SqlSyntaxError('quoted name does not end', start)
    name += text.slice(at, end)
    if (text[end + 1] !== '`') {
      if (name === '') throw new SqlSyntaxError('a name without a letter', start)
      return { kind: 'quoted', text: name, word: '', start, end: end + 1 }
    }
    name += '`'
    at = end + 2
  }
}

/** `@x`, `@'x'`, `@@x`; what follows a dot belongs to it only for the server's own: `@@global.x`. */
const variableAt = (text: string, start: number): Token => {
  const isSystem = text[start + 1] === '@'
  const from = start + (isSystem ? 2 : 1)
  const char = text[from] ?? ''
  if (/['"`]/.test(char)) {
    const { text: name, end } = char === '`' ? quotedAt(text, from) : stringAt(text, from)
    return { kind: 'variable', text: `${isSystem ? '@@' : '@'}${name}`, word: '', start, end }
  }
  let end = from
  while (end < text.length && (isNamePart(code(text, end)) || text[end] === '.')) end += 1
  if (end === from && isSystem) throw new SqlSyntaxError('a variable without a name', start)
  return { kind: 'variable', text: text.slice(start, end), word: '', start, end }
}

/** `\N` is NULL. */
const nullAt = (text: string, start: number): Token => {
  if (text[start + 1] !== 'N' || isNamePart(code(text, start + 2))) {
    throw new SqlSyntaxError('a backslash outside of a string', start)
  }
  return { kind: 'word', text: 'NULL', word: 'NULL', start, end: start + 2 }
}

const SIGNS = ['<=>', '->>', '<<', '>>', '<=', '>=', '<>', '!=', ':=', '||', '&&', '->', '{', '}']
const SINGLE = new Set('()[]{},;.+-*/%&|^~!<>=:')

const signAt = (text: string, start: number): Token => {
  const long = SIGNS.find((sign) => text.startsWith(sign, start))
  const sign = long ?? text[start] ?? ''
  if (!long && !SINGLE.has(sign)) throw new SqlSyntaxError('a character that begins nothing', start)
  return { kind: 'sign', text: sign, word: '', start, end: start + sign.length }
}
