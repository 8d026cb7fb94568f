import type { Replayed } from '@countersign/contracts'
import { localTime } from '../clock.ts'

/** One line: how many verdicts would have been others. */
export const summaryOf = ({
  statements,
  unchanged,
  stricter,
  looser,
  untold,
  since,
  until,
  complete,
}: Replayed): string =>
  `${n(stricter)} stricter, ${n(looser)} looser, ${n(unchanged)} unchanged, ${n(untold)} cannot be told, ` +
  `of ${n(statements)} statements from ${localTime(since)} to ${localTime(until)}${complete ? '' : ' (there were more)'}`

export const n = (count: number): string => count.toLocaleString('en')
