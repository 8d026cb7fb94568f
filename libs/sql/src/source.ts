import { Buffer } from 'node:buffer'
import type { Node } from 'libpg-query'
import { parseOne, tokensOf, type Token } from './parser.ts'
import type { ConstantSpan } from './shape.ts'
import { sameTree } from './syntax-tree.ts'

/**
 * The text of one statement, with its tokens. Places in the parser's tree are bytes of the whole text, so `base`
 * says where this statement began there.
 */
export class Source {
  readonly text: string
  readonly base: number
  /** Where constants stand, when other constants may take their places (see `shapeOf`). */
  readonly constants: readonly ConstantSpan[]
  private readonly bytes: Buffer
  private scanned: readonly Token[] | undefined

  constructor(text: string, base = 0, constants: readonly ConstantSpan[] = []) {
    this.text = text
    this.base = base
    this.constants = constants
    this.bytes = Buffer.from(text)
  }

  get tokens(): readonly Token[] {
    return (this.scanned ??= tokensOf(this.text))
  }

  /** The text between two places in bytes. */
  slice(start: number, end?: number): string {
    return this.bytes.toString('utf8', start, end)
  }

  /** The text from one token up to, and without, another. */
  between(first: number, beyond: number): string {
    const start = this.tokens[first]
    const end = this.tokens[beyond - 1]
    return start && end && beyond > first ? this.slice(start.start, end.end) : ''
  }

  /** Which token stands at this place of the parser's tree. */
  tokenAt(location: number | undefined): number {
    return this.tokens.findIndex(({ start }) => start === (location ?? 0) - this.base)
  }
}

/**
 * Steps over tokens that are not inside parentheses, brackets or CASE … END, until those that the walk began in are
 * closed or the statement ends.
 */
export const topLevel = (tokens: readonly Token[], from: number): readonly number[] => {
  const found: number[] = []
  let depth = 0
  for (let index = from; index < tokens.length; index++) {
    const token = tokens[index]
    if (!token || (depth === 0 && token.text === ';')) break
    if (closes(token)) depth -= 1
    if (depth < 0) break
    if (depth === 0) found.push(index)
    if (opens(token)) depth += 1
  }
  return found
}

const opens = ({ text, isKeyword }: Token) => text === '(' || text === '[' || (isKeyword && text === 'case')
const closes = ({ text, isKeyword }: Token) => text === ')' || text === ']' || (isKeyword && text === 'end')

/** The first of these tokens that is one of the words, as a keyword. */
export const findWord = (tokens: readonly Token[], places: readonly number[], ...words: readonly string[]): number =>
  places.find((place) => tokens[place]?.isKeyword && words.includes(tokens[place].text)) ?? -1

/** What is cut out of a text is used only when it parses to exactly the tree that it was cut out for. */
export const cutOut = (text: string, expected: Node | undefined): { node: Node; source: Source } | undefined => {
  const node = text.length > 0 && expected ? parseOne(text) : undefined
  return node && sameTree(node, expected) ? { node, source: new Source(text) } : undefined
}
