import { setTimeout as delay } from 'node:timers/promises'

/** Asks again and again until it does not throw; then, or when time is up, gives what it gave. */
export const eventually = async <Result>(what: () => Promise<Result>, ms = 20_000): Promise<Result> => {
  for (const end = Date.now() + ms; Date.now() < end; await delay(25)) {
    try {
      return await what()
    } catch {
      // Not yet.
    }
  }
  return what()
}
