import { z } from 'zod'
import { ConfigError } from './config-error.ts'
import { Config } from './config-schema.ts'

const PREFIX = 'COUNTERSIGN_'

/** What is known by another name elsewhere, and expected to work under it. */
const ALIASES: Readonly<Record<string, readonly string[]>> = { CLICKHOUSE_URL: ['audit', 'clickhouse', 'url'] }

/** What the command line reads from the environment, and no service does. */
const OF_THE_COMMAND = new Set(['COUNTERSIGN_API', 'COUNTERSIGN_TOKEN', 'COUNTERSIGN_HOME', 'COUNTERSIGN_CONSOLE'])

/**
 * Lays the environment over the file: `COUNTERSIGN_NODE_LISTEN_PORT=7000` sets `node.listen.port`,
 * `COUNTERSIGN_DATABASES_0_UPSTREAM_HOST` the host of the first database. A name that fits no value is refused:
 * a misspelt override must not be silently without effect.
 */
export const withOverrides = (raw: object, env: NodeJS.ProcessEnv): Overridden => {
  const variables = new Map<string, string>()
  const config = structuredClone(raw) as Tree
  const schema = z.toJSONSchema(Config, { io: 'input', unrepresentable: 'any' }) as Schema
  for (const [name, value] of Object.entries(env)) {
    if (value === undefined) continue
    const alias = ALIASES[name]
    const ours = name.startsWith(PREFIX) && !OF_THE_COMMAND.has(name)
    if (alias) setIn(config, alias, value)
    if (alias ?? ours) variables.set((alias ?? override(config, schema, name, value)).join('.'), name)
  }
  return { config, variables }
}

export interface Overridden {
  readonly config: object
  /** Which variable each value was taken from, by the value's path (`node.listen.port`). */
  readonly variables: ReadonlyMap<string, string>
}

const override = (config: Tree, schema: Schema, name: string, value: string): readonly string[] => {
  const found = pathOf(schema, name.slice(PREFIX.length).split('_'))
  if (!found) throw new ConfigError(`environment: ${name}: there is no such value in countersign.yaml`)
  setIn(config, found.path, typed(found.schema, value))
  return found.path
}

type Tree = Record<string, unknown>

/** The parts of a JSON Schema that lead to a value. */
interface Schema {
  readonly type?: string
  readonly properties?: Readonly<Record<string, Schema>>
  readonly additionalProperties?: Schema | boolean
  readonly items?: Schema
  readonly anyOf?: readonly Schema[]
  readonly oneOf?: readonly Schema[]
}

interface Found {
  readonly path: readonly string[]
  readonly schema: Schema
}

/** Matches the words of a variable's name against the keys of the schema: `LISTEN_PORT`, `STATEMENT_BYTES_MAX`. */
const pathOf = (schema: Schema, words: readonly string[]): Found | undefined => {
  if (words.length === 0) return { path: [], schema }
  const choices = [...(schema.anyOf ?? []), ...(schema.oneOf ?? [])].map((choice) => pathOf(choice, words))
  return choices.find((found) => found !== undefined) ?? below(schema, words)
}

const below = (schema: Schema, words: readonly string[]): Found | undefined => {
  for (const [key, part] of Object.entries(schema.properties ?? {})) {
    const needed = wordsOf(key)
    if (needed.some((word, i) => words[i] !== word)) continue
    const found = pathOf(part, words.slice(needed.length))
    if (found) return { ...found, path: [key, ...found.path] }
  }
  const [first, ...rest] = words
  if (schema.items && first !== undefined && /^\d+$/.test(first)) return under(first, schema.items, rest)
  if (typeof schema.additionalProperties === 'object') {
    return under(words.join('_').toLowerCase(), schema.additionalProperties, [])
  }
  return undefined
}

const under = (key: string, schema: Schema, words: readonly string[]): Found | undefined => {
  const found = pathOf(schema, words)
  return found && { ...found, path: [key, ...found.path] }
}

const wordsOf = (key: string) =>
  key
    .replace(/([a-z])([A-Z])/g, '$1_$2')
    .toUpperCase()
    .split('_')

const typed = ({ type }: Schema, value: string): unknown => {
  if (type === 'integer' || type === 'number') return Number(value)
  if (type === 'boolean') return value === 'true' || value === '1'
  if (type === 'array') return value.split(',').map((part) => part.trim())
  return value
}

const setIn = (tree: Tree, [key, ...rest]: readonly string[], value: unknown): void => {
  if (key === undefined) return
  if (rest.length === 0) {
    tree[key] = value
    return
  }
  const part = tree[key]
  const inner: Tree = typeof part === 'object' && part !== null ? (part as Tree) : {}
  tree[key] = inner
  setIn(inner, rest, value)
}
