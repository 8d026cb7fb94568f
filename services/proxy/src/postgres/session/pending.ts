import type { Column } from '@countersign/pgwire'
import type { PostgresExecution, PostgresJudgement } from '../statement/postgres-judgement.ts'
import type { NamesMeant } from './meaning.ts'
import type { Change } from './name-table.ts'

/** A statement that the client has prepared, by Parse or by SQL. */
export interface Prepared {
  readonly text: string
  readonly textBytes: Buffer
  readonly parameterTypes: readonly number[]
  /** Known once the server has described it. */
  columns: readonly Column[] | undefined
}

/** A prepared statement with its parameters. */
export interface Portal {
  readonly prepared: Prepared
  /** Absent for an empty text, which does nothing. */
  readonly judgement: PostgresJudgement | undefined
  /** Formats and parameters as they lie in the Bind message; absent when there are none. */
  readonly parameterBytes: Buffer | undefined
  readonly resultFormats: readonly number[]
  columns: readonly Column[] | undefined
  /** The server has been asked to describe it. */
  describing: boolean
  /** The execution that it is under, until that has come to its end. */
  execution: PostgresExecution | undefined
  /** The group that it was made in: it does not outlive that group's end outside a transaction. */
  readonly group: number
  /** What names meant when it was bound, and the version of all meanings then. */
  readonly names: NamesMeant
  readonly version: number
}

/**
 * What the server owes an answer to, in the order in which it was asked. An error of the server's ends everything up
 * to the next `sync`.
 */
export type Pending =
  | { readonly kind: 'parse'; readonly change: Change<Prepared>; readonly judgement: PostgresJudgement | undefined }
  | { readonly kind: 'close-statement'; readonly change: Change<Prepared> }
  | { readonly kind: 'bind' | 'close-portal'; readonly change: Change<Portal> }
  | { readonly kind: 'describe'; readonly of: Prepared | Portal | undefined; readonly silent: boolean }
  | { readonly kind: 'execute'; readonly portal: Portal; readonly execution: PostgresExecution | undefined }
  | {
      readonly kind: 'query'
      readonly executions: readonly PostgresExecution[]
      next: number
      /** A function is called by its number: what comes back of it. */
      readonly result?: Column
      readonly guarded?: GuardedQuery
    }
  /** COMMIT or ROLLBACK of the transaction that we have begun around a guarded query: its answer ends that one's. */
  | { readonly kind: 'verdict'; readonly of: GuardedQuery; readonly error: Buffer | undefined }
  /** CopyDone or CopyFail: the end of the data for a COPY that was asked for before. Nothing answers to it. */
  | { readonly kind: 'copy-end' }
  /** A message that the server cannot but refuse, sent in place of what we refuse: its error becomes ours. */
  | {
      readonly kind: 'refused'
      readonly error: Buffer
      /** What the server gives away by it, though it refuses the rest. */
      readonly change?: Change<Prepared>
    }
  | { readonly kind: 'sync' }
  | Question

/** A simple query, of which some command may change so many rows only. */
export interface GuardedQuery {
  /** It stands in a transaction of ours, so what it says at its end is not its end yet. */
  readonly wrapped: boolean
  readonly judgement: PostgresJudgement | undefined
  /** CommandComplete of its last command: the client is told that when it is committed. */
  completed: Buffer | undefined
}

/** A question of our own on the client's connection; nothing of the answer reaches the client. */
export interface Question {
  readonly kind: 'question'
  /** In the middle of a group: its answer ends with the last CloseComplete, not with ReadyForQuery. */
  readonly within: boolean
  /** So many CloseComplete are still to come. */
  closes: number
  readonly rows: (readonly (string | null)[])[]
  /** The SQLSTATE with which the server has refused to answer, and what it says where that is fit for the client. */
  failure: string | undefined
  message?: string | undefined
  readonly answered: (question: Question) => void
}

/** What it was judged to be, of which the server speaks in its errors. */
export const judgementOf = (pending: Pending | undefined): PostgresJudgement | undefined => {
  switch (pending?.kind) {
    case 'parse':
      return pending.judgement
    case 'bind':
      return pending.change.value?.judgement
    case 'execute':
      return pending.portal.judgement
    case 'query':
      return pending.executions[pending.next]?.judgement
    case 'verdict':
      return pending.of.judgement
    default:
      return undefined
  }
}

/** The statement or statements that it stands for. */
export const executionsOf = (pending: Pending): readonly PostgresExecution[] => {
  switch (pending.kind) {
    case 'query':
      return pending.executions
    case 'execute':
      return pending.execution ? [pending.execution] : NONE
    case 'bind':
      return pending.change.value?.execution ? [pending.change.value.execution] : NONE
    default:
      return NONE
  }
}

const NONE: readonly PostgresExecution[] = []
