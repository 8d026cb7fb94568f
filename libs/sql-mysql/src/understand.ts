import { danger, effect } from '@countersign/sql'
import { commandOf, type Draft, type MysqlCommand, type MysqlUnderstanding } from './command.ts'
import { UnreadError } from './json-node.ts'
import { tokensOf, type Token } from './lexer.ts'
import { agreedTree } from './parsers.ts'
import { plainText } from './plain-text.ts'
import { isShapeable } from './shapeable.ts'
import { SESSION, type Reader } from './statements/session.ts'
import { show } from './statements/show.ts'
import { analyzeTable, STRUCTURE } from './statements/structure.ts'
import { checkDepth, checkText } from './text-limits.ts'
import { Words, wordOf } from './words.ts'

/**
 * What a text says, statement by statement, when the session is pinned as README.md says. Synchronous; call
 * `loadParsers` before.
 *
 * Throws SqlSyntaxError and SqlRefusedError for what is not looked at. Anything else that it throws means that a
 * parser is broken: the caller replaces the thread.
 */
export const understandMysql = (text: string): MysqlUnderstanding => {
  checkText(text)
  const tokens = tokensOf(text)
  checkDepth(tokens)
  const commands = statementsIn(tokens).map((statement) => commandIn(statement))
  const [only, more] = commands
  return { commands, shapeable: only !== undefined && more === undefined && isShapeable(only) }
}

/** Those of a stored program belong to it, and the server reads it to its end. */
const statementsIn = (tokens: readonly Token[]): readonly (readonly Token[])[] => {
  const statements: Token[][] = [[]]
  for (const token of tokens) {
    const last = statements.at(-1) ?? []
    if (token.kind === 'sign' && token.text === ';' && !isProgram(last)) statements.push([])
    else last.push(token)
  }
  return statements.filter((statement) => statement.length > 0)
}

const PROGRAMS = new Set(['PROCEDURE', 'FUNCTION', 'TRIGGER', 'EVENT', 'PACKAGE'])
const BEFORE_PROGRAMS = 16

const isProgram = (tokens: readonly Token[]): boolean => {
  const first = wordOf(tokens[0])
  if (first !== 'CREATE' && first !== 'ALTER') return false
  const kind = tokens
    .slice(1, BEFORE_PROGRAMS)
    .find(({ word }) => PROGRAMS.has(word) || ['TABLE', 'VIEW', 'USER'].includes(word))
  return kind !== undefined && PROGRAMS.has(kind.word)
}

export const commandIn = (tokens: readonly Token[]): MysqlCommand => {
  const span = { start: tokens[0]?.start ?? 0, end: tokens.at(-1)?.end ?? 0 }
  const parameters = tokens.filter(({ kind }) => kind === 'parameter').length
  return commandOf(span, { parameters, ...draftOf(tokens) })
}

const draftOf = (tokens: readonly Token[]): Draft => {
  const words = new Words(tokens)
  const first = wordOf(words.next)
  const verb = first === '(' ? firstVerb(tokens) : first
  if (TREES.has(verb)) return queryOrChange(verb, tokens)
  words.at += 1
  const draft = readerOf(first)?.(words)
  return draft && !isStoredWithStatements(draft, tokens) ? draft : unknown(first, 'not a statement that is known here')
}

const firstVerb = (tokens: readonly Token[]): string => wordOf(tokens.find(({ text }) => text !== '('))

const TREES = new Set(['SELECT', 'WITH', 'TABLE', 'VALUES', 'INSERT', 'REPLACE', 'UPDATE', 'DELETE'])

const readerOf = (first: string): Reader | undefined => {
  if (Object.hasOwn(SESSION, first)) return SESSION[first]
  if (first === 'CREATE') return createWith
  if (Object.hasOwn(STRUCTURE, first)) return STRUCTURE[first]
  if (first === 'SHOW') return show
  if (first === 'ANALYZE') return analyze
  if (first === 'EXPLAIN' || first === 'DESCRIBE' || first === 'DESC') return explain
  if (first === 'DO') return computed
  return first === 'CALL' ? call : undefined
}

