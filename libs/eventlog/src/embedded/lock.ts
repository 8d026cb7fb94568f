import type { StatementSync } from 'node:sqlite'
import { isBusy } from './sqlite-fault.ts'

/** Turns at one file that several processes write to. */
export interface Lock {
  /** Blocks until the lock is taken. Throws SQLite's error when somebody else keeps it. */
  take(): void
  /** To be told of every commit, and whether records of another process lay before it. */
  committed(othersToo: boolean): void
}

/** How long another process may keep the lock before appends are refused. */
const TAKE_TIMEOUT_MS = 600
/** Between two tries: shorter than a commit takes, so that no process has to wait for many of another's. */
const RETRY_MS = 0.1
/** For how long the lock is left alone between two commits while others write too: they get their turn in it. */
const LEAVE_MS = 0.15
const OTHERS_REMEMBERED_MS = 50

/**
 * SQLite's own waiting sleeps up to 100 ms between two tries, and so loses every race against a process that writes
 * without a pause. Here who waits looks often, and who has just written lets others go first.
 */
export const lockBy = (begin: StatementSync): Lock => {
  let committedAt = 0
  let othersAt = -Infinity

  const leaveToOthers = () => {
    const now = performance.now()
    const left = committedAt + LEAVE_MS - now
    if (left > 0 && now - othersAt < OTHERS_REMEMBERED_MS) sleep(left)
  }

  const take = () => {
    leaveToOthers()
    const giveUpAt = performance.now() + TAKE_TIMEOUT_MS
    for (;;) {
      try {
        begin.run()
        return
      } catch (error) {
        if (!isBusy(error) || performance.now() > giveUpAt) throw error
      }
      sleep(RETRY_MS)
    }
  }

  return {
    take,
    committed: (othersToo) => {
      committedAt = performance.now()
      if (othersToo) othersAt = committedAt
    },
  }
}

const sleep = (ms: number) => void Atomics.wait(clock, 0, 0, ms)

/** Never notified: waiting on it is sleeping. */
const clock = new Int32Array(new SharedArrayBuffer(4))
