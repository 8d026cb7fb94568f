import type { ClickHouseClient } from '@countersign/clickhouse'
import { readPositions, storePositions, type Positions } from '../store/positions.ts'
import { minuteOf, rollUp, uncountedMinutes } from '../store/roll-up.ts'
import type { Persist } from './batch-writer.ts'
import type { Rows } from './rows/index.ts'
import { RUNNING } from './rows/statement-row.ts'

const PAUSE_MS = 2_000
const PAUSE_MS_MAX = 15_000
/** At most this part of the time goes into counting, however many statements a minute has. */
const SHARE = 1 / 20

/** Keeps `statements_by_minute` a few seconds behind `statements`. */
export interface MinuteCounter {
  readonly note: (rows: Rows) => void
  /** Milliseconds until there is something to do; undefined when there is nothing to count. */
  readonly dueIn: () => number | undefined
  /** Counts what is to be counted, beside whatever else goes on. `written` is how far the statements have come. */
  readonly count: (written: Positions) => Promise<void>
}

/** Takes up what the last run wrote and did not count. */
export const openMinuteCounter = async (
  client: ClickHouseClient,
  persist: Persist,
  written: Positions,
  now: () => number,
): Promise<MinuteCounter> => {
  const counted = await persist(() => readPositions(client, 'statements_by_minute'))
  const uncounted = new Set(await persist(() => uncountedMinutes(client, written, counted)))
  let next = now()
  let counting = Promise.resolve()
  let isCounting = false

  const countNow = async (written: Positions): Promise<void> => {
    const minutes = [...uncounted]
    uncounted.clear() // What is settled from here on is noted anew.
    // An outage that has to be waited out is no work: only the attempt that succeeds is measured.
    const tookMs = await persist(async () => {
      const begun = now()
      await rollUp(client, minutes)
      return now() - begun
    })
    await persist(() => storePositions(client, 'statements_by_minute', written))
    next = now() + Math.min(Math.max(PAUSE_MS, tookMs / SHARE), PAUSE_MS_MAX)
  }

  return {
    note: ({ statements }) => {
      for (const { outcome, started_at } of statements) if (outcome !== RUNNING) uncounted.add(minuteOf(started_at))
    },
    dueIn: () => {
      if (uncounted.size === 0) return undefined
      return isCounting ? PAUSE_MS : Math.max(0, next - now())
    },
    count: (written) => {
      isCounting = true
      counting = counting.then(() => countNow(written)).finally(() => (isCounting = false))
      return counting
    },
  }
}