/** What follows the end of a program on the same line would be another statement for some servers. */
const isStoredWithStatements = ({ effects = [] }: Draft, tokens: readonly Token[]): boolean => {
  if (!isProgram(tokens)) return false
  const isCode = effects.some(({ object }) => object.kind === 'routine' || object.kind === 'trigger')
  return !isCode || !isOneProgram(tokens)
}

const OPENS = new Set(['BEGIN', 'CASE', 'LOOP', 'REPEAT', 'WHILE'])

/** Statements within are inside BEGIN and END, and nothing follows the last END but a label. */
const isOneProgram = (tokens: readonly Token[]): boolean => {
  if (!tokens.some(({ text, kind }) => kind === 'sign' && text === ';')) return true
  let depth = 0
  for (const [at, token] of tokens.entries()) {
    const word = wordOf(token)
    const last = wordOf(tokens[at - 1])
    const isOpening = OPENS.has(word) && last !== 'END' && wordOf(tokens[at + 1]) !== '('
    const isIf = word === 'IF' && ['BEGIN', ';', 'THEN', 'ELSE', 'DO', 'LOOP'].includes(last)
    if (isOpening || isIf) depth += 1
    if (word === 'END') depth -= 1
    if (word === 'END' && depth === 0) return tokens.slice(at + 1).filter(({ text }) => text !== ';').length <= 1
    if (word === ';' && depth <= 0) return false
  }
  return false
}

const queryOrChange = (verb: string, tokens: readonly Token[]): Draft => {
  const tag = verb === 'WITH' || verb === 'TABLE' || verb === 'VALUES' ? 'SELECT' : verb
  if (writesFile(tokens)) {
    return { tag, effects: [effect('copyOut', 'file', { name: 'OUTFILE' })], dangers: [danger('server-file', tag)] }
  }
  if (tokens.some(({ text, kind }) => kind === 'sign' && (text === '{' || text === '}' || text === '['))) {
    return unknown(tag, 'braces')
  }
  const plain = plainText(tokens)
  try {
    const { tree, named } = agreedTree(plain)
    const { locks, intoVariables } = plain
    return { tag: tree.is === 'query' ? tag : treeTag(tree.is, verb), tree, named, locks, intoVariables }
  } catch (error) {
    if (error instanceof UnreadError) return unknown(tag, error.message)
    throw error
  }
}

const treeTag = (is: string, verb: string): string => (verb === 'REPLACE' ? verb : is.toUpperCase())

const writesFile = (tokens: readonly Token[]): boolean =>
  tokens.some(({ word }, at) => word === 'INTO' && /^(OUTFILE|DUMPFILE)$/.test(tokens[at + 1]?.word ?? ''))

const unknown = (tag: string, why: string): Draft => ({
  tag: /^[A-Z_]{1,32}$/.test(tag) ? tag : 'UNKNOWN',
  effects: [effect('unknown', 'statement', { name: tag })],
  dangers: [danger('unknown-statement', tag)],
  unread: why,
  // Whatever it may be: nobody has seen where its passwords would stand.
  secrets: true,
})

/** A table or a view from a query. */
const createWith: Reader = (words) => {
  const draft = STRUCTURE['CREATE']?.(words)
  if (!draft || !/^CREATE (TABLE|VIEW)$/.test(draft.tag)) return draft
  const query = words.tokens.findIndex((token, at) => at > 1 && beginsQuery(words.tokens, at, token))
  const like = words.tokens.findIndex(({ word }) => word === 'LIKE')
  if (query < 0) return like < 0 ? draft : { ...draft, effects: [...(draft.effects ?? []), ...likeOf(words, like)] }
  const open = wordOf(words.tokens[query - 1]) === '(' ? 1 : 0
  const inside = open === 1 ? unwrapped(words.tokens.slice(query)) : words.tokens.slice(query)
  const kept = draft.tag === 'CREATE VIEW' ? withoutCheckOption(inside) : inside
  return { ...draft, inner: { command: commandIn(kept), runs: draft.tag === 'CREATE VIEW' ? 'planned' : 'stored' } }
}

