import type {
  CopyStmt,
  CreateTableAsStmt,
  DeclareCursorStmt,
  ExecuteStmt,
  ExplainStmt,
  Node,
  PrepareStmt,
  ViewStmt,
} from 'libpg-query'
import { effect, type Name } from '../action.ts'
import type { Command, Copy, Draft } from '../command.ts'
import { danger, type Danger } from '../danger.ts'
import { queryParts } from '../query-parts.ts'
import { cutOut, findWord, topLevel, type Source } from '../source.ts'
import { constantText, isOn, lastOption, nameOfRelation, optionsOf, stringsOf } from '../syntax-tree.ts'
import { createdRelation, inherited, mentions } from './query.ts'
import type { Context, Reader } from './reader.ts'

/*
 * Statements that carry another statement. The inner one is read from its own text where that can be cut out with
 * certainty, so that the server can be asked about it; otherwise from its tree alone.
 */

const readInner = ({ read }: Context, query: Node | undefined, text: string | undefined): Command => {
  const cut = text === undefined ? undefined : cutOut(text, query)
  if (cut) return read(cut.node, cut.source)
  return read(query ?? { SelectStmt: {} }, undefined)
}

/** The text that follows one of these words, the first that stands outside of parentheses. */
const textAfter = (source: Source | undefined, ...words: readonly string[]): string | undefined => {
  if (!source) return undefined
  const places = topLevel(source.tokens, 0)
  const word = findWord(source.tokens, places, ...words)
  return word < 0 ? undefined : source.between(word + 1, (places.at(-1) ?? -1) + 1)
}

export const readExplain: Reader<ExplainStmt> = ({ query, options }, context) => {
  const given = optionsOf(options)
  const analyze = isOn(lastOption(given, 'analyze', 'analyse'))
  const policy = isOn(lastOption(given, 'policy'))
  const inner = readInner(context, query, textOfExplained(context.source))
  const shared = { tag: 'EXPLAIN', explain: { analyze, policy } }
  if (analyze)
    return {
      ...shared,
      ...inherited(inner),
      inner: { command: inner, runs: 'now' },
      readOnlyByText: inner.readOnlyByText,
    }
  // The planner evaluates functions that call themselves stable or immutable: they count, the statement does not.
  const { effects: _, changes: __, creates: ___, ...used } = inherited(inner)
  return {
    ...shared,
    ...used,
    inner: { command: inner, runs: 'planned' },
    dangers: inner.dangers.filter(({ code }) => code !== 'locks-every-row' && code !== 'large-product'),
    readOnlyByText: 'if-functions-are',
  }
}

/** After EXPLAIN, and after its options in parentheses or the two words that may stand without them. */
const textOfExplained = (source: Source | undefined): string | undefined => {
  if (!source) return undefined
  const { tokens } = source
  const places = topLevel(tokens, 0)
  const close = tokens[1]?.text === '(' ? places.find((place) => place > 1 && tokens[place]?.text === ')') : undefined
  const bare = places.find(
    (place) => place > 0 && !['analyze', 'analyse', 'verbose'].includes(tokens[place]?.text ?? ''),
  )
  return source.between(
    close === undefined || startsWithQuery(source) ? (bare ?? 1) : close + 1,
    (places.at(-1) ?? -1) + 1,
  )
}

