import type { Column } from '@countersign/pgwire'
import type { Judgement } from '../statement/judgement.ts'
import type { Execution } from '../statement/execution.ts'

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
  readonly judgement: Judgement | undefined
  /** Formats and parameters as they lie in the Bind message; absent when there are none. */
  readonly parameterBytes: Buffer | undefined
  readonly resultFormats: readonly number[]
  columns: readonly Column[] | undefined
  /** The server has been asked to describe it. */
  describing: boolean
  /** The execution that it is under, until that has come to its end. */
  execution: Execution | undefined
  /** The group that it was made in: it does not outlive that group's end outside a transaction. */
  readonly group: number
  /** Closed or replaced while the server was still at it. */
  dropped: boolean
}

/**
 * What the server owes an answer to, in the order in which it was asked. An error of the server's ends everything up
 * to the next `sync`; `undo` takes back what was believed too early.
 */
export type Pending =
  | { readonly kind: 'parse' | 'bind' | 'close'; readonly undo: (() => void) | undefined }
  | { readonly kind: 'describe'; readonly of: Prepared | Portal | undefined; readonly silent: boolean }
  | { readonly kind: 'execute'; readonly portal: Portal; readonly execution: Execution | undefined }
  | { readonly kind: 'query'; readonly executions: readonly Execution[]; next: number }
  /** A message that the server cannot but refuse, sent in place of what we refuse: its error becomes ours. */
  | { readonly kind: 'refused'; readonly error: Buffer }
  | { readonly kind: 'sync' }
  /** A question of our own on the client's connection; nothing of the answer reaches the client. */
  | {
      readonly kind: 'question'
      readonly answered: (rows: readonly (readonly (string | null)[])[]) => void
      readonly rows: (readonly (string | null)[])[]
    }
