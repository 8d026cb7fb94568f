import { describe, expect, it, vi } from 'vitest'
import type { Running } from './running.ts'
import { supervise, type Supervision } from './supervise.ts'

const QUICK = { firstMs: 1, longestMs: 4, wellAfterMs: 10_000 }

describe('a supervised process', () => {
  it('is started again when it ends, and says why and with which number', async () => {
    const { processes, onReady, onTrouble, supervision } = fakes()
    await supervise(supervision, new AbortController().signal)
    processes[0]?.end('SIGKILL')
    await vi.waitFor(() => expect(onReady).toHaveBeenCalledTimes(2))
    expect(onReady.mock.calls).toEqual([[1], [2]])
    expect(onTrouble.mock.calls).toEqual([['ended: SIGKILL']])
  })

  it('is started again later and later while it dies as soon as it is ready', async () => {
    const { processes, onReady, supervision } = fakes()
    const pauses: number[] = []
    const slower = { firstMs: 2, longestMs: 60, wellAfterMs: 10_000 }
    await supervise({ ...supervision, delays: slower }, new AbortController().signal)
    for (let deaths = 1; deaths <= 3; deaths++) {
      const since = performance.now()
      processes.at(-1)?.end('SIGKILL')
      await vi.waitFor(() => expect(onReady).toHaveBeenCalledTimes(deaths + 1), { interval: 1 })
      pauses.push(performance.now() - since)
    }
    // A timer may be late, and never early: less a millisecond for its rounding.
    expect(pauses.map((pause, index) => pause >= Math.min(20 * 2 ** index, 60) - 1)).toEqual([true, true, true])
  })

  it('is tried again for as long as it does not start', async () => {
    const { processes, onReady, onTrouble, supervision } = fakes({ failing: [2, 3, 4] })
    await supervise(supervision, new AbortController().signal)
    processes[0]?.end('exit code 1')
    await vi.waitFor(() => expect(onReady).toHaveBeenCalledTimes(2))
    expect(onTrouble.mock.calls.flat()).toEqual([
      'ended: exit code 1',
      'start 2 fails',
      'start 3 fails',
      'start 4 fails',
    ])
  })

  it('must start the first time', async () => {
    const { supervision, onReady } = fakes({ failing: [1] })
    await expect(supervise(supervision, new AbortController().signal)).rejects.toThrow('start 1 fails')
    expect(onReady).not.toHaveBeenCalled()
  })

  it('is not started again when everything is stopping', async () => {
    const { processes, onReady, onTrouble, supervision } = fakes()
    const stopping = new AbortController()
    const supervised = await supervise(supervision, stopping.signal)
    stopping.abort()
    await supervised.stop(100)
    expect(processes).toHaveLength(1)
    expect(processes[0]?.stopped).toEqual([100])
    expect(onReady).toHaveBeenCalledTimes(1)
    expect(onTrouble).not.toHaveBeenCalled()
  })

  it('can be stopped while it waits to be started again', async () => {
    const { processes, supervision } = fakes()
    const stopping = new AbortController()
    const slow = { ...supervision, delays: { firstMs: 60_000, longestMs: 60_000, wellAfterMs: 0 } }
    const supervised = await supervise(slow, stopping.signal)
    processes[0]?.end('SIGKILL')
    await Promise.resolve()
    stopping.abort()
    await supervised.stop(100)
    expect(processes).toHaveLength(1)
  })

  it('is stopped when it becomes ready too late, after everything was told to stop', async () => {
    const stopping = new AbortController()
    const { processes, supervision, onReady } = fakes({ onStart: (n) => n === 2 && stopping.abort() })
    const supervised = await supervise(supervision, stopping.signal)
    processes[0]?.end('SIGKILL')
    await vi.waitFor(() => expect(processes[1]?.stopped).toHaveLength(1))
    await supervised.stop(100)
    expect(onReady).toHaveBeenCalledTimes(1)
  })
})

interface FakeProcess extends Running {
  readonly end: (because: string) => void
  readonly stopped: number[]
}

const fakes = ({ failing = [], onStart }: { failing?: number[]; onStart?: (n: number) => unknown } = {}) => {
  const processes: FakeProcess[] = []
  const onReady = vi.fn<(pid: number) => void>()
  const onTrouble = vi.fn<(because: string) => void>()
  let starts = 0
  const start = async () => {
    starts += 1
    onStart?.(starts)
    if (failing.includes(starts)) throw new Error(`start ${starts} fails`)
    const process = fakeProcess(processes.length + 1)
    processes.push(process)
    return process
  }
  const supervision: Supervision = { name: 'fake', start, onReady, onTrouble, delays: QUICK }
  return { processes, onReady, onTrouble, supervision }
}

const fakeProcess = (pid: number): FakeProcess => {
  const { promise: ended, resolve } = Promise.withResolvers<string>()
  const stopped: number[] = []
  const stop = async (graceMs: number) => {
    stopped.push(graceMs)
    resolve('stopped')
  }
  return { pid, ended, stop, end: resolve, stopped }
}
