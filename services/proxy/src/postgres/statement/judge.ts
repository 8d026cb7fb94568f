import type { Principal, Target } from '@countersign/contracts'
import type { TransactionStatus } from '@countersign/pgwire'
import type { Stages } from '../../statement/execution.ts'
import type { StatementRefusedError } from '../../statement/refusal.ts'
import type { SessionView } from '../understanding/parser-jobs.ts'
import type { CalledFunction } from './called-function.ts'
import type { PostgresJudgement } from './postgres-judgement.ts'

/** The circumstances of a session that a judgement depends on. */
export interface Circumstances {
  readonly principal: Principal
  readonly target: Target
  readonly role: string
  /** The server's process that serves the session. */
  readonly processId: number
  /** What names mean in this session now. */
  readonly session: SessionView
  /** The same, as the beginning of a key: two sessions that agree in it mean the same by every name. */
  readonly namesKey: string
  /** The types that the client has declared for its parameters: numbers of the server's, 0 for none. */
  readonly types: readonly number[]
  readonly transaction: TransactionStatus
  readonly reason: string | undefined
  readonly ticket: string | undefined
  /** What was prepared, or declared as a cursor, under this name in this session. */
  readonly prepared: (name: string) => { readonly text: string; readonly types: readonly number[] } | undefined
  readonly cursor: (name: string) => DeclaredCursor | undefined
}

/** A cursor goes on to mean what it meant when it was declared, whatever names mean by now. */
export interface DeclaredCursor {
  readonly text: string
  readonly types: readonly number[]
  readonly session: SessionView
  readonly namesKey: string
}

/** Bound values, for the few statements whose rows are counted before they run. */
export interface BoundParameters {
  readonly types: readonly number[]
  readonly formats: readonly number[]
  readonly values: readonly (Buffer | null)[]
}

export interface Asking {
  readonly bound?: BoundParameters | undefined
  /** What is held is to be told with what it would reach. */
  readonly reach?: boolean
  /** How long it took to decide is filled in. */
  readonly stages?: Stages
  /** The client takes back what it is waiting for, or is gone. */
  readonly signal?: AbortSignal
}

export interface Judge {
  /** What it says depends on where the transaction stands, so that must be known. */
  readonly restsOnTransaction: boolean

  /** The judgement of each command of this text, when everything is known already. Takes microseconds. */
  known(sql: string, circumstances: Circumstances): readonly PostgresJudgement[] | undefined

  /**
   * The same, asking the parser and the database what is not known yet. Rejects with `StatementRefusedError` for
   * what cannot be understood.
   */
  ask(sql: string, circumstances: Circumstances, more?: Asking): Promise<readonly PostgresJudgement[]>

  /** The function with this number of the server's, as a statement. Rejects with `StatementRefusedError`. */
  called(oid: number): Promise<CalledFunction>

  /** What is recorded of a text that could not be understood. */
  notUnderstood(sql: string, refusal: StatementRefusedError): PostgresJudgement
}
