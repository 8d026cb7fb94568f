import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { AppendQueue, type AppendQueueOptions } from './append-queue.ts'
import { LogUnavailableError, type Position } from './event-log.ts'

/** A store that commits when it is told to. */
const controlled = (options: Partial<AppendQueueOptions<string>> = {}) => {
  const batches: (readonly string[])[] = []
  const ends: { resolve: (positions: readonly Position[]) => void; reject: (error: Error) => void }[] = []
  let next = 0
  const queue = new AppendQueue<string>({
    commit: (items) => {
      batches.push(items)
      return new Promise((resolve, reject) => ends.push({ resolve, reject }))
    },
    bytesOf: ({ length }) => length,
    batchItemsMax: 3,
    batchBytesMax: 10,
    deadlineMs: 500,
    name: 'the store',
    ...options,
  })
  const succeed = () => {
    const items = batches[batches.length - 1] ?? []
    ends.shift()?.resolve(items.map(() => ({ partition: 0, offset: next++ })))
    return settled()
  }
  const fail = (error: Error) => {
    ends.shift()?.reject(error)
    return settled()
  }
  return { queue, batches, succeed, fail }
}

const settled = () => vi.advanceTimersByTimeAsync(0)

describe('an append queue', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  it('commits together what came together, and what came meanwhile next', async () => {
    const { queue, batches, succeed } = controlled()
    const first = Promise.all([queue.append('a'), queue.append('b')])
    await settled()
    const second = Promise.all([queue.append('c'), queue.append('d')])
    await succeed()
    await succeed()
    expect(batches).toEqual([
      ['a', 'b'],
      ['c', 'd'],
    ])
    expect((await first).map(({ offset }) => offset)).toEqual([0, 1])
    expect((await second).map(({ offset }) => offset)).toEqual([2, 3])
  })

  it('never has two commits under way', async () => {
    const { queue, batches, succeed } = controlled()
    void queue.append('a')
    await settled()
    void queue.append('b')
    await settled()
    expect(batches).toEqual([['a']])
    await succeed()
    expect(batches).toEqual([['a'], ['b']])
    await succeed()
  })

  it('keeps batches small, in items and in bytes, though one item may be larger', async () => {
    const { queue, batches, succeed } = controlled()
    for (const item of ['a', 'b', 'c', 'd', '666666', '55555', 'larger than it may be', 'e']) void queue.append(item)
    for (let i = 0; i < 5; i++) await settled().then(succeed)
    expect(batches).toEqual([['a', 'b', 'c'], ['d', '666666'], ['55555'], ['larger than it may be'], ['e']])
  })

  it('refuses a batch whose commit failed, and goes on with the next', async () => {
    const { queue, fail, succeed } = controlled()
    const failed = [queue.append('a'), queue.append('b')].map((append) => append.catch((error: unknown) => error))
    await settled()
    const next = queue.append('c')
    await fail(new LogUnavailableError('the disk is full'))
    await succeed()
    expect(await Promise.all(failed)).toEqual([
      expect.objectContaining({ reason: 'the disk is full' }),
      expect.objectContaining({ reason: 'the disk is full' }),
    ])
    expect(await next).toEqual({ partition: 0, offset: 0 })
  })

  it('refuses everything once a commit is late, at once, until it comes back', async () => {
    const onLate = vi.fn()
    const { queue, succeed } = controlled({ onLate })
    const late = queue.append('a').catch((error: unknown) => error)
    await vi.advanceTimersByTimeAsync(300)
    const waiting = queue.append('b').catch((error: unknown) => error)
    await vi.advanceTimersByTimeAsync(200)
    expect(await late).toBeInstanceOf(LogUnavailableError)
    expect(await waiting).toBeInstanceOf(LogUnavailableError)
    await expect(queue.append('c')).rejects.toBeInstanceOf(LogUnavailableError)
    expect(() => queue.check()).toThrow(/within 500 ms/)
    expect(onLate).toHaveBeenCalledOnce()
    await succeed()
    queue.check()
    const next = queue.append('d')
    await settled()
    await succeed()
    expect(await next).toEqual({ partition: 0, offset: 1 })
  })

  it('counts from when an append came, not from when its turn came', async () => {
    const { queue, succeed } = controlled()
    const first = queue.append('a')
    await vi.advanceTimersByTimeAsync(400)
    const second = queue.append('b').catch((error: unknown) => error)
    await succeed()
    await first
    await vi.advanceTimersByTimeAsync(499)
    await expect(Promise.race([second, 'pending'])).resolves.toBe('pending')
    await vi.advanceTimersByTimeAsync(1)
    expect(await second).toBeInstanceOf(LogUnavailableError)
  })

  it('does not count the time before appends could be taken', async () => {
    const { queue, succeed } = controlled({ readyAt: () => 2_000 + startedAt })
    const startedAt = performance.now()
    const append = queue.append('a')
    await vi.advanceTimersByTimeAsync(2_400)
    await succeed()
    expect(await append).toEqual({ partition: 0, offset: 0 })
  })

  it('does not count the time in which this process did not get to hear anything', async () => {
    vi.useRealTimers()
    const commit = () =>
      new Promise<Position[]>((resolve) => setTimeout(() => resolve([{ partition: 0, offset: 7 }]), 1))
    const { queue } = controlled({ commit, deadlineMs: 300 })
    const append = queue.append('a')
    for (const until = performance.now() + 600; performance.now() < until;);
    expect(await append).toEqual({ partition: 0, offset: 7 })
  })

  it('ends what is under way when it is closed, and refuses what comes then', async () => {
    const { queue, succeed } = controlled()
    const append = queue.append('a')
    await settled()
    const closed = queue.close()
    await expect(queue.append('b')).rejects.toThrow(/has been closed/)
    await succeed()
    await closed
    expect(await append).toEqual({ partition: 0, offset: 0 })
  })
})
