import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { LineCounter, parseDocument, type Document } from 'yaml'
import type { z } from 'zod'
import { ConfigError } from './config-error.ts'
import { withOverrides } from './config-overrides.ts'
import { Config } from './config-schema.ts'

/**
 * Reads countersign.yaml once, at start. Relative paths inside are taken from the file's own folder.
 *
 * Throws `ConfigError` with file, line and reason. Secrets are never part of the message.
 */
export const loadConfig = (file: string, env: NodeJS.ProcessEnv = process.env): Config =>
  parseConfig(file, readConfig(file), env)

/** The file as it is now. Throws `ConfigError`. */
export const readConfig = (file: string): string => {
  try {
    return readFileSync(file, 'utf8')
  } catch (cause) {
    throw new ConfigError(`${file}: cannot be read; give its path with --config`, { cause })
  }
}

/** The same for a text that was read from the file, and may be another one there by now. */
export const parseConfig = (file: string, text: string, env: NodeJS.ProcessEnv = process.env): Config => {
  const { document, lines } = parseYaml(file, text)
  const raw: unknown = document.toJS()
  if (typeof raw !== 'object' || raw === null)
    throw new ConfigError(`${file}:1: is empty; see deploy/countersign.example.yaml`)

  const { config, variables } = withOverrides(raw, env)
  const parsed = Config.safeParse(config)
  if (!parsed.success) {
    const placeOf = (path: readonly PropertyKey[]) =>
      variableOf(variables, path) ?? `${file}:${lineOf(document, lines, path)}`
    throw new ConfigError(parsed.error.issues.map((issue) => describe(issue, placeOf(issue.path))).join('\n'))
  }
  return absolute(parsed.data, dirname(resolve(file)))
}

const parseYaml = (file: string, text: string) => {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines })
  const [fault] = document.errors
  if (fault) throw new ConfigError(`${file}:${lines.linePos(fault.pos[0]).line}: ${fault.message.split('\n')[0]}`)
  return { document, lines }
}

const describe = ({ path, message }: z.core.$ZodIssue, place: string): string =>
  `${place}: ${path.join('.') || 'file'}: ${message}`

/** The variable that a value, or the nearest part above it, was taken from. */
const variableOf = (variables: ReadonlyMap<string, string>, path: readonly PropertyKey[]): string | undefined => {
  for (let depth = path.length; depth > 0; depth--) {
    const name = variables.get(path.slice(0, depth).join('.'))
    if (name !== undefined) return `environment: ${name}`
  }
  return undefined
}

/** The line of the value, or of the nearest part above it that is there: a missing key has no line of its own. */
const lineOf = (document: Document, lines: LineCounter, path: readonly PropertyKey[]): number => {
  for (let depth = path.length; depth > 0; depth--) {
    const node: unknown = document.getIn(path.slice(0, depth), true)
    if (hasRange(node)) return lines.linePos(node.range[0]).line
  }
  return 1
}

const hasRange = (node: unknown): node is { range: [number, number, number] } =>
  typeof node === 'object' && node !== null && 'range' in node && Array.isArray(node.range)

/** A path that the file names is taken from the file's own folder, not from where the process was started. */
const absolute = (config: Config, folder: string): Config => {
  const at = (path: string) => resolve(folder, path)
  const { log, databases, node, control } = config
  return {
    ...config,
    log: log.kind === 'embedded' ? { ...log, directory: at(log.directory) } : log,
    databases: databases.map(({ upstream, ...database }) => ({
      ...database,
      upstream: { ...upstream, ...placed(upstream, ['ca', 'certificate', 'key'], at) },
    })),
    node: {
      ...node,
      state: at(node.state),
      ...(node.tls && { tls: { ...node.tls, ...placed(node.tls, ['certificate', 'key', 'clientCa'], at) } }),
    },
    control: {
      ...control,
      owners: at(control.owners),
      identities: at(control.identities),
      ...(control.policies !== undefined && { policies: at(control.policies) }),
    },
  }
}

/** These paths of a part, where they are given. */
const placed = <Key extends string>(
  part: Readonly<Partial<Record<Key, string | undefined>>>,
  keys: readonly Key[],
  at: (path: string) => string,
): Partial<Record<Key, string>> => {
  const found: Partial<Record<Key, string>> = {}
  for (const key of keys) {
    const path = part[key]
    if (path !== undefined) found[key] = at(path)
  }
  return found
}
