import { setTimeout as sleep } from 'node:timers/promises'
import type { Running } from './running.ts'

export interface Supervision {
  readonly name: string
  /** Resolves when the process is ready. Gives up when the signal is given. */
  readonly start: (stopping: AbortSignal) => Promise<Running>
  /** Told of every process that has become ready, the first one included. */
  readonly onReady: (pid: number) => void
  /** Told when a process has ended unasked, or could not be started again. */
  readonly onTrouble: (because: string) => void
  readonly delays?: Delays
}

export interface Delays {
  readonly firstMs: number
  readonly longestMs: number
  /** A process that lived this long was well: the next restart is quick again. */
  readonly wellAfterMs: number
}

const DELAYS: Delays = { firstMs: 100, longestMs: 5_000, wellAfterMs: 1_000 }

export interface Supervised {
  readonly name: string
  /** Stops the process, once nothing is started any more: give the `stopping` signal first. */
  stop(graceMs: number): Promise<void>
}

/**
 * Keeps one process running: when it ends it is started again, soon at first and then after longer and longer
 * pauses, until `stopping`. The first start must succeed; its failure is the caller's.
 */
export const supervise = async (supervision: Supervision, stopping: AbortSignal): Promise<Supervised> => {
  const { delays = DELAYS } = supervision
  let current = await supervision.start(stopping)
  supervision.onReady(current.pid)

  const watch = async () => {
    for (let early = 0; ;) {
      const since = performance.now()
      const because = await current.ended
      if (stopping.aborted) return
      supervision.onTrouble(`ended: ${because}`)
      // One that dies as soon as it is ready counts as a start that failed, or this would be a tight loop.
      early = performance.now() - since >= delays.wellAfterMs ? 0 : early + 1
      const next = await restart(supervision, pauseAfter(early, delays), stopping)
      if (!next) return
      current = next
      supervision.onReady(current.pid)
    }
  }
  const watched = watch()

  return {
    name: supervision.name,
    stop: async (graceMs) => {
      await current.stop(graceMs)
      await watched
    },
  }
}

/** The more often it has died at once, the longer. */
const pauseAfter = (early: number, { firstMs, longestMs }: Delays): number =>
  early === 0 ? firstMs : Math.min(firstMs * 10 * 2 ** (early - 1), longestMs)

const restart = async (
  { start, onTrouble, delays = DELAYS }: Supervision,
  firstPauseMs: number,
  stopping: AbortSignal,
): Promise<Running | undefined> => {
  for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(pauseMs * 2, delays.longestMs)) {
    await sleep(pauseMs, undefined, { signal: stopping }).catch(() => undefined)
    if (stopping.aborted) return undefined
    const next = await start(stopping).catch((error: unknown) => {
      if (!stopping.aborted) onTrouble(error instanceof Error ? error.message : String(error))
    })
    if (next && !stopping.aborted) return next
    await next?.stop(STOP_MS)
  }
}

const STOP_MS = 2_000
