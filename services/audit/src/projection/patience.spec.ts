import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { untilDone } from './patience.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const patient = { signal: new AbortController().signal, failed: () => {}, isFinal: () => false }

describe('untilDone', () => {
  it('tries again with longer and longer pauses, up to five seconds, and tells of each failure', async () => {
    const failed = vi.fn<(error: unknown) => void>()
    const times: number[] = []
    const what = async () => {
      times.push(Date.now())
      if (times.length < 12) throw new Error(`${times.length}`)
      return 'done'
    }
    const done = untilDone(what, { ...patient, failed })
    await vi.advanceTimersByTimeAsync(60_000)
    expect(await done).toBe('done')
    expect(failed).toHaveBeenCalledTimes(11)
    const pauses = times.slice(1).map((time, i) => time - (times[i] ?? 0))
    expect(pauses).toEqual([100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000, 5_000, 5_000, 5_000])
  })

  it('gives up when there is no sense in going on', async () => {
    const fatal = new Error('fatal')
    await expect(untilDone(() => Promise.reject(fatal), { ...patient, isFinal: (e) => e === fatal })).rejects.toBe(
      fatal,
    )
  })

  it('ends at once when it is told to, also in a pause', async () => {
    const stop = new AbortController()
    const done = untilDone(() => Promise.reject(new Error('no')), { ...patient, signal: stop.signal })
    const ended = expect(done).rejects.toThrow(/abort/)
    await vi.advanceTimersByTimeAsync(50)
    stop.abort()
    await ended
    await expect(untilDone(async () => 1, { ...patient, signal: stop.signal })).rejects.toThrow(/abort/)
  })
})
