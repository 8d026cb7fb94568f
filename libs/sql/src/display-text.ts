import { Buffer } from 'node:buffer'
import type { Understanding } from './command.ts'
import { tokensOf } from './parser.ts'
import { skipQuoted } from './text-limits.ts'

export const DISPLAY_LENGTH_MAX = 4_000

const HIDDEN = "'***'"

/** Constants in text form, whatever their quotes; bit strings hold no secrets. */
const STRINGS = new Set(['SCONST', 'USCONST'])

/**
 * The text for people, logs and events: shortened, and without passwords or keys. All string constants of a statement
 * that can carry one are hidden; of a text that could not be understood, all of them.
 */
export const displayText = (
  text: string,
  understanding: Understanding | undefined,
  lengthMax = DISPLAY_LENGTH_MAX,
): string => {
  const shown = understanding
    ? wholeCharacters(withoutSecrets(text, understanding), lengthMax)
    : withoutComments(withoutStrings(wholeCharacters(text, lengthMax)))
  return text.length <= lengthMax ? shown : `${shown}… (${Buffer.byteLength(text)} bytes)`
}

const withoutSecrets = (text: string, { commands }: Understanding): string => {
  const secret = commands.filter(({ secrets }) => secrets).map(({ span }) => span)
  if (secret.length === 0) return text
  const bytes = Buffer.from(text)
  let shown = ''
  let kept = 0
  for (const { start, end, name, text: written } of tokensOf(text)) {
    const isHidden = isString(name, written) && secret.some((span) => start >= span.start && end <= span.end)
    if (!isHidden) continue
    shown += bytes.toString('utf8', kept, start) + HIDDEN
    kept = end
  }
  return withoutComments(shown + bytes.toString('utf8', kept))
}

const isString = (name: string, text: string) => STRINGS.has(name) || /^(u&|e|n|b|x)?'|^\$\w*\$/i.test(text)

/** A password may also stand in a comment beside the statement. */
const withoutComments = (text: string): string => text.replace(/--[^\r\n]*|\/\*[^]*?\*\//g, '/* … */')

/** Whatever looks like a string, and nothing that follows one which does not end. */
const withoutStrings = (text: string): string => {
  let shown = ''
  let at = 0
  while (at < text.length) {
    const end = skipQuoted(text, at)
    const isQuoted = end !== undefined && text[at] !== '"'
    shown += isQuoted ? HIDDEN : text.slice(at, end ?? at + 1)
    at = end ?? at + 1
  }
  return shown
}

/** Not in the middle of a surrogate pair. */
const wholeCharacters = (text: string, length: number): string => {
  const last = text.charCodeAt(length - 1)
  if (text.length <= length) return text
  return text.slice(0, last >= 0xd800 && last <= 0xdbff ? length - 1 : length)
}
