import { Buffer } from 'node:buffer'
import { SqlRefusedError } from '@countersign/sql'
import type { Token } from './lexer.ts'
import { wordOf } from './words.ts'

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
const CHAINED = new Set([
  'AND',
  'OR',
  'XOR',
  'NOT',
  'DIV',
  'MOD',
  'LIKE',
  'IS',
  'BINARY',
  'BETWEEN',
  'COLLATE',
  'REGEXP',
  'RLIKE',
  'IN',
])
const PREFIXES = new Set(['NOT', 'BINARY', '-', '+', '~', '!'])
const isPrefix = ({ word, text }: Token): boolean => PREFIXES.has(word) || PREFIXES.has(text)

/** Clients send one, and the server accepts one (README.md): more than one is understood only to be told apart. */
export const STATEMENTS_MAX = 100

/** Refuses what must not reach the parsers. */
export const checkDepth = (tokens: readonly Token[]): void => {
  const depth = new Depth()
  for (const token of tokens) {
    if (depth.isTooDeepWith(token)) {
      throw new SqlRefusedError('SQL_TOO_DEEP', 'statement is nested too deep, or has too many operators in a row')
    }
  }
}

/** Counts without believing that the text is well formed: nothing but its own closing makes a count smaller. */
class Depth {
  readonly #chains: number[] = [0]
  #cases = 0
  #sets = 0
  #prefixes = 0
  #statements = 0

  isTooDeepWith(token: Token): boolean {
    this.#nest(token)
    this.#chain(token)
    this.#prefixes = isPrefix(token) ? this.#prefixes + 1 : 0
    const deepest = Math.max(this.#chains.length - 1, this.#cases, this.#prefixes)
    const longest = Math.max(this.#chains.at(-1) ?? 0, this.#sets)
    return deepest > DEPTH_MAX || longest > CHAIN_MAX || this.#statements > STATEMENTS_MAX
  }

  #nest(token: Token): void {
    const word = wordOf(token)
    if (word === '(') this.#chains.push(0)
    if (word === ')' && this.#chains.length > 1) this.#chains.pop()
    if (word === 'CASE') this.#cases += 1
    if (word === 'END' && this.#cases > 0) this.#cases -= 1
    if (word === ';') this.#statements += 1
  }

  #chain({ kind, text, word }: Token): void {
    const last = this.#chains.length - 1
    if (kind === 'sign' && (text === ',' || text === ';')) this.#chains[last] = 0
    else if (kind === 'sign' || CHAINED.has(word)) this.#chains[last] = (this.#chains[last] ?? 0) + 1
    if (SETS.has(word)) this.#sets += 1
  }
}
