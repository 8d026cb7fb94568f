import { listenTo } from './bell.ts'

/** Wakes one reader when there may be something to read. */
export interface Alarm {
  /** Forgets what has rung so far. To be called before looking, so that nothing falls in between. */
  clear(): void
  /** Resolves at the next ring, or at once when it has rung since it was cleared. */
  rung(): Promise<void>
  ring(): void
  close(): void
}

/** How long rings gather: a busy writer costs its readers dozens of looks a second, not thousands. */
const GATHER_MS = 20
/** How often to look all the same: for a ring that was lost, and where nothing can be watched. */
const LOOK_MS = 500
const LOOK_UNWATCHED_MS = 20

export const openAlarm = (bell: string): Alarm => {
  let rung = false
  let wake: (() => void) | undefined
  let clearedAt = 0
  let gathering: NodeJS.Timeout | undefined

  const ring = () => {
    clearTimeout(gathering)
    gathering = undefined
    rung = true
    wake?.()
  }

  const onBell = () => {
    if (rung || gathering) return
    if (performance.now() - clearedAt < GATHER_MS) gathering = setTimeout(ring, GATHER_MS)
    else ring()
  }

  let listener = listenTo(bell, onBell)
  const look = setInterval(
    () => {
      if (!listener?.inPlace()) {
        listener?.close()
        listener = listenTo(bell, onBell)
      }
      ring()
    },
    listener ? LOOK_MS : LOOK_UNWATCHED_MS,
  )

  return {
    clear: () => {
      rung = false
      clearedAt = performance.now()
    },
    rung: () => new Promise((resolve) => (rung ? resolve() : (wake = resolve))),
    ring,
    close: () => {
      listener?.close()
      clearInterval(look)
      clearTimeout(gathering)
    },
  }
}
