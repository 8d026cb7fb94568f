import { closeSync, constants, openSync, statSync, watch, writeSync } from 'node:fs'
import { sameInode } from './place.ts'

/*
 * How the processes of one machine tell each other that there is something to read: whoever has committed writes one
 * byte into a file that the others watch. A ring that is lost loses time and nothing else, because readers also look
 * by themselves now and then; so nothing here ever fails.
 */

export interface Bell {
  /** The first ring after a pause is heard at once; those that follow closely are heard as one. */
  ring(): void
  close(): void
}

/** Every ring wakes every listener's process, so a busy writer does not ring for each commit. */
const RINGS_APART_MS = 20

export const openBell = (path: string): Bell => {
  const handle = quietly(() => openSync(path, constants.O_WRONLY | constants.O_CREAT, 0o600))
  let rungAt = -Infinity
  let later: NodeJS.Timeout | undefined
  const ringNow = () => {
    later = undefined
    rungAt = performance.now()
    if (handle !== undefined) quietly(() => writeSync(handle, '!', 0))
  }
  return {
    ring: () => {
      if (later) return
      const wait = rungAt + RINGS_APART_MS - performance.now()
      if (wait <= 0) ringNow()
      else later = setTimeout(ringNow, wait)
    },
    close: () => {
      clearTimeout(later)
      if (later) ringNow()
      if (handle !== undefined) quietly(() => closeSync(handle))
    },
  }
}

export interface Listener {
  /** Whether the bell hangs where it hung when listening began; if not, somebody listens to the wrong one. */
  inPlace(): boolean
  close(): void
}

/** Calls back after each ring. Undefined when there is no bell, or the machine has no more watches to give. */
export const listenTo = (path: string, onRing: () => void): Listener | undefined =>
  quietly(() => {
    const hung = statSync(path)
    const watcher = watch(path, onRing)
    watcher.on('error', () => watcher.close())
    return {
      inPlace: () =>
        sameInode(
          hung,
          quietly(() => statSync(path)),
        ),
      close: () => watcher.close(),
    }
  })

const quietly = <T>(act: () => T): T | undefined => {
  try {
    return act()
  } catch {
    return undefined
  }
}
