import { beforeEach, describe, expect, it } from 'vitest'
import { SharedCounts } from './shared-counts.ts'

let counts: SharedCounts
beforeEach(() => {
  counts = new SharedCounts()
})

describe('what is limited per node', () => {
  it('is counted over all workers', () => {
    expect([counts.take('w0', 'ana', 2), counts.take('w1', 'ana', 2), counts.take('w0', 'ana', 2)]).toEqual([
      true,
      true,
      false,
    ])
    expect(counts.take('w0', 'bo', 2)).toBe(true)
  })

  it('can be taken again when it was given back, and not twice', () => {
    counts.take('w0', 'ana', 1)
    counts.giveBack('w0', 'ana')
    counts.giveBack('w0', 'ana')
    expect([counts.take('w1', 'ana', 1), counts.take('w1', 'ana', 1)]).toEqual([true, false])
  })

  it('is not given back by somebody who has not taken it', () => {
    counts.take('w0', 'ana', 1)
    counts.giveBack('w1', 'ana')
    expect(counts.take('w1', 'ana', 1)).toBe(false)
  })

  it('comes back with the end of a worker that had taken it', () => {
    for (const name of ['ana', 'ana', 'bo']) counts.take('w0', name, 2)
    counts.take('w1', 'bo', 2)
    counts.forget('w0')
    expect([counts.take('w1', 'ana', 1), counts.take('w1', 'bo', 2), counts.take('w1', 'bo', 2)]).toEqual([
      true,
      true,
      false,
    ])
  })
})
