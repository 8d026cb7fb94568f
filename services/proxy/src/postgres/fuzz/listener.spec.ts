import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { campaign, failingAgain, flat } from '../../../../../test/fuzz/campaign.ts'
import { ListenerWorld, listenerTarget } from './listener-target.ts'

describe('the listener, between anything that opens a connection and anything that answers a login', () => {
  let world: ListenerWorld
  beforeAll(async () => {
    world = await ListenerWorld.start()
  })
  afterAll(() => world?.stop())

  it('passes what has found something once', { timeout: 60_000 }, async () =>
    expect(await failingAgain(listenerTarget(world))).toEqual([]),
  )

  it('keeps nobody waiting, leaves nothing open, and lets no error get past it', { timeout: 120_000 }, async () => {
    const outcome = await campaign(listenerTarget(world), { conversations: 800, seed: 20261123, seconds: 15 })
    expect(outcome.failures).toEqual([])
    expect(outcome.played).toBeGreaterThan(20)
    expect(flat(outcome)).toBe(true)
  })
})
