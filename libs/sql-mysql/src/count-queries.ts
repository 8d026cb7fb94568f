import type { CountQuery } from '@countersign/sql'
import type { MysqlCommand } from './command.ts'
import { tokensOf, type Token } from './lexer.ts'
import { wordOf } from './words.ts'

/**
 * Queries to run on a side connection, READ ONLY and with a timeout, before the statement runs; only when
 * `facts.countable`. `text` is the text at hand: the command may have been understood from another one of the same
 * shape. `parameters` are places of `?` in the statement, from 1.
 */
export const countQueriesOfMysql = ({ tree }: MysqlCommand, text: string, limit: number): readonly CountQuery[] => {
  if (!tree || tree.is === 'query' || (tree.is === 'insert' && !tree.source)) return []
  const tokens = withoutEnd(tokensOf(text))
  const parts = tree.is === 'insert' ? undefined : partsOf(tokens)
  if (!parts || (tree.limit && tree.limit.is !== 'constant')) return []
  const { ctes, tables, where } = parts
  const slice = (part: readonly Token[]) => text.slice(part[0]?.start ?? 0, part.at(-1)?.end ?? 0)
  const condition = where.length > 0 ? ` ${slice(where)}` : ''
  const sql = `${ctes.length > 0 ? `${slice(ctes)} ` : ''}SELECT COUNT(*) FROM (SELECT 1 FROM ${slice(tables)}${condition} LIMIT ${limit}) AS counted`
  const places = tokens.filter(({ kind }) => kind === 'parameter')
  const parameters = [...ctes, ...tables, ...where].flatMap((token) =>
    token.kind === 'parameter' ? [places.indexOf(token) + 1] : [],
  )
  const isSingle = tree.from.length === 1 && tree.from[0]?.is === 'table'
  return [{ index: 0, relation: nameOf(tables), sql, parameters, exact: isSingle && !tree.limit }]
}

const nameOf = (tables: readonly Token[]): string => {
  const end = tables.findIndex(({ text }, at) => at % 2 === 1 && text !== '.')
  return tables
    .slice(0, end < 0 ? undefined : end)
    .map(({ text }) => text)
    .join('')
}

const withoutEnd = (tokens: readonly Token[]): readonly Token[] => tokens.filter((token) => wordOf(token) !== ';')

interface Parts {
  readonly ctes: readonly Token[]
  readonly tables: readonly Token[]
  readonly where: readonly Token[]
}

const PRIORITIES = new Set(['LOW_PRIORITY', 'QUICK', 'IGNORE'])
const ENDS = ['WHERE', 'ORDER', 'LIMIT', 'RETURNING']

/** `[WITH …] UPDATE tables SET … WHERE …`, `[WITH …] DELETE [names] FROM tables WHERE …` or `… FROM names USING tables …` */
const partsOf = (tokens: readonly Token[]): Parts | undefined => {
  const top = topLevel(tokens)
  const find = (from: number, ...words: readonly string[]) =>
    top.find((at) => at >= from && words.includes(wordOf(tokens[at]))) ?? -1
  const verb = find(0, 'UPDATE', 'DELETE')
  if (verb < 0) return undefined
  let from = verb + 1
  while (PRIORITIES.has(wordOf(tokens[from]))) from += 1
  const isUpdate = wordOf(tokens[verb]) === 'UPDATE'
  const set = isUpdate ? find(from, 'SET') : -1
  if (!isUpdate) from = Math.max(find(from, 'FROM'), find(from, 'USING')) + 1
  if (from === 0 || (isUpdate && set < 0)) return undefined
  const end = find(isUpdate ? set : from, ...ENDS)
  const tables = tokens.slice(from, isUpdate ? set : end < 0 ? undefined : end)
  const isWhere = end >= 0 && wordOf(tokens[end]) === 'WHERE'
  const after = isWhere ? find(end + 1, ...ENDS) : -1
  const where = isWhere ? tokens.slice(end, after < 0 ? undefined : after) : []
  return { ctes: tokens.slice(0, verb), tables, where }
}

/** Places that are not inside parentheses. A USING of JOIN is followed by one, that of DELETE is not. */
const topLevel = (tokens: readonly Token[]): readonly number[] => {
  let depth = 0
  return tokens.flatMap((token, at) => {
    const word = wordOf(token)
    if (word === '(' || word === 'CASE') depth += 1
    const isTop = depth === 0 && !(word === 'USING' && wordOf(tokens[at + 1]) === '(')
    if (word === ')' || word === 'END') depth -= 1
    return isTop ? [at] : []
  })
}
