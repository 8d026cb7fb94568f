import { describe, expect, it } from 'vitest'
import { Sessions, workerOf } from './sessions.ts'

describe('the key that a client may cancel with', () => {
  it.each([0, 1, 7, 255])('says that worker %i has the session', (worker) => {
    const sessions = new Sessions(worker)
    const keys = Array.from({ length: 1_000 }, () => sessions.newKey())
    expect(new Set(keys.map(workerOf))).toEqual(new Set([worker]))
    expect(new Set(keys.map(({ processId }) => processId)).size).toBe(1_000)
    expect(keys.every(({ processId }) => processId > 0 && processId <= 0x7fffffff)).toBe(true)
  })
})
