import type {
  Action,
  Blast,
  DecidedFacts,
  RelationUse,
  RequestId,
  RowCount,
  Touch,
  Verdict,
} from '@countersign/contracts'
import type { Wanted } from '@countersign/policy'
import type { Guard } from './guard.ts'

/**
 * All that is known and decided of one command before it runs, whatever protocol it comes by; what it does to its
 * session, and how its results lie in bytes, a protocol adds. Shared by every execution of the same command under
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
  /** Tickets and reasons with which it would come off better. */
  readonly wanted?: readonly Wanted[] | undefined
  /** The safe way to write it, where it is not let through. */
  readonly safer?: readonly SaferWay[] | undefined
  /** Denied, and the session that tried it ends. */
  readonly endsSession?: true | undefined
  readonly rows: RowCount | undefined
  /** How many it may change when it runs. */
  readonly guard?: Guard | undefined
  /** For so many hours what it changes must be possible to undo, or it must not stand. */
  readonly undoHours?: number | undefined
  /** It undoes what was approved under this request, as a whole or not at all. */
  readonly restores?: RequestId | undefined
  /** The rows that it would change are counted before it runs, with its own parameters. */
  readonly counts: boolean
  /** What the server is asked in its place: `EXPLAIN (POLICY) …` becomes the answer, as a list of values. */
  readonly replacement: string | undefined
  /** It reads or returns sensitive columns, so what the server says about it is redacted strictly. */
  readonly sensitive: boolean
  readonly touches: readonly Touch[]
  /** What policy was asked with, for the record; undefined where that is too much for it. */
  readonly facts?: DecidedFacts | undefined
  /** Of one that is held: what it would reach, all of its text together. */
  readonly blast?: Blast
}

/** How it could be written so that it hurts less; `sql`: statements to run in its place, with the same end. */
export interface SaferWay {
  readonly code: string
  readonly text: string
  readonly sql?: readonly string[]
}

/** Where a transaction stands, as the server says it. */
export type TransactionStatus = 'idle' | 'open' | 'failed'

/** Masks the rows of one result. Made anew for each result, because it counts. */
export interface RowPlan {
  /** Takes the message of one row; returns what to send instead, or undefined when the bytes are right as they lie. */
  apply(bytes: Buffer, start: number, end: number): Buffer | undefined
  /** The same of several whole messages, one behind the other, where that is cheaper. */
  applyRun?(bytes: Buffer, start: number, end: number): Buffer | undefined
  /** Columns of which at least one value was masked, as `schema.relation.column` or the result's own name. */
  masked(): readonly string[]
}

/** Masks rows that come as one stream (COPY). Keeps state across messages: rows may be cut anywhere. */
export interface CopyPlan {
  push(payload: Buffer): Buffer
  /** What is left to be sent when the server has sent everything. */
  end(): Buffer
  masked(): readonly string[]
}
