/** How a statement could be written so that it hurts less. */
export interface Advice {
  readonly code: AdviceCode
  /** One sentence for people. */
  readonly text: string
  /** Statements to run in its place, one after the other, each in a transaction of its own. The end is the same. */
  readonly sql?: readonly string[]
}

/** Only ever more of them: programs act on these. */
export const ADVICE_CODES = [
  'index-concurrently',
  'index-by-partition',
  'drop-index-concurrently',
  'reindex-concurrently',
  'refresh-concurrently',
  'validate-later',
  'not-null-by-check',
  'default-later',
  'column-rewrite',
  'type-rewrite',
  'key-by-index',
  'expand-and-contract',
  'rename-first',
  'rows-by-key',
  'rows-in-parts',
  'delete-in-parts',
  'vacuum-plain',
  'rewrite-online',
  'lock-rows',
  'lock-few-rows',
  'name-privileges',
  'name-columns',
] as const
export type AdviceCode = (typeof ADVICE_CODES)[number]
