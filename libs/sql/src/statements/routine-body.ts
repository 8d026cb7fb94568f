import type { Node } from 'libpg-query'
import type { BodyStatement, Command, RoutineBody } from '../command.ts'
import { parse, parsePlpgsql } from '../parser.ts'
import { SqlRefusedError, SqlSyntaxError } from '../sql-error.ts'
import { isRecord } from '../syntax-tree.ts'

/*
 * The code of a routine: SQL, or PL/pgSQL by its own grammar. What it cannot be read is said so, never guessed.
 */

type Read = (node: Node) => Command

const unreadable = (language: string): RoutineBody => ({
  language,
  statements: [],
  dynamic: false,
  unreadable: true,
  raises: false,
  cursors: false,
})

/**
 * `definition` is the whole CREATE FUNCTION or DO statement, because PL/pgSQL's grammar needs the names of the
 * arguments. `code` is what stands in it as a string.
 */
export const readBody = (language: string, code: string, definition: string | undefined, read: Read): RoutineBody => {
  if (language === 'sql') return sqlBody(code, read)
  if (language === 'plpgsql' && definition !== undefined) return plpgsqlBody(definition, read)
  return unreadable(language)
}

const sqlBody = (code: string, read: Read): RoutineBody => {
  const nodes = statementsOf(code)
  return nodes ? bodyOfNodes('sql', nodes, read) : unreadable('sql')
}

/** BEGIN ATOMIC … END, and RETURN expression: the statements are part of the tree. */
export const atomicBody = (body: Node, read: Read): RoutineBody => bodyOfNodes('sql', flatten(body), read)

const flatten = (node: Node): readonly Node[] => {
  if ('List' in node) return (node.List.items ?? []).flatMap(flatten)
  if ('ReturnStmt' in node) {
    const { returnval } = node.ReturnStmt
    return [{ SelectStmt: { op: 'SETOP_NONE', targetList: returnval ? [{ ResTarget: { val: returnval } }] : [] } }]
  }
  return [node]
}

const bodyOfNodes = (language: string, nodes: readonly Node[], read: Read): RoutineBody => ({
  language,
  statements: nodes.map((node) => ({ command: read(node), repeated: false })),
  dynamic: false,
  unreadable: false,
  raises: false,
  cursors: false,
})

const plpgsqlBody = (definition: string, read: Read): RoutineBody => {
  const whole = parsePlpgsql(definition)
  const tree = whole ?? parsePlpgsql(withoutRowTypes(definition))
  if (!tree) return unreadable('plpgsql')
  const found: Found = { statements: [], dynamic: false, unreadable: false, raises: false, cursors: false }
  collect(tree, false, read, found)
  if (!whole) for (const [, , type] of definition.matchAll(ROW_TYPE)) variable({ typname: type }, true, read, found)
  return { language: 'plpgsql', ...found }
}

/**
 * The grammar does not know the database, so it refuses `r.name := 1` when r is declared as `orders%ROWTYPE`. For what
 * the code does, `record` says the same.
 */
const withoutRowTypes = (definition: string): string => definition.replace(ROW_TYPE, '$1record')