const beginsQuery = (tokens: readonly Token[], at: number, { word }: Token): boolean => {
  const last = wordOf(tokens[at - 1])
  return (
    /^(SELECT|WITH|TABLE|VALUES)$/.test(word) &&
    last !== 'CREATE' &&
    last !== 'TEMPORARY' &&
    !/^(SYSTEM|OR|REPLACE)$/.test(last) &&
    tokens[at + 1]?.word !== 'CHECK'
  )
}

const unwrapped = (tokens: readonly Token[]): readonly Token[] =>
  tokens.at(-1)?.text === ')' ? tokens.slice(0, -1) : tokens

/** `WITH CASCADED CHECK OPTION` */
const withoutCheckOption = (tokens: readonly Token[]): readonly Token[] => {
  if (wordOf(tokens.at(-1)) !== 'OPTION') return tokens
  const at = tokens.findLastIndex(({ word }) => word === 'WITH')
  return at < 0 ? tokens : tokens.slice(0, at)
}

const likeOf = ({ tokens }: Words, at: number) => {
  const name = new Words(tokens.slice(at + 1)).name()
  return name ? [effect('read', 'relation', name)] : []
}

/** `ANALYZE TABLE t`; MariaDB's `ANALYZE SELECT …` runs the statement. */
const analyze: Reader = (words) => {
  const table = analyzeTable(words)
  if (table) return words.ended ? table : { ...table, harmless: false }
  words.at = 1
  return passFormat(words) ? ofInner('ANALYZE', words.rest(), 'now') : undefined
}

const explain: Reader = (words) => {
  if (words.next?.word === 'FOR' || words.has('CONNECTION')) return undefined
  if (words.take('ANALYZE')) return passFormat(words) ? ofInner('EXPLAIN ANALYZE', words.rest(), 'now') : undefined
  words.oneOf('EXTENDED', 'PARTITIONS')
  if (!passFormat(words)) return undefined
  if (TREES.has(wordOf(words.next)) && words.next?.word !== 'TABLE') return ofInner('EXPLAIN', words.rest(), 'planned')
  if (wordOf(words.next) === '(') return ofInner('EXPLAIN', words.rest(), 'planned')
  const name = words.name()
  if (!name || (!words.ended && words.identifier() === undefined && !words.kind('string')) || !words.ended)
    return undefined
  return { tag: 'DESCRIBE', effects: [effect('read', 'statement', { name: 'DESCRIBE' })], harmless: true }
}

const passFormat = (words: Words): boolean => {
  if (!words.take('FORMAT')) return true
  if (!words.take('=') || words.identifier() === undefined) return false
  return words.next?.word !== 'INTO'
}

const ofInner = (tag: string, tokens: readonly Token[], runs: 'now' | 'planned'): Draft | undefined => {
  if (tokens.length === 0 || !TREES.has(firstVerb(tokens))) return undefined
  const command = commandIn(tokens)
  return { tag, inner: { command, runs }, secrets: command.secrets }
}

/** `DO f(x)` is `SELECT f(x)` without an answer. */
const computed: Reader = (words) => {
  const [first] = words.rest()
  if (!first) return undefined
  const select: Token = { kind: 'word', text: 'SELECT', word: 'SELECT', start: first.start, end: first.start }
  return { tag: 'DO', inner: { command: commandIn([select, ...words.rest()]), runs: 'now' } }
}

const call: Reader = (words) => {
  const name = words.name()
  return name && { tag: 'CALL', effects: [effect('execute', 'routine', name)], calls: name, secrets: true }
}
