import { expect, it } from 'vitest'
import { Sessions } from './sessions.ts'

it("gives a session the number of its server's process, and a secret of its own", () => {
  const sessions = new Sessions()
  const keys = Array.from({ length: 1_000 }, () => sessions.newKey(4_711, 4))
  expect(new Set(keys.map(({ processId }) => processId))).toEqual(new Set([4_711]))
  expect(new Set(keys.map(({ secret }) => secret.toString('hex'))).size).toBe(1_000)
})

it('says when a key is that of no session here', async () => {
  const sessions = new Sessions()
  expect(await sessions.cancel(sessions.newKey(4_711, 32))).toBe(false)
})
