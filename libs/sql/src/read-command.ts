import type { Node } from 'libpg-query'
import { commandOf, type Command } from './command.ts'
import type { Source } from './source.ts'
import type { Reader } from './statements/reader.ts'
import { READERS, readUnknown } from './statements/statement-kinds.ts'
import { tagOf } from './syntax-tree.ts'

const readers = new Map<string, Reader<never>>(Object.entries(READERS))

/** One statement, by its tree; with its text where that is certain. */
export const readCommand = (node: Node, source: Source | undefined): Command => {
  const tag = tagOf(node)
  const read = readers.get(tag) ?? readUnknown
  const statement = (node as Record<string, unknown>)[tag]
  return commandOf(tag, read(statement as never, { node, source, read: readCommand }))
}
