import { SqlRefusedError, SqlSyntaxError } from '@countersign/sql'
import { UnreadError } from './json-node.ts'
import { tokensOf, type Token } from './lexer.ts'
import { treeOfServer } from './parsers.ts'
import { plainText } from './plain-text.ts'
import { checkDepth, checkText } from './text-limits.ts'
import type { Query, Tree } from './tree.ts'

/** The query of a view; undefined when it cannot be read. */
export const viewTree = (definition: string | undefined): Query | undefined => {
  const tokens = definition === undefined ? undefined : storedTokens(definition)
  const tree = tokens && storedTree(tokens)
  return tree?.is === 'query' ? tree.query : undefined
}

/** The tokens of a text that the server has stored; undefined when it is none that is read here. */
export const storedTokens = (text: string): readonly Token[] | undefined =>
  attempt(() => {
    checkText(text)
    const tokens = tokensOf(text)
    checkDepth(tokens)
    return tokens
  })

export const storedTree = (tokens: readonly Token[]): Tree | undefined =>
  attempt(() => {
    const plain = plainText(tokens)
    return plain.locks || plain.intoVariables ? undefined : treeOfServer(plain)
  })

const attempt = <T>(read: () => T): T | undefined => {
  try {
    return read()
  } catch (error) {
    if (error instanceof UnreadError || error instanceof SqlSyntaxError || error instanceof SqlRefusedError)
      return undefined
    throw error
  }
}
