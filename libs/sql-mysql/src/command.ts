import type { Danger, Effect } from '@countersign/sql'
import type { Tree } from './tree.ts'

/** Everything about one text. Plain data: it may travel from a worker. */
export interface MysqlUnderstanding {
  readonly commands: readonly MysqlCommand[]
  /** Other constants in the same places (see `shapeOf`) would be understood in exactly the same way. */
  readonly shapeable: boolean
}

/** One statement of a text. */
export interface MysqlCommand {
  /** The kind of statement, as people say it: `DELETE`, `DROP TABLE`. */
  readonly tag: string
  /** Where it stands in the text, in characters. */
  readonly span: { readonly start: number; readonly end: number }
  /** What it does to what, by the names that it writes; of a query or a change, the tree says it. */
  readonly effects: readonly Effect[]
  readonly dangers: readonly Danger[]
  /** By its kind: SHOW, USE, COMMIT. Of a query, the tree and the catalogue say it. */
  readonly harmless: boolean
  /** A query or a change, as two parsers agree on it. */
  readonly tree?: Tree
  /** A string of it is a name, so that another string would be another name. */
  readonly named: boolean
  /** Why there is no tree, or nothing at all. */
  readonly unread?: string
  readonly locks: boolean
  /** Its rows go into user variables. */
  readonly intoVariables: boolean
  readonly inner?: Inner
  /** The default database from now on. */
  readonly uses?: string
  /** Relations that it makes or takes for the session alone. */
  readonly temporary: boolean
  /** Called procedure, as it is written. */
  readonly calls?: { readonly schema?: string; readonly name: string }
  /** Parameters (`?`) that it has. */
  readonly parameters: number
  /** Its constants may hold passwords or keys: none of them is shown. */
  readonly secrets: boolean
}

/**
 * A statement within a statement. `planned`: EXPLAIN, which may run parts of it that read. `stored`: its rows go
 * somewhere from where they can be read later.
 */
export interface Inner {
  readonly command: MysqlCommand
  readonly runs: 'now' | 'planned' | 'stored'
}

export type Draft = Partial<Omit<MysqlCommand, 'span'>> & { readonly tag: string }

/** A command with nothing but what the draft says. It is never harmless unless the draft says so. */
export const commandOf = (span: MysqlCommand['span'], draft: Draft): MysqlCommand => ({
  effects: [],
  dangers: [],
  harmless: false,
  named: false,
  locks: false,
  intoVariables: false,
  temporary: false,
  parameters: 0,
  secrets: false,
  ...draft,
  span,
})