/** `EXPLAIN (SELECT 1)`: the parenthesis belongs to the query. */
const startsWithQuery = ({ tokens }: Source) => /^(select|with|values|table|\()$/.test(tokens[2]?.text ?? '')

export const readPrepare: Reader<PrepareStmt> = ({ name, query, argtypes }, context) => {
  const inner = readInner(context, query, textAfter(context.source, 'as'))
  return {
    tag: 'PREPARE',
    prepares: name ?? '',
    ...(argtypes && argtypes.length > 0 ? { parameterTypes: argtypes.map(typeText) } : {}),
    // EXECUTE turns what it is given into values of these, whether the statement uses them or not.
    types: queryParts(argtypes).types,
    inner: { command: inner, runs: 'later' },
    secrets: inner.secrets,
    readOnlyByText: 'if-functions-are',
    ...(inner.analysable === undefined ? {} : { analysable: inner.analysable }),
  }
}

/** With every name quoted. What modifies a type (a length, say) does not make it another one. */
const typeText = (type: Node): string => {
  if (!('TypeName' in type)) return ''
  const { names = [], arrayBounds = [] } = type.TypeName
  const quoted = stringsOf(names).map((name) => `"${name.replaceAll('"', '""')}"`)
  return `${quoted.join('.')}${arrayBounds.length > 0 ? '[]' : ''}`
}

export const readExecute: Reader<ExecuteStmt> = ({ name, params }) => ({
  tag: 'EXECUTE',
  ...mentions(queryParts(params)),
  executes: { name: name ?? '', arguments: (params ?? []).map(constantText) },
  effects: [effect('execute', 'prepared', { name: name ?? '' })],
  readOnlyByText: 'if-functions-are',
})

/** SPEC: parsenodes.h, CURSOR_OPT_HOLD. */
const WITH_HOLD = 0x20

export const readDeclare: Reader<DeclareCursorStmt> = ({ portalname, query, options = 0 }, context) => {
  const inner = readInner(context, query, textAfter(context.source, 'for'))
  return {
    tag: 'DECLARE CURSOR',
    ...inherited(inner),
    declares: portalname ?? '',
    ...((options & WITH_HOLD) === 0 ? {} : { holds: true as const }),
    inner: { command: inner, runs: 'now' },
    readOnlyByText: inner.readOnlyByText,
  }
}

/** CREATE TABLE AS and CREATE MATERIALIZED VIEW; the query may also be an EXECUTE. */
export const readCreateTableAs: Reader<CreateTableAsStmt> = ({ query, into, objtype }, context) => {
  const isMaterialized = objtype === 'OBJECT_MATVIEW'
  const inner = readInner(context, query, withoutData(context.source))
  const created = createdRelation('table', into?.rel)
  return {
    tag: isMaterialized ? 'CREATE MATERIALIZED VIEW' : 'CREATE TABLE AS',
    ...inherited(inner),
    effects: [...inner.effects, effect('create', 'relation', created.object)],
    creates: [created],
    inner: { command: inner, runs: into?.skipData ? 'planned' : 'now' },
    ...(inner.executes ? { executes: inner.executes } : {}),
  }
}

/** The query between AS and WITH [NO] DATA. */
const withoutData = (source: Source | undefined): string | undefined =>
  textAfter(source, 'as')?.replace(/\s+with\s+(no\s+)?data\s*$/i, '')

export const readView: Reader<ViewStmt> = ({ view, query }, context) => {
  const text = textAfter(context.source, 'as')?.replace(/\s+with\s+((local|cascaded)\s+)?check\s+option\s*$/i, '')
  const inner = readInner(context, query, text)
  const created = createdRelation('view', view)
  return {
    tag: 'CREATE VIEW',
    effects: [effect('create', 'relation', created.object)],
    creates: [created],
    inner: { command: inner, runs: 'later' },
    secrets: inner.secrets,
    ...(inner.analysable === undefined ? {} : { analysable: inner.analysable }),
  }
}

export const readCopy: Reader<CopyStmt> = (copy, context) => {
  const details = copyOf(copy)
  const dangers = dangersOfCopy(details, copy)
  if (copy.query) return copyOfQuery(copy, details, dangers, context)
  const relation = nameOfRelation(copy.relation)
  const parts = mentions(queryParts(copy.whereClause))
  return {
    tag: 'COPY',
    copy: details,
    ...parts,
    dangers: [...dangers, ...parts.dangers],
    effects: [
      effect(details.direction === 'in' ? 'copyIn' : 'copyOut', 'relation', relation),
      effect(details.direction === 'in' ? 'write' : 'read', 'relation', relation),
      ...effectsOnHost(details),
    ],
    changes: details.direction === 'in' ? [{ kind: 'insert', relation, unbounded: false, tautological: false }] : [],
    readOnlyByText: details.direction === 'out' && details.where === 'client' ? 'if-functions-are' : 'never',
    analysable: queryOfCopy(details),
  }
}

const copyOfQuery = (copy: CopyStmt, details: Copy, dangers: readonly Danger[], context: Context): Draft => {
  const inner = readInner(context, copy.query, textInParentheses(context.source))
  const isToClient = details.where === 'client'
  return {
    tag: 'COPY',
    ...inherited(inner),
    copy: details,
    dangers: [...dangers, ...inner.dangers],
    effects: [
      ...inner.effects,
      ...inner.effects
        .filter(({ action }) => action === 'read')
        .map(({ object }) => ({ action: 'copyOut' as const, object })),
      ...effectsOnHost(details),
    ],
    inner: { command: inner, runs: 'now' },
    readOnlyByText: isToClient ? inner.readOnlyByText : 'never',
  }
}

const copyOf = ({ relation, attlist, is_from, is_program, filename, options }: CopyStmt): Copy => {
  const given = optionsOf(options)
  const format = lastOption(given, 'format')?.value?.toLowerCase()
  return {
    direction: is_from ? 'in' : 'out',
    where: is_program ? 'program' : filename ? 'file' : 'client',
    ...(relation ? { relation: nameOfRelation(relation) } : {}),
    ...(attlist ? { columns: stringsOf(attlist) } : {}),
    format: format === 'csv' || format === 'binary' ? format : 'text',
    options: Object.fromEntries(given.map(({ name, value, arg }) => [name, value ?? listText(arg)])),
  }
}

/** `FORCE_QUOTE (a, b)` and `FORCE_QUOTE *`. */
const listText = (arg: Node | undefined): string => {
  if (!arg) return 'true'
  if ('List' in arg) return stringsOf(arg.List.items).join(',')
  return 'A_Star' in arg ? '*' : 'true'
}

const dangersOfCopy = ({ where, direction }: Copy, { filename }: CopyStmt): readonly Danger[] => {
  const words = direction === 'in' ? 'COPY … FROM' : 'COPY … TO'
  if (where === 'program') return [danger('program', `${words} PROGRAM`)]
  return filename ? [danger('server-file', words)] : []
}

const effectsOnHost = ({ where }: Copy) =>
  where === 'client' ? [] : [effect('administer', where === 'program' ? 'program' : 'file', { name: where })]

/** What the server can be asked about instead: which relation and columns it is, with what their defaults call. */
const queryOfCopy = ({ relation = { name: '' }, columns, direction }: Copy): string => {
  const list = columns?.map(quoted).join(', ')
  if (direction === 'out') return `SELECT ${list ?? '*'} FROM ONLY ${quotedName(relation)}`
  return `INSERT INTO ${quotedName(relation)} DEFAULT VALUES`
}

export const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`

export const quotedName = ({ schema, name }: Name): string =>
  schema === undefined ? quoted(name) : `${quoted(schema)}.${quoted(name)}`

/** The query of COPY (query) TO …: everything between the first parenthesis and the one that closes it. */
const textInParentheses = (source: Source | undefined): string | undefined => {
  if (!source) return undefined
  const places = topLevel(source.tokens, 0)
  const [open, close] = places.filter((place) => ['(', ')'].includes(source.tokens[place]?.text ?? ''))
  return open === undefined || close === undefined ? undefined : source.between(open + 1, close)
}
