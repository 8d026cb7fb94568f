import type { Name } from '@countersign/sql'
import type { Token } from './lexer.ts'

/** Steps through the tokens of one statement. What it gives, it has passed. */
export class Words {
  readonly tokens: readonly Token[]
  at = 0

  constructor(tokens: readonly Token[]) {
    this.tokens = tokens
  }

  get next(): Token | undefined {
    return this.tokens[this.at]
  }

  get ended(): boolean {
    return this.at >= this.tokens.length
  }

  /** Passes these words, or none of them. */
  take(...words: readonly string[]): boolean {
    const isThere = words.every((word, index) => wordOf(this.tokens[this.at + index]) === word)
    if (isThere) this.at += words.length
    return isThere
  }

  /** Passes one of these words, when it is next. */
  oneOf(...words: readonly string[]): string | undefined {
    const found = words.find((word) => wordOf(this.next) === word)
    if (found !== undefined) this.at += 1
    return found
  }

  /** A name without a schema. */
  identifier(): string | undefined {
    const token = this.next
    if (token?.kind !== 'word' && token?.kind !== 'quoted') return undefined
    this.at += 1
    return token.text
  }

  /** `a`, `a.b` */
  name(): Name | undefined {
    const first = this.identifier()
    if (first === undefined) return undefined
    if (!this.take('.')) return { name: first }
    const second = this.identifier()
    return second === undefined ? undefined : { schema: first, name: second }
  }

  /** `a, b.c` */
  names(): readonly Name[] | undefined {
    const names: Name[] = []
    do {
      const name = this.name()
      if (!name) return undefined
      names.push(name)
    } while (this.take(','))
    return names
  }

  kind(kind: Token['kind']): Token | undefined {
    const token = this.next
    if (token?.kind !== kind) return undefined
    this.at += 1
    return token
  }

  /** The tokens that are left. */
  rest(): readonly Token[] {
    return this.tokens.slice(this.at)
  }

  has(...words: readonly string[]): boolean {
    return this.tokens.slice(this.at).some((token) => words.includes(wordOf(token)))
  }
}

/** The keyword, or the sign; nothing of what is quoted. */
export const wordOf = (token: Token | undefined): string =>
  token === undefined ? '' : token.kind === 'word' ? token.word : token.kind === 'sign' ? token.text : ''
