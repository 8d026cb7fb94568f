import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { campaign, failingAgain } from '../campaign.ts'
import { liveTarget } from './live-target.ts'
import { liveWorld, type LiveWorld } from './live-world.ts'

describe('a node that runs, with a real server behind it', () => {
  let world: LiveWorld
  beforeAll(async () => {
    world = await liveWorld()
  })
  afterAll(() => world?.stop())

  it('answers or closes whatever it is sent, forwards only what it has understood and recorded, and serves on', async () => {
    const target = liveTarget(world.node)
    expect(await failingAgain(target)).toEqual([])
    const outcome = await campaign(target, { conversations: 400, seed: 20261123, seconds: 20 })
    expect(outcome.failures).toEqual([])
    expect(outcome.played).toBeGreaterThan(20)
    expect(await world.wrong()).toEqual([])
  })
})
