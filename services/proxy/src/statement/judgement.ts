import type { Action, RelationUse, RowCount, Touch, Verdict } from '@countersign/contracts'
import type { Column } from '@countersign/pgwire'

/**
 * All that is known and decided of one command before it runs. Shared by every execution of the same command under
 * the same circumstances, so nothing in it belongs to one of them.
 */
export interface Judgement {
  /** What the command is, for people and command tags: `SELECT`, `DROP TABLE`. */
  readonly tag: string
  /** What is shown of it, when its constants may hold passwords or keys. */
  readonly hidden: string | undefined
  /** Where it stands in a text of several commands, in bytes. */
  readonly span: { readonly start: number; readonly end: number } | undefined
  readonly actions: readonly Action[]
  readonly relations: readonly RelationUse[]
  /** Proven to change nothing. */
  readonly readOnly: boolean
  readonly shape: string
  readonly verdict: Verdict
  readonly policies: readonly string[]
  readonly policyVersion: string
  readonly catalogueVersion: string
  readonly approvers: readonly string[]
  readonly quorum: number
  /** One sentence for people: why it is held or denied. */
  readonly because: string
  readonly advice: string | undefined
  readonly rows: RowCount | undefined
  /** The rows that it would change are counted before it runs, with its own parameters. */
  readonly counts: boolean
  /** What the server is asked in its place: `EXPLAIN (POLICY) …` becomes the answer, as a list of values. */
  readonly replacement: string | undefined
  /** It reads or returns sensitive columns, so what the server says about it is redacted strictly. */
  readonly sensitive: boolean
  readonly touches: readonly Touch[]
  readonly effects: SessionEffects
  /** SHOW application_name: to its client a session has the name that the client has given it. */
  readonly showsName?: boolean
  /** How result columns are masked. */
  readonly results: ResultPlanner
}

/** What a command changes in the session's own state, to be followed once it has succeeded. */
export interface SessionEffects {
  /** False for nearly every statement: nothing below is set. */
  readonly any: boolean
  /** Prepares a statement under this name: its text. */
  readonly prepares?: { readonly name: string; readonly text: string; readonly types: readonly number[] }
  /** Executes the statement prepared under this name: its results are masked as that one's. */
  readonly executes?: string
  /** Forgets a prepared statement, or all of them. */
  readonly deallocates?: string | 'ALL'
  readonly declares?: {
    readonly name: string
    readonly text: string
    readonly types: readonly number[]
    /** It outlives its transaction. */
    readonly holds: boolean
  }
  /** Closes a cursor, or whatever else has such a name; or all of them. */
  readonly closes?: string | 'ALL'
  /** COMMIT and ROLLBACK, but not to a savepoint: no portal outlives it. */
  readonly endsPortals: boolean
  readonly fetches?: string
  /** Names may mean something else from now on: search path, role. */
  readonly changesNames: boolean
  /** Code behind it may close, open or prepare what has a name of the client's. */
  readonly changesHandles: boolean
  /** `SET countersign.reason = …` and the like. */
  readonly says: boolean
  readonly changesCatalogue: boolean
  /** What is sensitive, or may be, is put into temporary tables. */
  readonly taints: boolean
  /** Where the transaction stands behind it, when it moves it. */
  readonly transaction?: 'idle' | 'open'
  /** COMMIT, ROLLBACK and the like: what was temporary or set for the transaction only may be gone. */
  readonly endsTransaction: boolean
}

/** Decides for the columns of a result what becomes of them. */
export interface ResultPlanner {
  /** For rows: undefined when every column passes as it is. */
  rows(columns: readonly Column[], formats: readonly number[] | undefined): RowPlan | undefined
  /** For COPY … TO STDOUT, of so many columns: undefined when everything passes. */
  copy(columns: number): CopyPlan | undefined
}

/** Masks the rows of one result. Made anew for each result, because it counts. */
export interface RowPlan {
  /** Takes one DataRow message; returns what to send instead, or undefined when the bytes are right as they lie. */
  apply(bytes: Buffer, start: number, end: number): Buffer | undefined
  /** Columns of which at least one value was masked, as `schema.relation.column` or the result's own name. */
  masked(): readonly string[]
}

/** Masks what COPY sends. Keeps state across messages: rows may be cut anywhere. */
export interface CopyPlan {
  push(payload: Buffer): Buffer
  /** What is left to be sent when the server has sent everything. */
  end(): Buffer
  masked(): readonly string[]
}
