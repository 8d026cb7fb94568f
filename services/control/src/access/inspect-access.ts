import { setTimeout as sleep } from 'node:timers/promises'
import { TOPICS } from '@countersign/contracts'
import type { Cursor, EventLog, LogRecord } from '@countersign/eventlog'
import { Follower } from '../follower.ts'
import type { Quarantine } from '../quarantine/quarantine.ts'
import { readAccess } from './read-access.ts'
import { isOrdinary } from './skim.ts'

export interface InspectOptions {
  readonly log: EventLog
  readonly from: Cursor
  readonly quarantine: Quarantine
  readonly failed: (error: unknown) => void
}

/** For each millisecond of work, so many of rest: a fifteenth of a core at most, whatever the load. */
const REST = 15
const REST_MIN_MS = 20

/**
 * Reads in full, at leisure, what `FollowAccess` passed over by its looks: so that in the end every event that no
 * contract knows is set aside, without the ordinary ones costing what the nodes need.
 */
export class InspectAccess {
  readonly #follower: Follower
  readonly #closing = new AbortController()

  constructor({ log, from, quarantine, failed }: InspectOptions) {
    const { signal } = this.#closing
    const inspect = async (records: readonly LogRecord[]) => {
      const begin = performance.now()
      const unreadable = records
        .filter(({ value }) => isOrdinary(value))
        .flatMap((record) => readAccess(record).unreadable)
      const restMs = Math.max((performance.now() - begin) * REST, REST_MIN_MS)
      for (const found of unreadable) await quarantine(found)
      await sleep(restMs, undefined, { signal }).catch(() => undefined)
    }
    this.#follower = new Follower(log, TOPICS.access, inspect, (error) => signal.aborted || failed(error), from)
  }

  /** Everything before it has been inspected. */
  get cursor(): Cursor {
    return this.#follower.cursor
  }

  close(): Promise<void> {
    this.#closing.abort()
    return this.#follower.close()
  }
}
