import type { Name } from '../action.ts'
import type { RowsPlan } from '../count-plan.ts'
import type { LockLevel } from './lock-level.ts'

/*
 * What one statement sets out to do, as its text says it: by names, before the catalogue says what they are. Plain
 * data, made only for statements that are held.
 */

export interface Reach {
  readonly acts: readonly Act[]
  /** What it does beyond that, which cannot be told from its text. */
  readonly unknown: readonly string[]
  /** What was prepared under this name runs. */
  readonly executes?: { readonly name: string; readonly arguments: readonly (string | null | undefined)[] }
}

export type Act = RowsAct | TruncateAct | DropAct | AlterAct | LockAct

/** `only`: the relation alone, without its partitions and the tables that inherit from it. */
export interface Target {
  readonly relation: Name
  readonly only: boolean
}

export interface RowsAct extends Target {
  readonly kind: 'rows'
  readonly change: 'insert' | 'update' | 'delete' | 'merge'
  /** Columns that it gives other values; undefined when that cannot be told. */
  readonly sets: readonly string[] | undefined
  /** Where the rows are found before they are changed. */
  readonly rows?: RowsPlan
  /** At most so many are offered. */
  readonly rowsAtMost?: number
}

export interface TruncateAct {
  readonly kind: 'truncate'
  readonly targets: readonly Target[]
  readonly cascade: boolean
}

export interface DropAct {
  readonly kind: 'drop'
  readonly objects: readonly DroppedObject[]
  readonly cascade: boolean
  readonly concurrently: boolean
}

/** As `pg_get_object_address` takes it; what belongs to a relation is named by it. */
export interface DroppedObject {
  readonly type: string
  readonly names: readonly string[]
  /** Types of arguments; undefined where none are written, so that there must be only one of the name. */
  readonly args?: readonly string[]
  readonly relation?: Name
}

export interface AlterAct extends Target {
  readonly kind: 'alter'
  readonly parts: readonly AlterPart[]
}

/** One part of ALTER TABLE, and what its lock and its work depend on. */
export interface AlterPart {
  readonly subtype: string
  readonly name?: string
  readonly cascade?: boolean
  readonly concurrently?: boolean
  readonly type?: WrittenType
  /** ALTER COLUMN TYPE … USING anything but the column itself, or its cast to the very type. */
  readonly computes?: boolean
  /** Functions and operators that ADD COLUMN … DEFAULT calls. */
  readonly calls?: Calls
  readonly generated?: 'stored' | 'virtual'
  readonly identity?: boolean
  readonly constraint?: WrittenConstraint
  /** Constraints that ADD COLUMN brings along. */
  readonly constraints?: readonly WrittenConstraint[]
  /** Names of options of SET (…). */
  readonly options?: readonly string[]
  /** ATTACH and DETACH PARTITION, INHERIT. */
  readonly other?: Name
}

export interface Calls {
  readonly functions: readonly Name[]
  readonly operators: readonly Name[]
}

export interface WrittenType {
  /** Every name quoted, so that the server can look it up. */
  readonly text: string
  readonly modifiers: readonly number[]
}

export interface WrittenConstraint {
  readonly kind: 'check' | 'not-null' | 'unique' | 'primary' | 'exclusion' | 'foreign' | 'other'
  readonly notValid: boolean
  readonly usingIndex: boolean
  readonly references?: Name
}

/** Anything else that locks a relation. */
export interface LockAct extends Target {
  readonly kind: 'lock'
  readonly level: LockLevel
  /** Partitions and inheriting tables too. */
  readonly recurses: boolean
  readonly effect: 'locks' | 'alters' | 'rebuilds'
  readonly rewrites: boolean
  readonly scans: boolean
  /** It names an index: its table is locked like this, or not at all. */
  readonly table?: LockLevel
  /** Where the relation that is named gets a weaker one if it is an index. */
  readonly through?: string
}
