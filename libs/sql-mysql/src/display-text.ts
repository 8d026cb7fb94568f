import { Buffer } from 'node:buffer'
import { DISPLAY_LENGTH_MAX, SqlRefusedError, SqlSyntaxError } from '@countersign/sql'
import type { MysqlUnderstanding } from './command.ts'
import { tokensOf, type Token } from './lexer.ts'

const HIDDEN = "'***'"

/**
 * The text for people, logs and events: shortened, and without passwords or keys. All constants of a statement that can
 * carry one are hidden, and comments; of a text that could not be understood, all of them, and of one that cannot even
 * be cut into words, everything behind its first quote.
 */
export const displayTextOfMysql = (
  text: string,
  understanding: MysqlUnderstanding | undefined,
  lengthMax = DISPLAY_LENGTH_MAX,
): string => {
  const shown = wholeCharacters(withoutSecrets(text, understanding), lengthMax)
  return shown.length < lengthMax && text.length <= lengthMax ? shown : `${shown}… (${Buffer.byteLength(text)} bytes)`
}

const withoutSecrets = (text: string, understanding: MysqlUnderstanding | undefined): string => {
  const secret = understanding?.commands.filter(({ secrets }) => secrets).map(({ span }) => span)
  if (secret?.length === 0) return text
  const tokens = tokensIn(text)
  if (!tokens) return text.slice(0, text.search(/['"`#@]|--|\/\*|$/)) + HIDDEN
  return tokens.map((token, at) => space(tokens[at - 1], token) + shownOf(token, secret)).join('')
}

/** Comments between two words become a space: a password may stand in one as well. */
const space = (last: Token | undefined, { start }: Token): string =>
  last === undefined || last.end === start ? '' : ' '

const CONSTANTS = new Set<Token['kind']>(['string', 'bits', 'number', 'variable'])

const shownOf = (token: Token, secret: readonly { start: number; end: number }[] | undefined): string => {
  const isIn = secret === undefined || secret.some(({ start, end }) => token.start >= start && token.end <= end)
  if (isIn && CONSTANTS.has(token.kind)) return HIDDEN
  if (token.kind === 'string') return `'${token.text.replaceAll("'", "''")}'`
  return token.kind === 'quoted' ? `\`${token.text}\`` : token.text
}

const tokensIn = (text: string): readonly Token[] | undefined => {
  try {
    return tokensOf(text)
  } catch (error) {
    if (error instanceof SqlSyntaxError || error instanceof SqlRefusedError) return undefined
    throw error
  }
}

/** Not in the middle of a surrogate pair. */
const wholeCharacters = (text: string, length: number): string => {
  const last = text.charCodeAt(length - 1)
  if (text.length <= length) return text
  return text.slice(0, last >= 0xd800 && last <= 0xdbff ? length - 1 : length)
}
