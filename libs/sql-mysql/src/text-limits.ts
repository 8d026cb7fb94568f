import { Buffer } from 'node:buffer'
import { SqlRefusedError } from '@countersign/sql'
import type { Token } from './lexer.ts'

export const TEXT_BYTES_MAX = 1024 * 1024

/** node-sql-parser takes twice as long for each parenthesis of what it cannot read. */
export const DEPTH_MAX = 14

/** sqlparser-ts recurses: a few hundred operators in a row break its instance for good. */
export const CHAIN_MAX = 200

/** Refuses what must not be read at all. */
export const checkText = (text: string): void => {
  if (Buffer.byteLength(text) > TEXT_BYTES_MAX) {
    throw new SqlRefusedError('SQL_TOO_LARGE', `statement is longer than ${TEXT_BYTES_MAX} bytes`)
  }
  if (text.includes('\0')) throw new SqlRefusedError('SQL_NUL', 'statement holds a NUL character: remove it')
  if (!text.isWellFormed()) throw new SqlRefusedError('SQL_AMBIGUOUS', 'statement is not UTF-8')
}

const SETS = new Set(['UNION', 'INTERSECT', 'EXCEPT', 'JOIN', 'STRAIGHT_JOIN'])
const CHAINED = new Set(['AND', 'OR', 'XOR', 'NOT', 'DIV', 'MOD', 'LIKE', 'IS', 'BINARY', 'BETWEEN', 'COLLATE', 'REGEXP', 'RLIKE', 'IN'])
const PREFIXES = new Set(['NOT', 'BINARY', '-', '+', '~', '!'])
const isPrefix = ({ word, text }: Token): boolean => PREFIXES.has(word) || PREFIXES.has(text)

/** Refuses what must not reach the parsers. */
export const checkDepth = (tokens: readonly Token[]): void => {
  const chains: number[] = [0]
  let sets = 0
  let prefixes = 0
  for (const token of tokens) {
    const { kind, text, word } = token
    if (text === '(' || word === 'CASE') chains.push(0)
    else if (text === ')' || word === 'END') chains.pop()
    else if (text === ',' || text === ';') chains[chains.length - 1] = 0
    else if (kind === 'sign' || CHAINED.has(word)) chains[chains.length - 1] = (chains.at(-1) ?? 0) + 1
    sets += SETS.has(word) ? 1 : 0
    prefixes = isPrefix(token) ? prefixes + 1 : 0
    const isDeep = chains.length > DEPTH_MAX + 1 || (chains.at(-1) ?? 0) > CHAIN_MAX || sets > CHAIN_MAX || prefixes > DEPTH_MAX
    if (isDeep) throw new SqlRefusedError('SQL_TOO_DEEP', 'statement is nested too deep, or has too many operators in a row')
    if (chains.length === 0) chains.push(0)
  }
}