const ROW_TYPE = /(\s)((?:[\w$"]+\s*\.\s*)*[\w$"]+)\s*%\s*rowtype\b/gi

interface Found {
  statements: BodyStatement[]
  dynamic: boolean
  unreadable: boolean
  raises: boolean
  cursors: boolean
}

/** What runs SQL that it builds: EXECUTE, FOR … IN EXECUTE, RETURN QUERY EXECUTE, OPEN … FOR EXECUTE. */
const DYNAMIC = new Set(['PLpgSQL_stmt_dynexecute', 'PLpgSQL_stmt_dynfors'])
/** What a refcursor names may be anybody's, and what is opened outlives the function. */
const CURSORS = new Set(['PLpgSQL_stmt_open', 'PLpgSQL_stmt_close'])
const LOOPS = /^PLpgSQL_stmt_(loop|while|fori|fors|forc|foreach_a|dynfors)$/

const collect = (value: unknown, repeated: boolean, read: Read, found: Found): void => {
  if (Array.isArray(value)) return value.forEach((item) => collect(item, repeated, read, found))
  if (!isRecord(value)) return
  for (const [key, child] of Object.entries(value)) {
    if (DYNAMIC.has(key) || key === 'dynquery') found.dynamic = true
    if (CURSORS.has(key)) found.cursors = true
    if (key === 'PLpgSQL_stmt_raise' && isRecord(child) && ('params' in child || 'options' in child))
      found.raises = true
    if (key === 'PLpgSQL_type' && isRecord(child)) variable(child, repeated, read, found)
    if (key === 'PLpgSQL_expr' && isRecord(child)) expression(child, repeated, read, found)
    else if (key === 'PLpgSQL_stmt_commit' || key === 'PLpgSQL_stmt_rollback') transaction(key, repeated, read, found)
    else collect(child, repeated || LOOPS.test(key), read, found)
  }
}

const transaction = (key: string, repeated: boolean, read: Read, found: Found): void => {
  const kind = key === 'PLpgSQL_stmt_commit' ? 'TRANS_STMT_COMMIT' : 'TRANS_STMT_ROLLBACK'
  found.statements.push({ command: read({ TransactionStmt: { kind } }), repeated })
}

const expression = (node: Record<string, unknown>, repeated: boolean, read: Read, found: Found): void => {
  const query = typeof node['query'] === 'string' ? node['query'] : ''
  const nodes = statementsOf(asStatement(query, Number(node['parseMode'] ?? 0)))
  if (!nodes) found.unreadable = true
  else found.statements.push(...nodes.map((one) => ({ command: read(one), repeated })))
}

/** What is assigned to a variable becomes a value of its type. Of `t.a%TYPE` the row type of `t` holds at least as much. */
const variable = ({ typname }: Record<string, unknown>, repeated: boolean, read: Read, found: Found): void => {
  if (typeof typname !== 'string' || TYPELESS.has(typname.toLowerCase())) return
  const type = typname.replace(/\s*%\s*rowtype$/i, '').replace(/\s*\.\s*("[^"]*"|[^.\s"]+)\s*%\s*type$/i, '')
  const nodes = /%/.test(type) ? [] : statementsOf(`SELECT NULL::${type}`)
  found.statements.push(...(nodes ?? []).map((one) => ({ command: read(one), repeated })))
}

const TYPELESS = new Set(['unknown', 'record', 'trigger', 'event_trigger', 'void'])

const PARSE_TYPE_NAME = 1
const PARSE_EXPRESSION = 2

/** Modes of PostgreSQL's raw parser: a statement, a type's name, an expression, or an assignment to a variable. */
const asStatement = (query: string, mode: number): string => {
  if (mode < PARSE_TYPE_NAME) return query
  if (mode === PARSE_TYPE_NAME) return ''
  return mode === PARSE_EXPRESSION ? `SELECT ${query}` : `SELECT ${assigned(query)}`
}

/** What follows the first `:=` or `=` outside of brackets; a subscript on its left is computed as well. */
const assigned = (query: string): string => {
  let depth = 0
  for (let at = 0; at < query.length; at++) {
    const char = query[at]
    if (char === '[' || char === '(') depth += 1
    if (char === ']' || char === ')') depth -= 1
    if (depth > 0 || char !== '=') continue
    const subscripts = [...query.slice(0, at).matchAll(/\[(.*)\]/g)].map(([, inside]) => inside?.replaceAll(':', ','))
    return [query.slice(at + 1), ...subscripts].join(', ')
  }
  return query
}

const statementsOf = (text: string): readonly Node[] | undefined => {
  try {
    return parse(text).flatMap(({ stmt }) => (stmt ? [stmt] : []))
  } catch (error) {
    if (error instanceof SqlSyntaxError || error instanceof SqlRefusedError) return undefined
    throw error
  }
}
