/*
 * The shape of a statement: its text with the plain constants taken out, and a space for each comment. Two texts of one
 * shape are lexed by the server into the same tokens but for the values of these constants.
 *
 * Tools put what changes with each statement into comments (SQLCommenter: `traceparent`).
 *
 * That holds because only a part of the lexical grammar is accepted here, in which there is no doubt about where a
 * token ends: whatever is outside of it has no shape. It runs for each simple query, so it is a loop over character
 * codes and nothing else.
 */

/** Stand in for constants. They are not accepted in a text, so a shape cannot be mistaken for another one. */
const INTEGER = '\u0001'
const BIG_INTEGER = '\u0002'
const DECIMAL = '\u0003'
const STRING = '\u0004'

export interface ConstantSpan {
  readonly start: number
  readonly end: number
}

const NOT_ACCEPTED = 0
const OTHER = 1
const WORD = 2
const DIGIT = 3

/** What each ASCII character may be. Line feed, carriage return and tab are white space in every version. */
const KINDS = (() => {
  const kinds = new Uint8Array(128)
  for (const char of '\t\n\r !"#%&\'()*+,-./:;<=>?@[]^`|~') kinds[char.charCodeAt(0)] = OTHER
  for (const char of 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_') kinds[char.charCodeAt(0)] = WORD
  for (const char of '0123456789') kinds[char.charCodeAt(0)] = DIGIT
  kinds['$'.charCodeAt(0)] = OTHER
  return kinds
})()

const ZERO = 0x30
const NINE = 0x39
const QUOTE = 0x27
const DOUBLE_QUOTE = 0x22
const BACKSLASH = 0x5c
const DOLLAR = 0x24
const DOT = 0x2e
const MINUS = 0x2d
const SLASH = 0x2f
const STAR = 0x2a
const AMPERSAND = 0x26

const kindAt = (text: string, at: number): number => {
  const code = text.charCodeAt(at)
  return code < 128 ? (KINDS[code] ?? NOT_ACCEPTED) : NOT_ACCEPTED
}

export const shapeOf = (text: string): string | undefined => {
  let shape = ''
  let kept = 0
  let at = 0
  while (at < text.length) {
    const end = endOfToken(text, at)
    if (end < 0) return undefined
    const code = text.charCodeAt(at)
    if (code === QUOTE || (code >= ZERO && code <= NINE)) {
      shape += text.slice(kept, at) + (code === QUOTE ? STRING : numberMark(text, at, end))
      kept = end
    } else if (code === SLASH && end > at + 1) {
      shape += `${text.slice(kept, at)} `
      kept = end
    }
    at = end
  }
  return kept === 0 ? text : shape + text.slice(kept)
}

/** Where the constants of a text stand, in the order of its shape's marks; none when it has no shape. */
export const constantsOf = (text: string): readonly ConstantSpan[] => {
  const spans: ConstantSpan[] = []
  let at = 0
  while (at < text.length) {
    const end = endOfToken(text, at)
    if (end < 0) return []
    const code = text.charCodeAt(at)
    if (code === QUOTE || (code >= ZERO && code <= NINE)) spans.push({ start: at, end })
    at = end
  }
  return spans
}

/** Where the token, or the white space, that starts here ends; -1 when the text has no shape. */
const endOfToken = (text: string, at: number): number => {
  const code = text.charCodeAt(at)
  const kind = code < 128 ? KINDS[code] : NOT_ACCEPTED
  if (kind === WORD) return endOfWord(text, at + 1)
  if (kind === DIGIT) return endOfNumber(text, at)
  if (kind !== OTHER) return -1
  if (code === QUOTE) return endOfString(text, at)
  if (code === DOUBLE_QUOTE) return endOfQuotedName(text, at)
  return code === DOLLAR ? endOfParameter(text, at) : afterSign(text, at, code)
}

/** A dollar inside a name is legal, and the classic way to mislead a reader of SQL: no shape. */
const endOfWord = (text: string, from: number): number => {
  let at = from
  while (at < text.length) {
    const kind = kindAt(text, at)
    if (kind !== WORD && kind !== DIGIT) break
    at += 1
  }
  const next = text.charCodeAt(at)
  return next === DOLLAR || next === QUOTE || next > 127 ? -1 : at // E'…', B'…', N'…': the prefix changes the string.
}

/** Digits, or digits with a fraction. What follows may not be able to continue a number in any version. */
const endOfNumber = (text: string, start: number): number => {
  let at = endOfDigits(text, start)
  if (hasDoubtfulType(text, start, at)) return -1
  if (text.charCodeAt(at) === DOT) {
    const fraction = endOfDigits(text, at + 1)
    if (fraction === at + 1 || text.charCodeAt(fraction) === DOT) return -1
    at = fraction
  }
  const next = text.charCodeAt(at)
  const isContinued = kindAt(text, at) === WORD || next === DOLLAR || next > 127
  return isContinued || text.charCodeAt(start - 1) === DOT ? -1 : at
}

const endOfDigits = (text: string, start: number): number => {
  let at = start
  while (kindAt(text, at) === DIGIT) at += 1
  return at
}

const INT4_MAX = 2_147_483_647
const DIGITS_MAX = 18

/** The server gives an integer constant the first type that holds it, and that type can choose the operator. */
const numberMark = (text: string, start: number, end: number): string => {
  let value = 0
  for (let at = start; at < end; at++) {
    const code = text.charCodeAt(at)
    if (code === DOT) return DECIMAL
    value = value * 10 + (code - ZERO)
  }
  return value <= INT4_MAX ? INTEGER : BIG_INTEGER
}

/** Beyond these the type is in doubt: too long for any integer, or the one number that a minus makes shorter. */
const hasDoubtfulType = (text: string, start: number, end: number): boolean =>
  end - start > DIGITS_MAX || (end - start >= 10 && Number(text.slice(start, end)) === INT4_MAX + 1)

/** A standard string of printable ASCII, without a quote or a backslash inside. */
const endOfString = (text: string, start: number): number => {
  if (text.charCodeAt(start - 1) === AMPERSAND) return -1 // U&'…'
  const end = text.indexOf("'", start + 1)
  if (end < 0 || text.charCodeAt(end + 1) === QUOTE || isStringContinued(text, end)) return -1
  for (let at = start + 1; at < end; at++) {
    const code = text.charCodeAt(at)
    if (code === BACKSLASH || code < 32 || code > 126) return -1
  }
  return end + 1
}

/**
 * `'a'` on one line and `'b'` on the next are one string. With a comment in between they are not, but the shape of a
 * comment is a space.
 */
const isStringContinued = (text: string, quote: number): boolean => {
  let at = quote + 1
  for (;;) {
    const code = text.charCodeAt(at)
    const comment = code === SLASH && text.charCodeAt(at + 1) === STAR ? endOfComment(text, at) : -1
    if (comment > 0) at = comment
    else if (code === 32 || code === 9 || code === 10 || code === 13) at += 1
    else return code === QUOTE
  }
}

const endOfQuotedName = (text: string, start: number): number => {
  if (text.charCodeAt(start - 1) === AMPERSAND) return -1 // U&"…"
  const end = text.indexOf('"', start + 1)
  if (end < 0) return -1
  for (let at = start + 1; at < end; at++) {
    const code = text.charCodeAt(at)
    if (code === BACKSLASH || code < 32 || code > 126) return -1
  }
  return end + 1
}

const endOfParameter = (text: string, start: number): number => {
  const end = endOfDigits(text, start + 1)
  const next = text.charCodeAt(end)
  const isLast = kindAt(text, end) !== WORD && next !== DOLLAR && next !== DOT && !(next > 127)
  return end > start + 1 && isLast ? end : -1
}

/** One sign, or a comment. One that reaches to the end of its line is not accepted: it can continue a string. */
const afterSign = (text: string, at: number, code: number): number => {
  const next = text.charCodeAt(at + 1)
  if (code === MINUS && next === MINUS) return -1
  return code === SLASH && next === STAR ? endOfComment(text, at) : at + 1
}

/**
 * Comments within comments are not accepted; nor what is not ASCII, because places in a text are counted in bytes
 * elsewhere, and a count would be made with another text's constants.
 */
const endOfComment = (text: string, start: number): number => {
  const end = text.indexOf('*/', start + 2)
  const inner = text.indexOf('/*', start + 2)
  if (end < 0 || (inner >= 0 && inner < end + 1)) return -1
  for (let at = start + 2; at < end; at++) if (!isPlain(text.charCodeAt(at))) return -1
  return end + 2
}

/** Printable ASCII, a tab or the end of a line. */
const isPlain = (code: number): boolean => (code >= 32 && code < 127) || code === 9 || code === 10 || code === 13
