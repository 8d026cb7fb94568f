import type { Action, SqlObject } from './action.ts'
import type { Change } from './command.ts'
import type { Danger } from './danger.ts'

/** What a statement is, after its text, the server's tree and the catalogue have been put together. Plain data. */
export interface Facts {
  readonly tag: string
  readonly actions: readonly Action[]
  readonly uses: readonly Use[]
  /** The same, by relation. */
  readonly relations: readonly RelationFacts[]
  /** Proven to change nothing: by its kind, by the server's tree, and by each function behind it. */
  readonly readOnly: boolean
  /** What its names mean in the session is not known. */
  readonly unresolved: boolean
  /** It speaks of nothing but temporary tables of the session. */
  readonly onlyTemporary: boolean
  /** SQLSTATE with which the server refuses it before anything of it runs. */
  readonly fails?: string
  readonly dangers: readonly Danger[]
  /** The columns that the client gets; undefined when that is not known, so that every value counts as unknown. */
  readonly outputs: readonly OutputFacts[] | undefined
  /** Of PREPARE and DECLARE CURSOR: what EXECUTE and FETCH will give. */
  readonly later?: Facts
  /** Columns that are read, whether they are given out or not. */
  readonly reads: readonly ColumnName[]
  /** Columns of relations that code behind the statement reads: which of them, it does not say. */
  readonly mayRead: readonly ColumnName[]
  readonly writes: readonly ColumnName[]
  /** Columns that code behind the statement writes, as far as its text tells. */
  readonly mayWrite: readonly ColumnName[]
  readonly predicates: readonly ColumnName[]
  readonly ordering: readonly ColumnName[]
  /** Where the rows of relations lie that have partitions or heirs, for those that the statement speaks of. */
  readonly parts: readonly Parts[]
  /** Values of columns that it puts into another place, from where they can be read later. */
  readonly flows: readonly Flow[]
  /** Columns whose values decide whether it fails. */
  readonly steering: readonly ColumnName[]
  /** Nothing that counting its rows would call can change anything. */
  readonly countable: boolean
  /** What code behind it may do to the session, where its own text does not say so. */
  readonly behind: SessionChanges
}

/** What only the session knows, and code of functions, views, defaults and triggers can change as well as a statement. */
export interface SessionChanges {
  /** Settings on which the meaning of names and texts rests, and temporary relations. */
  readonly names: boolean
  /** Cursors and prepared statements: one may stand for something else afterwards under the same name. */
  readonly handles: boolean
}

export type Through = 'statement' | 'function' | 'trigger' | 'rule' | 'cascade'

/** One action on one object. */
export interface Use {
  readonly action: Action
  readonly object: SqlObject
  /** Belongs to the session and goes with it. */
  readonly temporary: boolean
  /** Part of the server's own catalogue. */
  readonly system: boolean
  readonly through: Through
  /** Prepared now, to be judged again when it runs. */
  readonly deferred: boolean
  readonly change?: UseChange
}

export interface UseChange {
  readonly kind: Change['kind']
  readonly unbounded: boolean
  readonly tautological: boolean
  /** In a loop: any number of times. */
  readonly repeated: boolean
  readonly rowsAtMost?: number
  /** Which of the command's changes it is, and so which of `countQueries` counts its rows. */
  readonly index?: number
  /** Rows in the relation by the planner's statistics. */
  readonly rowEstimate?: number
}

export interface Parts {
  /** `schema.relation`, as in `relations`. */
  readonly relation: string
  readonly heldIn: readonly string[]
}

export interface RelationFacts {
  readonly name: string
  readonly actions: readonly Action[]
}

/** `schema.relation.column`, and the server's numbers for it. */
export interface ColumnName {
  readonly name: string
  readonly relation: number
  readonly column: number
}

export interface OutputFacts {
  readonly name: string
  readonly origins: readonly ColumnName[]
  /** Computed: a value is not one of its origins' values, but may hold pieces of them. */
  readonly derived: boolean
  /**
   * Something on the way cannot be seen through. Then a value may come from any column in `reads` and `mayRead`; from
   * anywhere at all when the statement is not understood to the end (`unresolved`, or an action `unknown`).
   */
  readonly opaque: boolean
}

export interface Flow {
  /** The column it is written to; undefined for a new relation, a setting, a notification, a large object. */
  readonly into: ColumnName | undefined
  readonly origins: readonly ColumnName[]
  readonly opaque: boolean
}
