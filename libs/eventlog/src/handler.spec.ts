import type { Decider } from '@countersign/kernel'
import { describe, expect, it } from 'vitest'
import { handlerOf } from './handler.ts'

const counter: Decider<number, string, number> = {
  initial: 0,
  decide: (command, total) => (command === 'nothing' ? [] : [total + 1]),
  evolve: (_, total) => total,
}

/** A store in which others write first so many times. */
const storeWith = (others: number) => {
  const past: number[] = []
  let left = others
  return {
    past,
    load: async () => ({ past: [...past], revision: past.length }),
    append: async (_: string, revision: number, events: readonly number[]) => {
      if (left-- > 0) past.push(past.length + 1)
      if (past.length !== revision) return 'conflict' as const
      past.push(...events)
      return 'appended' as const
    },
  }
}

describe('a handler', () => {
  it('appends what the decider decides', async () => {
    const store = storeWith(0)
    expect(await handlerOf(counter, store)('s', 'count')).toEqual([1])
    expect(store.past).toEqual([1])
  })

  it('decides again on the newer past when somebody wrote first', async () => {
    const store = storeWith(3)
    expect(await handlerOf(counter, store)('s', 'count')).toEqual([4])
    expect(store.past).toEqual([1, 2, 3, 4])
  })

  it('writes nothing when nothing is decided', async () => {
    const store = storeWith(0)
    expect(await handlerOf(counter, store)('s', 'nothing')).toEqual([])
    expect(store.past).toEqual([])
  })

  it('lets commands to one stream take turns, so that they never race each other', async () => {
    const store = storeWith(0)
    const handle = handlerOf(counter, store)
    const results = await Promise.all(Array.from({ length: 50 }, () => handle('s', 'count')))
    expect(results.flat()).toEqual(Array.from({ length: 50 }, (_, i) => i + 1))
  })

  it('goes on with the next command when one has failed', async () => {
    const store = storeWith(0)
    const handle = handlerOf(
      { ...counter, decide: (command, total) => (command === 'fail' ? fail() : [total + 1]) },
      store,
    )
    const failed = handle('s', 'fail')
    const next = handle('s', 'count')
    await expect(failed).rejects.toThrow('no such command')
    expect(await next).toEqual([1])
  })
})

const fail = (): never => {
  throw new Error('no such command')
}
