import { setTimeout as sleep } from 'node:timers/promises'

const RETRY_MS = 25

/** Tries until it succeeds, and fails with the last error when that takes too long. */
export const eventually = async <T>(attempt: () => Promise<T>, timeoutMs = 60_000): Promise<T> => {
  const giveUpAt = performance.now() + timeoutMs
  for (;;) {
    try {
      return await attempt()
    } catch (error) {
      if (performance.now() > giveUpAt) throw error
    }
    await sleep(RETRY_MS)
  }
}
