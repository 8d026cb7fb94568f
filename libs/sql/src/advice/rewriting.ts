import type { Node } from 'libpg-query'
import { deparseSync } from 'pgsql-deparser'
import { parseOne } from '../parser.ts'
import { sameTree } from '../syntax-tree.ts'

/**
 * Statements written from their trees. Each is parsed again, and must come out as the very tree that was meant: what
 * the writer of the text gets wrong is not advised. Undefined where one of them is not certain, or longer than anybody
 * would read in a hint.
 */
export const written = (...nodes: readonly Node[]): readonly string[] | undefined => {
  const texts = nodes.map(textOf)
  return texts.every((text) => text !== undefined && text.length <= LENGTH_MAX)
    ? texts.map((text) => `${text};`)
    : undefined
}

const LENGTH_MAX = 4_000

const textOf = (node: Node): string | undefined => {
  const text = deparsed(node)
  const read = text === undefined ? undefined : parseOne(text)
  return read !== undefined && sameTree(withoutDefaults(read), withoutDefaults(node)) ? text : undefined
}

/** A tree that the library does not know how to write makes it throw, with words of its own. */
const deparsed = (node: Node): string | undefined => {
  try {
    return deparseSync(node, { pretty: false })
  } catch {
    return undefined
  }
}

/** What the grammar leaves out when it is nothing: false, and an empty list. */
const withoutDefaults = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(withoutDefaults)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).filter(([, part]) => part !== false && part !== undefined && !isEmptyList(part))
  return Object.fromEntries(entries.map(([key, part]) => [key, withoutDefaults(part)]))
}

const isEmptyList = (value: unknown): boolean => Array.isArray(value) && value.length === 0
