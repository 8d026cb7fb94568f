import { readFileSync } from 'node:fs'
import { ConfigError } from '@countersign/platform'
import { LineCounter, parseDocument, type Document } from 'yaml'
import type { z } from 'zod'

/** A YAML file that fits its schema, and where in it each value stands. */
export interface YamlFile<Value> {
  readonly value: Value
  /** `file:line` of a value, for errors that the schema alone cannot see. */
  readonly at: (path: readonly PropertyKey[]) => string
}

/** Throws `ConfigError` with file, line and reason. Values are never part of the message: some are digests of secrets. */
export const readYamlFile = <Schema extends z.ZodType>(file: string, schema: Schema): YamlFile<z.output<Schema>> => {
  const lines = new LineCounter()
  const document = parseDocument(textOf(file), { lineCounter: lines })
  const at = (path: readonly PropertyKey[]) => `${file}:${lineOf(document, lines, path)}`

  const [fault] = document.errors
  if (fault) throw new ConfigError(`${file}:${lines.linePos(fault.pos[0]).line}: ${fault.message.split('\n')[0]}`)

  const parsed = schema.safeParse(document.toJS())
  if (parsed.success) return { value: parsed.data, at }
  const faults = parsed.error.issues.map(({ path, message }) => `${at(path)}: ${path.join('.') || 'file'}: ${message}`)
  throw new ConfigError(faults.join('\n'))
}

/** The text of a file that the configuration names. */
export const textOf = (file: string): string => {
  try {
    return readFileSync(file, 'utf8')
  } catch (cause) {
    throw new ConfigError(`${file}: cannot be read; the configuration names it under control`, { cause })
  }
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
