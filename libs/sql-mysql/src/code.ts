import { changeUses } from './change-uses.ts'
import type { Findings } from './findings.ts'
import type { Token } from './lexer.ts'
import { Resolver, type Context } from './resolve.ts'
import type { Tree } from './tree.ts'
import { storedTokens, storedTree } from './view-tree.ts'
import { wordOf } from './words.ts'

/* Code that the server has stored: routines and triggers of plain statements, one after the other. */

/** Adds what a body does. False when there is anything in it that is not a plain statement. */
export const readCode = (definition: string, context: Context, found: Findings): boolean => {
  const trees = treesOf(definition)
  if (!trees) return false
  const before = found.reads.size
  const inside = new Resolver(context, found)
  for (const tree of trees) {
    if (tree.is === 'query') inside.query(tree.query)
    else changeUses(tree, context, found)
  }
  // Which of what code reads comes out of it, nobody knows.
  if (found.reads.size > before) found.mayRead.add(found.reads.list)
  return true
}

const treesOf = (definition: string): readonly Tree[] | undefined => {
  const tokens = storedTokens(definition)
  const trees = tokens && statementsIn(tokens).map(storedTree)
  return trees?.every((tree) => tree !== undefined) ? trees : undefined
}

/** `BEGIN a; b; END` or `a`. What they compute is read as a query. */
const statementsIn = (tokens: readonly Token[]): readonly (readonly Token[])[] => {
  const isBlock = wordOf(tokens[0]) === 'BEGIN' && wordOf(tokens.at(-1)) === 'END'
  const inside = isBlock ? tokens.slice(1, -1) : tokens
  const statements: Token[][] = [[]]
  for (const token of inside) {
    if (wordOf(token) === ';') statements.push([])
    else statements.at(-1)?.push(token)
  }
  return statements.filter((statement) => statement.length > 0).map(asQuery)
}

/** `RETURN x` and `SET NEW.a = x` are `SELECT x`. */
const asQuery = (statement: readonly Token[]): readonly Token[] => {
  const [first] = statement
  if (!first) return statement
  const select: Token = { ...first, kind: 'word', text: 'SELECT', word: 'SELECT' }
  if (first.word === 'RETURN') return [select, ...statement.slice(1)]
  const equals = statement.findIndex((token) => wordOf(token) === '=' || wordOf(token) === ':=')
  const isOne = !statement.some((token) => wordOf(token) === ',')
  const target = statement.slice(1, equals)
  const isPlain =
    target.every(({ kind, text }) => kind === 'word' || kind === 'quoted' || text === '.') &&
    !/^(GLOBAL|PERSIST|PERSIST_ONLY|SESSION|STATEMENT|PASSWORD)$/.test(target[0]?.word ?? '')
  const isRow = wordOf(target[1]) === '.' && /^(NEW)$/i.test(target[0]?.text ?? '')
  return first.word === 'SET' && equals > 0 && isOne && isPlain && isRow
    ? [select, ...statement.slice(equals + 1)]
    : statement
}
