import type { AccessEvent } from '@countersign/contracts'

type Guarded = Extract<AccessEvent, { type: 'statement.guarded' }>['data']

/** How many rows a statement may change when it runs. When it has changed more, nothing of it may stand. */
export interface Guard {
  readonly rowsMax: number
  readonly by: Guarded['by']
  /** Why nobody could keep to it; undefined when the node does. */
  readonly unkept: NonNullable<Guarded['because']> | undefined
}

/** The most that it may change; no number is larger where nothing keeps it. */
export const rowsMaxOf = (guard: Guard | undefined): number =>
  guard === undefined || guard.unkept !== undefined ? Infinity : guard.rowsMax

/** Why a bound cannot be kept, for people; behind "its rows cannot be bounded: ". */
export const UNKEPT: Readonly<Record<NonNullable<Guard['unkept']>, string>> = {
  'several-changes': 'it changes rows in several places, and the server counts those of the last only',
  'merge-inserts': 'the server counts what it inserts together with what it changes',
  'not-told': 'the server does not say in the end how many they were',
  'transaction-control': 'it stands in one text with a command that may commit it',
  copy: 'they come from the client while it runs',
}
