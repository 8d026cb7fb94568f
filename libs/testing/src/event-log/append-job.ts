import { randomInt } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { LogUnavailableError, type EventLog, type Position } from '@countersign/eventlog'
import type { AppendJob, Said } from './jobs.ts'
import { wholeRecord } from './whole.ts'

const REFUSED_PAUSE_MS = 20

/** Each line of work appends its own ids in order; one that is refused is given up, and never tried under its old id. */
export const append = async (log: EventLog, job: AppendJob, say: (said: Said) => void): Promise<void> => {
  const { topic, key, prefix, inFlight, count = Infinity, bytesMax } = job
  let next = 0

  const line = async () => {
    while (next < count) {
      const id = `${prefix}-${next++}`
      const position = await log.append(topic, wholeRecord(key, id, randomInt(1, bytesMax))).catch(refused)
      if (position) say({ said: 'acked', id, ...position })
    }
  }

  const refused = async (error: unknown): Promise<Position | undefined> => {
    if (!(error instanceof LogUnavailableError)) throw error
    say({ said: 'refused' })
    await sleep(REFUSED_PAUSE_MS)
    return undefined
  }

  await Promise.all(Array.from({ length: inFlight }, line))
}
