import { faultOf, type Logger } from '@countersign/platform'

/** Does a task over and over, with a pause in between and never twice at once. Returns how to stop; the last run ends first. */
export const repeat = (task: () => Promise<void>, pauseMs: number, logger: Logger): (() => Promise<void>) => {
  const stopping = new AbortController()
  const { signal } = stopping
  let wake = () => {}
  const run = async () => {
    while (!signal.aborted) {
      await task().catch((error: unknown) => logger.warn('will try again', faultOf(error)))
      if (signal.aborted) return
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, pauseMs)
        wake = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
  }
  const running = run()
  return () => {
    stopping.abort()
    wake()
    return running
  }
}
