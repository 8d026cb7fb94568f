import { Buffer } from 'node:buffer'
import { loadModule, normalizeSync, parsePlPgSQLSync, parseSync, scanSync, type Node, type RawStmt } from 'libpg-query'
import { grammarHint } from './grammar-hints.ts'
import { SqlRefusedError, SqlSyntaxError } from './sql-error.ts'

/*
 * PostgreSQL's own grammar, compiled to WebAssembly. Nothing else decides what a statement says.
 *
 * One instance serves the whole process, and deep recursion can break it for good (guard.md, A4). So any exception
 * from here that is neither SqlSyntaxError nor SqlRefusedError means: replace the worker that called.
 */

/** Levels of the syntax tree. What is deeper, nobody wrote; and everything after the parser recurses. */
export const TREE_DEPTH_MAX = 2_000

export const loadParser = (): Promise<void> => loadModule()

export const parse = (text: string): readonly RawStmt[] => {
  if (text.length === 0) return []
  const statements = parsed(text).stmts ?? []
  if (depthOf(statements) > TREE_DEPTH_MAX) {
    throw new SqlRefusedError('SQL_TOO_DEEP', `statement is nested deeper than ${TREE_DEPTH_MAX} levels`)
  }
  return statements
}

const parsed = (text: string) => {
  try {
    return parseSync(text)
  } catch (error) {
    const refusal = syntaxError(error, text)
    if (!refusal) throw error
    return parsedWithoutComments(text) ?? fail(refusal)
  }
}

/**
 * This build of the grammar stumbles over a comment between words that belong together (`NOT /* … *\/ IN`), which the
 * server takes for a blank. So does this: the text keeps its length and its lines.
 */
const parsedWithoutComments = (text: string) => {
  if (!/--|\/\*/.test(text)) return undefined
  try {
    return parseSync(withoutComments(text))
  } catch (error) {
    if (isSqlError(error) || error instanceof SyntaxError) return undefined // The scanner answers with no JSON.
    throw error
  }
}

const withoutComments = (text: string): string => {
  const bytes = Buffer.from(text)
  const { tokens } = scanSync(text)
  for (const [index, { start, end, tokenName }] of tokens.entries()) {
    if (!COMMENTS.has(tokenName)) continue
    // Strings are one when nothing but blanks and a new line lies between them: a comment like this keeps them apart.
    if (tokenName === 'C_COMMENT' && [index - 1, index + 1].every((each) => tokens[each]?.tokenName === 'SCONST'))
      continue
    for (let at = start; at < end; at++) if (bytes[at] !== LINE_FEED) bytes[at] = BLANK
  }
  return bytes.toString()
}

const COMMENTS = new Set(['SQL_COMMENT', 'C_COMMENT'])
const LINE_FEED = 0x0a
const BLANK = 0x20

const fail = (error: Error): never => {
  throw error
}

/** Constants taken out, for a text that the parser has accepted. */
export const normalized = (text: string): string => {
  try {
    return normalizeSync(text)
  } catch (error) {
    if (!isGrammarError(error)) throw error
    return normalizeSync(withoutComments(text))
  }
}

const isSqlError = (error: unknown): error is Error => error instanceof Error && error.name === 'SqlError'

const syntaxError = (error: unknown, text: string): SqlSyntaxError | undefined => {
  if (!isSqlError(error)) return undefined
  const position = cursorOf(error)
  return new SqlSyntaxError(error.message, position, grammarHint(error.message, text, position))
}

const cursorOf = (error: object): number => {
  const details = 'sqlDetails' in error ? error.sqlDetails : undefined
  const isPlaced = typeof details === 'object' && details !== null && 'cursorPosition' in details
  return isPlaced && typeof details.cursorPosition === 'number' ? details.cursorPosition : 0
}

const depthOf = (root: unknown): number => {
  let deepest = 0
  const waiting: [unknown, number][] = [[root, 0]]
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    const [value, depth] = next
    if (typeof value !== 'object' || value === null) continue
    deepest = Math.max(deepest, depth)
    for (const child of Object.values(value)) waiting.push([child, depth + 1])
  }
  return deepest
}

/** One token, with its place in bytes. Comments are left out. */
export interface Token {
  readonly start: number
  readonly end: number
  /** Keywords in lower case; everything else as it is written. */
  readonly text: string
  readonly isKeyword: boolean
  readonly name: string
}

/** Only for a text that the parser has accepted: for others the scanner answers with an error's text. */
export const tokensOf = (text: string): readonly Token[] => {
  const scannable = text.replaceAll(/\p{Cc}/gu, asBlank)
  const bytes = scannable === text ? undefined : Buffer.from(text)
  return scanSync(scannable)
    .tokens.filter(({ tokenName }) => !COMMENTS.has(tokenName))
    .map(({ start, end, text: scanned, tokenName, keywordKind }) => ({
      start,
      end,
      text: keywordKind > 0 ? scanned.toLowerCase() : (bytes?.toString('utf8', start, end) ?? scanned),
      isKeyword: keywordKind > 0,
      name: tokenName,
    }))
}

/**
 * The scanner gives its tokens as JSON in which it does not escape these. Where the parser takes them they are blanks,
 * or stand within quotes, where any byte in their place keeps the tokens what they are.
 */
const asBlank = (control: string): string => (control < ' ' && !'\t\n\r'.includes(control) ? ' ' : control)

/** The tree of the first PL/pgSQL function or DO block in the text; undefined when PL/pgSQL's grammar refuses it. */
export const parsePlpgsql = (text: string): object | undefined => {
  try {
    return parsePlPgSQLSync(text)
  } catch (error) {
    if (isGrammarError(error)) return undefined
    throw error
  }
}

/** The wrapper throws a plain Error with the grammar's message; a broken instance throws something more special. */
const isGrammarError = (error: unknown) => error instanceof Error && error.constructor === Error

/** The only statement of a text; undefined when it has another number of them or is not SQL. */
export const parseOne = (text: string): Node | undefined => {
  try {
    const [first, second] = parse(text)
    return second === undefined ? first?.stmt : undefined
  } catch (error) {
    if (error instanceof SqlSyntaxError || error instanceof SqlRefusedError) return undefined
    throw error
  }
}
