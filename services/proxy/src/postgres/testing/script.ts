/*
 * The language of the specs, in place of SQL: what a statement does is what it says. `deny`, `hold` and `mask` in front
 * say what policy thinks of it, `guarded` that it may change one row and no more; a number is how many rows; whatever else stands behind tells one from another.
 *
 * `deny expel`: the session ends with it.
 *
 *   read 3 · write 2 · returning 2 · copyin · copyout 2 · begin · commit · rollback · fail · syntax
 *   failbind, badwrite (their parameters are refused)
 *   defer (the commit fails) · path NAME (names mean something else) · temp · say WORD (countersign.reason)
 *   prepare NAME AS statement · deallocate NAME · run NAME · declare NAME AS statement · notice 1
 */

export interface Command {
  readonly text: string
  readonly verdict: 'allow' | 'mask' | 'hold' | 'deny'
  readonly guarded: boolean
  readonly kind: string
  /** What stands behind the word: a number of rows or a name. */
  readonly rows: number
  readonly name: string
  /** The statement that it prepares or declares. */
  readonly inner: string
}

/** Whatever a text that was spoilt may ask for. */
const ROWS_MAX = 100

const VERDICTS = new Set(['mask', 'hold', 'deny'])

export const readScript = (sql: string): readonly Command[] =>
  sql
    .split(';')
    .map((text) => text.trim().replace(FETCHED_BY_MESSAGE, 'fetch $1'))
    .filter((text) => text !== '')
    .map(readCommand)

/** What a cursor comes to that is executed by message, in SQL. */
const FETCHED_BY_MESSAGE = /^FETCH ALL FROM "(.*)"$/

const readCommand = (text: string): Command => {
  const words = text.split(/\s+/)
  const verdict = VERDICTS.has(words[0] ?? '') ? (words.shift() as Command['verdict']) : 'allow'
  const guarded = words[0] === 'guarded' && words.shift() !== undefined
  // What the node itself says is SQL, and in capitals.
  const [kind = '', argument = ''] = words.map((word, index) => (index === 0 ? word.toLowerCase() : word))
  const inner = / as (.*)$/i.exec(text)?.[1] ?? ''
  return { text, verdict, guarded, kind, rows: Math.min(Number(argument) || 0, ROWS_MAX), name: argument, inner }
}

const READING = new Set(['read', 'copyout', 'notice', 'begin', 'commit', 'rollback', 'fail', 'failbind', 'syntax'])

/** It changes nothing, and the judge can tell. */
export const isReadOnly = ({ kind }: Command): boolean => READING.has(kind)

const GIVING = new Set(['read', 'returning', 'fail'])

/** It gives rows. */
export const givesRows = ({ kind }: Command): boolean => GIVING.has(kind)

/** What functions do, by their numbers. */
export const CALLED: Readonly<Record<number, string>> = {
  1: 'read one',
  2: 'mask read two',
  3: 'deny write 3',
  4: 'write 4',
  5: 'deny expel',
}

/** So many rows may a statement change that is guarded. */
export const GUARDED_ROWS = 1

/** Nobody could keep to a guard: an end of the transaction, or data of the client's, in the same text. */
export const cannotBeGuarded = (commands: readonly Command[]): boolean =>
  commands.some(({ guarded }) => guarded) && commands.some(({ kind }) => UNGUARDABLE.has(kind))

const UNGUARDABLE = new Set(['begin', 'commit', 'rollback', 'copyin', 'copyout'])
