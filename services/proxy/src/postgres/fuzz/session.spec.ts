import { describe, expect, it } from 'vitest'
import { campaign, failingAgain, flat } from '../../../../../test/fuzz/campaign.ts'
import { sessionTarget } from './session-target.ts'

describe('a session between a client that says anything and a server that may lie', () => {
  it('passes what has found something once', async () => expect(await failingAgain(sessionTarget)).toEqual([]))

  it('forwards only what was understood, judged and recorded, and goes on or ends', { timeout: 120_000 }, async () => {
    const outcome = await campaign(sessionTarget, { conversations: 1_000, seed: 20261123, seconds: 20 })
    expect(outcome.failures).toEqual([])
    expect(outcome.played).toBeGreaterThan(50)
    expect(flat(outcome)).toBe(true)
  })
})
