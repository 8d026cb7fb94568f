const FIRST_DELAY_MS = 100
const DELAY_MS_MAX = 5_000

/**
 * Does it until it succeeds, with longer and longer pauses, and tells of each failure. Only `isFinal` errors and the
 * signal end it: rejects then with the error, or with the signal's reason.
 */
export const untilDone = async <Result>(
  what: () => Promise<Result>,
  {
    signal,
    failed,
    isFinal,
  }: { signal: AbortSignal; failed: (error: unknown) => void; isFinal: (error: unknown) => boolean },
): Promise<Result> => {
  for (let pause = FIRST_DELAY_MS; ; pause = Math.min(2 * pause, DELAY_MS_MAX)) {
    signal.throwIfAborted()
    try {
      return await what()
    } catch (error) {
      failed(error)
      if (isFinal(error)) throw error
    }
    await delay(pause, signal)
  }
}

/** Resolves after so many milliseconds; rejects with the signal's reason when that comes first. */
export const delay = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve, reject) => {
    const end = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', end)
      if (signal.aborted) reject(signal.reason as Error)
      else resolve()
    }
    const timer = setTimeout(end, ms)
    signal.addEventListener('abort', end)
    if (signal.aborted) end()
  })
