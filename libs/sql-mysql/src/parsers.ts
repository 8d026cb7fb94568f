import { init, parse, format, ParserError } from '@guanmingchiu/sqlparser-ts'
import mysqlGrammar from 'node-sql-parser/build/mysql.js'
import { isRecord, UnreadError } from './json-node.ts'
import { tokensOf, type Token } from './lexer.ts'
import type { PlainText } from './plain-text.ts'
import { readTree, type ReadTree } from './read-tree.ts'
import { tablesOf } from './tables-of.ts'
import type { Tree } from './tree.ts'
import { wordOf } from './words.ts'

/** To be awaited once, in the thread that understands. */
export const loadParsers = (): Promise<void> => init()

const second = new mysqlGrammar.Parser()

/**
 * What the statement says, provided that two parsers which have nothing in common say the same of it, and that the
 * first has left no word of it out. Otherwise an UnreadError says what they disagree on.
 *
 * Throws anything else when the first parser is broken: whoever calls replaces the thread.
 */
export const agreedTree = (plain: PlainText): ReadTree => {
  const read = readTree(onlyStatement(plain.primary), plain.meant)
  checkNothingIsLost(plain.primary)
  checkAgreement(read.tree, plain)
  return read
}

/** A view's text, which the server has written: one parser is enough. */
export const treeOfServer = (plain: PlainText): Tree => {
  const { tree } = readTree(onlyStatement(plain.primary), plain.meant)
  checkNothingIsLost(plain.primary)
  return tree
}

const BROKEN = /out of bounds|unreachable|recursive use|Maximum call stack|null function/

const onlyStatement = (text: string): unknown => {
  const statements: unknown = parsed(() => parse(text, 'mysql'))
  const [only, more] = Array.isArray(statements) ? statements : []
  if (!only || more) throw new UnreadError('not one statement')
  return only
}

const parsed = <T>(work: () => T): T => {
  try {
    return work()
  } catch (error) {
    if (!(error instanceof ParserError) || BROKEN.test(error.message)) throw error
    throw new UnreadError(error.message.replace(/ at Line: \d+, Column: \d+$/, ''))
  }
}

/** What the parser writes back must be what it was given, but for words that say nothing. */
const checkNothingIsLost = (text: string): void => {
  const given = essence(tokensOf(text))
  const written = essence(tokensOf(parsed(() => format(text, 'mysql'))))
  const place = given.findIndex((word, index) => word !== written[index])
  if (place >= 0 || given.length !== written.length)
    throw new UnreadError(`around \`${given[Math.max(place, 0)] ?? ''}\``)
}

const SILENT = new Set(['AS', 'INNER', 'OUTER', 'ASC', '(', ')', ';', 'INTO', 'CROSS', 'ROW', 'FROM', 'FOR', ','])
const SAME = new Map([
  ['!=', '<>'],
  ['SUBSTR', 'SUBSTRING'],
])

const essence = (tokens: readonly Token[]): readonly string[] =>
  tokens.flatMap((token) => {
    const word = wordOf(token)
    if (word === '') return [`${token.kind} ${token.text}`]
    return SILENT.has(word) ? [] : [SAME.get(word) ?? word]
  })

const checkAgreement = (tree: Tree, plain: PlainText): void => {
  const { kind, tables } = secondReading(plain.second)
  const ours = tree.is === 'query' ? 'select' : tree.is === 'insert' && tree.replaces ? 'replace' : tree.is
  if (kind !== ours) throw new UnreadError(`the parsers disagree: ${ours}, ${kind}`)
  const meant = (name: string) => plain.meant.get(name)?.text ?? name
  const theirs = new Set(tables.map((path) => path.map(meant).join('.')))
  const mine = new Set(tablesOf(tree).map((path) => path.join('.')))
  const lost = [...theirs].find((name) => !mine.has(name)) ?? [...mine].find((name) => !theirs.has(name))
  if (lost !== undefined) throw new UnreadError(`the parsers disagree on the table \`${lost}\``)
}

interface SecondReading {
  readonly kind: string
  readonly tables: readonly (readonly string[])[]
}

const secondReading = (text: string): SecondReading => {
  const { ast, tableList } = secondParse(text)
  const [only, more] = Array.isArray(ast) ? ast : [ast]
  if (!isRecord(only) || more || typeof only['type'] !== 'string') throw new UnreadError('not one statement')
  return { kind: only['type'], tables: tableList.map(pathOf).filter(([name]) => name?.toUpperCase() !== 'DUAL') }
}

/** `select::null::orders` */
const pathOf = (entry: string): readonly string[] => {
  const [, schema, name = ''] = entry.split('::')
  return schema === undefined || schema === 'null' ? [name] : [schema, name]
}

const secondParse = (text: string): { readonly ast: unknown; readonly tableList: readonly string[] } => {
  try {
    return second.parse(text, { database: 'mysql' })
  } catch (error) {
    if (error instanceof Error && error.name === 'SyntaxError')
      throw new UnreadError('node-sql-parser does not read it')
    throw new UnreadError('node-sql-parser failed')
  }
}
