import type { Effect, Name } from './action.ts'
import type { Danger } from './danger.ts'
import type { FunctionUse } from './query-parts.ts'
import type { Setting } from './settings.ts'

/** Everything about one text. Plain data: it may travel from a worker. */
export interface Understanding {
  readonly commands: readonly Command[]
  /** Other constants in the same places (see `shapeOf`) would be understood in exactly the same way. */
  readonly shapeable: boolean
}

/** One statement of a text. */
export interface Command {
  /** The kind of statement, as people say it: `DELETE`, `DROP TABLE`. */
  readonly tag: string
  /** The grammar's name for it: `DeleteStmt`. */
  readonly node: string
  /** Where it stands in the text, in bytes. */
  readonly span: { readonly start: number; readonly end: number }
  /** What it does to what, by the names that it writes; with what runs inside it. */
  readonly effects: readonly Effect[]
  /** Rows that it changes, in the order in which the server lists them: common table expressions first. */
  readonly changes: readonly Change[]
  readonly dangers: readonly Danger[]
  /** `if-functions-are`: it changes nothing, provided that the functions, operators and casts in it change nothing. */
  readonly readOnlyByText: 'never' | 'if-functions-are'
  readonly functions: readonly FunctionUse[]
  readonly operators: readonly Name[]
  readonly types: readonly Name[]
  /** Names behind a dot, which may call a function of that name. */
  readonly attributes: readonly string[]
  /** Every name by which it can mean a column; undefined when it may mean any. */
  readonly columns?: readonly string[]
  /** Parameters (`$1`) that it uses. */
  readonly parameters: readonly number[]
  /** What the server can analyse in its place; its outputs are this statement's outputs. */
  readonly analysable?: string
  readonly inner?: Inner
  readonly body?: RoutineBody
  readonly transaction?: TransactionControl
  readonly settings: readonly Setting[]
  readonly prepares?: string
  /** The types that PREPARE declares for its parameters, as names that the server can look up. */
  readonly parameterTypes?: readonly string[]
  readonly executes?: Execution
  readonly deallocates?: { readonly name: string } | 'all'
  readonly declares?: string
  /** The cursor that it declares outlives its transaction. */
  readonly holds?: true
  readonly fetches?: { readonly cursor: string; readonly moves: boolean }
  readonly closes?: { readonly cursor: string } | 'all'
  readonly discards?: 'all' | 'plans' | 'sequences' | 'temp'
  readonly copy?: Copy
  readonly explain?: Explain
  readonly creates: readonly Created[]
  readonly listens?: { readonly channel: string } | 'all'
  readonly unlistens?: { readonly channel: string } | 'all'
  readonly notifies?: { readonly channel: string }
  /** Its constants may hold passwords or keys: none of them is shown. */
  readonly secrets: boolean
}

/** A statement within a statement, and when it runs. `planned`: only the functions in it may run, while planning. */
export interface Inner {
  readonly command: Command
  readonly runs: 'now' | 'later' | 'planned'
}

/** The code of a function, a procedure or a DO block. */
export interface RoutineBody {
  readonly language: string
  readonly statements: readonly BodyStatement[]
  /** It runs SQL that it builds. */
  readonly dynamic: boolean
  /** The language is not known here, or its grammar refuses the text. */
  readonly unreadable: boolean
  /** It raises messages with values in them. */
  readonly raises: boolean
  /** It opens or closes cursors that other statements can name. */
  readonly cursors: boolean
}

export interface BodyStatement {
  readonly command: Command
  /** Inside a loop: it may run any number of times. */
  readonly repeated: boolean
}

export interface Change {
  readonly kind: 'insert' | 'update' | 'delete' | 'merge' | 'truncate' | 'drop'
  readonly relation: Name
  /** No WHERE. */
  readonly unbounded: boolean
  /** A WHERE that keeps nothing out. */
  readonly tautological: boolean
  readonly rowsAtMost?: number
  /** A MERGE that inserts as well: `count` is about the other rows. */
  readonly inserts?: true
  readonly count?: CountPlan
  /** The columns that it writes, as far as it lists them; undefined: it may write any. */
  readonly columns?: readonly string[]
}

/** How to count the rows; see `countQueries`. */
export interface CountPlan {
  /** Text, or the number of a constant of the statement that stands here. */
  readonly pieces: readonly (string | { readonly constant: number })[]
  /** For each parameter of the query, `$1` first, the statement's parameter that it is. */
  readonly parameters: readonly number[]
  /** Otherwise the statement changes at most as many. */
  readonly exact: boolean
}

export interface TransactionControl {
  readonly kind:
    | 'begin'
    | 'commit'
    | 'rollback'
    | 'savepoint'
    | 'release'
    | 'rollback-to'
    | 'prepare'
    | 'commit-prepared'
    | 'rollback-prepared'
  readonly savepoint?: string
  /** AND CHAIN: the next transaction begins at once. */
  readonly chain: boolean
}

export interface Execution {
  readonly name: string
  /** As parameters in text format; null for NULL, undefined for what is computed. */
  readonly arguments: readonly (string | null | undefined)[]
}

export interface Copy {
  readonly direction: 'in' | 'out'
  readonly where: 'client' | 'file' | 'program'
  readonly relation?: Name
  /** As they are listed; every column in order when the list is absent. */
  readonly columns?: readonly string[]
  readonly format: 'text' | 'csv' | 'binary'
  readonly options: Readonly<Record<string, string>>
}

export interface Explain {
  readonly analyze: boolean
  /** `EXPLAIN (POLICY)`: the node answers it; the server would not know it. */
  readonly policy: boolean
}

export interface Created {
  readonly kind: 'table' | 'view' | 'sequence' | 'routine' | 'other'
  readonly object: Name
  readonly temporary: boolean
}

export type Draft = Partial<Omit<Command, 'span' | 'node'>> & { readonly tag: string }

/** A command with nothing but what the draft says. It is never read-only unless the draft says so. */
export const commandOf = (node: string, draft: Draft): Command => ({
  node,
  span: { start: 0, end: 0 },
  effects: [],
  changes: [],
  dangers: [],
  readOnlyByText: 'never',
  functions: [],
  operators: [],
  types: [],
  attributes: [],
  parameters: [],
  settings: [],
  creates: [],
  secrets: false,
  ...draft,
})
