import type { Node } from 'libpg-query'
import type { Command, Draft } from '../command.ts'
import type { Source } from '../source.ts'

/** What a reader of a statement may use: the node with its tag, its text when that is certain, and all other readers. */
export interface Context {
  readonly node: Node
  readonly source: Source | undefined
  readonly read: (node: Node, source: Source | undefined) => Command
}

export type Reader<Statement> = (statement: Statement, context: Context) => Draft
