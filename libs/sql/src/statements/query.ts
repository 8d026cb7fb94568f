import type { Node, RangeVar, SelectStmt } from 'libpg-query'
import { effect, type Effect, type Name } from '../action.ts'
import { changeOf, distinctEffects, effectsOfChange, readsOf } from '../changes.ts'
import type { Command, Created, Draft } from '../command.ts'
import { danger, type Danger } from '../danger.ts'
import { dangerOfFunction, takesSecrets } from '../dangerous-functions.ts'
import { mentionedColumns, queryParts, type FunctionUse, type QueryParts } from '../query-parts.ts'
import { dangerOfSetting, type Setting } from '../settings.ts'
import { cutOut, findWord, topLevel, type Source } from '../source.ts'
import { nameOfRelation } from '../syntax-tree.ts'
import type { Reader } from './reader.ts'

/** SELECT, INSERT, UPDATE, DELETE and MERGE: everything that the server plans. */
export const queryReader =
  (tag: string): Reader<object> =>
  (_, { node, source }) =>
    queryDraft(tag, node, source)

export const readSelect: Reader<SelectStmt> = (select, { node, source }) => {
  const into = select.intoClause?.rel
  if (!into) return queryDraft('SELECT', node, source)
  const draft = queryDraft('SELECT INTO', node, source)
  const created = createdRelation('table', into)
  const { analysable: _, ...rest } = draft
  const text = source && withoutInto(select, source)
  return {
    ...rest,
    ...(text === undefined ? {} : { analysable: text }),
    effects: [...(draft.effects ?? []), effect('create', 'relation', created.object)],
    creates: [created],
  }
}

export const queryDraft = (tag: string, node: Node, source: Source | undefined): Draft => {
  const parts = queryParts(node)
  const changes = parts.changes.map((change) => changeOf(change, source))
  const columns = mentionedColumns(parts)
  const changesNothing = changes.length === 0 && parts.locks.length === 0 && parts.into.length === 0
  return {
    tag,
    ...mentions(parts),
    changes,
    effects: distinctEffects([...readsOf(parts.reads), ...changes.flatMap(effectsOfChange)]),
    readOnlyByText: changesNothing ? 'if-functions-are' : 'never',
    ...(source ? { analysable: source.text } : {}),
    ...(columns ? { columns } : {}),
  }
}

/** What a statement with expressions in it uses, and what is dangerous about that. */
export const mentions = (parts: QueryParts) => {
  const settings = parts.functions.filter(isSetConfig).map(settingOf)
  return {
    functions: parts.functions,
    operators: parts.operators,
    types: parts.types,
    attributes: parts.attributes,
    parameters: [...parts.parameters].sort((a, b) => a - b),
    settings,
    dangers: [...dangersOf(parts), ...settings.map(dangerOfSettingCall).filter((found) => found !== undefined)],
    secrets: parts.functions.some(({ name }) => takesSecrets(name)),
  } satisfies Partial<Command>
}

const ROWS_MULTIPLIED_MAX = 1_000_000

const dangersOf = ({ functions, locks, rowsMultiplied }: QueryParts): Danger[] => [
  ...functions.map(({ name, args }) => dangerOfFunction(name, args.length)).filter((found) => found !== undefined),
  ...(locks.some(({ limited }) => !limited)
    ? [danger('locks-every-row', 'a locking clause without WHERE or LIMIT')]
    : []),
  ...(rowsMultiplied >= ROWS_MULTIPLIED_MAX ? [danger('large-product', 'a FROM clause')] : []),
]

const isSetConfig = ({ name }: FunctionUse) => name === 'set_config'

const settingOf = ({ args: [name, value, isLocal] }: FunctionUse): Setting => ({
  name: name ?? '',
  kind: typeof name === 'string' ? 'set' : 'computed',
  values: typeof value === 'string' ? [value] : undefined,
  local: isLocal === 'true' || isLocal === 't',
})

const dangerOfSettingCall = (setting: Setting): Danger | undefined =>
  setting.kind === 'computed' ? danger('setting-unknown', 'set_config()') : dangerOfSetting(setting)

/** A temporary relation belongs to the session's own schema, however its name is written. */
export const createdRelation = (kind: Created['kind'], relation: RangeVar | undefined): Created => {
  const name = nameOfRelation(relation)
  const temporary = relation?.relpersistence === 't' || name.schema === 'pg_temp'
  return { kind, object: temporary ? inTemporarySchema(name) : name, temporary }
}

const inTemporarySchema = ({ name }: Name): Name => ({ schema: 'pg_temp', name })

/** What the server analyses in place of SELECT … INTO t FROM …: the same without the clause. */
const withoutInto = (select: SelectStmt, source: Source): string | undefined => {
  const { intoClause, ...query } = select
  const places = topLevel(source.tokens, 0)
  const into = findWord(source.tokens, places, 'into')
  const name = source.tokenAt(intoClause?.rel?.location)
  if (into < 0 || name < into) return undefined
  const last = intoClause?.rel?.schemaname ? name + 2 : name
  const text = `${source.between(0, into)} ${source.between(last + 1, (places.at(-1) ?? -1) + 1)}`
  return cutOut(text, { SelectStmt: query })?.source.text
}

/** The effects, dangers and names of an inner statement that runs when the outer one does. */
export const inherited = (inner: Command): Omit<Draft, 'tag'> & { readonly effects: readonly Effect[] } => ({
  effects: inner.effects,
  changes: inner.changes,
  dangers: inner.dangers,
  functions: inner.functions,
  operators: inner.operators,
  types: inner.types,
  attributes: inner.attributes,
  parameters: inner.parameters,
  settings: inner.settings,
  creates: inner.creates,
  secrets: inner.secrets,
  ...(inner.analysable === undefined ? {} : { analysable: inner.analysable }),
  ...(inner.columns ? { columns: inner.columns } : {}),
})
