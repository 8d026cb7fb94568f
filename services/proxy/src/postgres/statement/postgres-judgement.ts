import type { AccessEvent } from '@countersign/contracts'
import type { Column } from '@countersign/pgwire'
import type { Execution } from '../../statement/execution.ts'
import type { CopyPlan, Judgement, RowPlan } from '../../statement/judgement.ts'

/** With what a command does to its session, and what becomes of the columns that PostgreSQL describes. */
export interface PostgresJudgement extends Judgement {
  readonly effects: SessionEffects
  /** SHOW application_name: to its client a session has the name that the client has given it. */
  readonly showsName?: boolean
  /** Of what undoes: what it does to which relations. */
  readonly restored?: Extract<AccessEvent, { type: 'undo.used' }>['data']['relations']
  /** How result columns are masked. */
  readonly results: ResultPlanner
}

export type PostgresExecution = Execution<PostgresJudgement>

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
