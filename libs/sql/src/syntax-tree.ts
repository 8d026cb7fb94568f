import type { Node } from 'libpg-query'
import type { Name } from './action.ts'

/*
 * Small readers for the parser's tree. Every node is an object with one key, its tag; fields that can only hold one
 * kind of node hold it without the tag.
 */

type TagOf<N> = N extends unknown ? keyof N : never
export type Tag = TagOf<Node> & string

/** The tags of the grammar's statements: an exhaustive table over them does not compile when one is missing. */
export type StatementTag = Extract<Tag, `${string}Stmt`>

export const tagOf = (node: Node): string => Object.keys(node)[0] ?? 'nothing'

export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** The value of a String node. */
export const stringOf = (node: Node | undefined): string | undefined =>
  node && 'String' in node ? (node.String.sval ?? '') : undefined

export const stringsOf = (nodes: readonly Node[] | undefined): string[] =>
  (nodes ?? []).map(stringOf).filter((text) => text !== undefined)

/** `schema.name` of a list of String nodes. A database's name in front says nothing: it can only be this one. */
export const nameOfList = (nodes: readonly Node[] | undefined): Name => nameOfParts(stringsOf(nodes))

export const nameOfParts = (parts: readonly string[]): Name => {
  const name = parts.at(-1) ?? ''
  const schema = parts.at(-2)
  return schema === undefined ? { name } : { schema, name }
}

interface Relation {
  readonly schemaname?: string
  readonly relname?: string
}

export const nameOfRelation = (relation: Relation | undefined): Name => {
  const name = relation?.relname ?? ''
  return relation?.schemaname ? { schema: relation.schemaname, name } : { name }
}

export type Constant =
  | { readonly kind: 'null' }
  | { readonly kind: 'boolean'; readonly value: boolean }
  | { readonly kind: 'number'; readonly value: number; readonly text: string }
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'bits'; readonly value: string }

/** The value of a constant, as the statement writes it. */
export const constantOf = (node: Node | undefined): Constant | undefined => {
  if (!node || !('A_Const' in node)) return undefined
  const { isnull, boolval, ival, fval, sval, bsval } = node.A_Const
  if (isnull) return { kind: 'null' }
  if (boolval) return { kind: 'boolean', value: boolval.boolval ?? false }
  if (ival) return { kind: 'number', value: ival.ival ?? 0, text: String(ival.ival ?? 0) }
  if (fval) return { kind: 'number', value: Number(fval.fval), text: fval.fval ?? '' }
  if (bsval) return { kind: 'bits', value: bsval.bsval ?? '' }
  return sval ? { kind: 'string', value: sval.sval ?? '' } : undefined
}

/** A constant as text, the way a parameter in text format carries it. `null` is NULL; undefined is not a constant. */
export const constantText = (node: Node | undefined): string | null | undefined => {
  const constant = constantOf(node)
  if (constant?.kind === 'null') return null
  if (constant?.kind === 'number') return constant.text
  return constant === undefined ? undefined : String(constant.value)
}

/** An option such as `ANALYZE`, `ANALYZE off`, `ANALYZE 1`. PostgreSQL's defGetBoolean says what counts as true. */
export interface Option {
  readonly name: string
  readonly value: string | undefined
  readonly arg: Node | undefined
}

export const optionsOf = (nodes: readonly Node[] | undefined): Option[] =>
  (nodes ?? []).flatMap((node) =>
    'DefElem' in node
      ? [
          {
            name: (node.DefElem.defname ?? '').toLowerCase(),
            value: optionText(node.DefElem.arg),
            arg: node.DefElem.arg,
          },
        ]
      : [],
  )

const optionText = (arg: Node | undefined): string | undefined => {
  if (!arg) return undefined
  if ('String' in arg) return arg.String.sval ?? ''
  if ('Integer' in arg) return String(arg.Integer.ival ?? 0)
  if ('Float' in arg) return arg.Float.fval ?? ''
  if ('Boolean' in arg) return String(arg.Boolean.boolval ?? false)
  if ('TypeName' in arg) return nameOfList(arg.TypeName.names).name
  return constantText(arg) ?? undefined
}

/** An option that is given without a value is on; a value that is not known as false counts as on. */
export const isOn = (option: Option | undefined): boolean =>
  option !== undefined && !/^(false|off|0)$/i.test(option.value ?? 'true')

/** The last one of a name wins, as on the server. */
export const lastOption = (options: readonly Option[], ...names: readonly string[]): Option | undefined =>
  options.findLast(({ name }) => names.includes(name))

const PLACES = new Set(['location', 'stmt_location', 'stmt_len', 'rexpr_list_start', 'rexpr_list_end'])

/** Do two trees say the same, wherever their words stand? */
export const sameTree = (left: unknown, right: unknown): boolean => {
  const waiting: [unknown, unknown][] = [[left, right]]
  for (let pair = waiting.pop(); pair; pair = waiting.pop()) {
    const [a, b] = pair
    if (a === b) continue
    if (!isObject(a) || !isObject(b) || Array.isArray(a) !== Array.isArray(b)) return false
    const keys = new Set([...Object.keys(a), ...Object.keys(b)].filter((key) => !PLACES.has(key)))
    for (const key of keys) waiting.push([a[key], b[key]])
  }
  return true
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null
