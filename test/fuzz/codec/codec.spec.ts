import { describe, expect, it } from 'vitest'
import { campaign, failingAgain, flat } from '../campaign.ts'
import { codecTarget } from './codec-target.ts'

describe('the codec', () => {
  it('passes what has found something once', async () => expect(await failingAgain(codecTarget)).toEqual([]))

  it('finds the same messages however they are cut, and says what is wrong with what is none', async () => {
    const outcome = await campaign(codecTarget, { conversations: 8_000, seed: 20261123, seconds: 20 })
    expect(outcome.failures).toEqual([])
    expect(outcome.played).toBeGreaterThan(500)
    expect(flat(outcome)).toBe(true)
  })
})
