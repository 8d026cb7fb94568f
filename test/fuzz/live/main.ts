import { campaignCommand } from '../campaign.ts'
import { liveTarget } from './live-target.ts'
import { liveWorld } from './live-world.ts'

const world = await liveWorld()
try {
  await campaignCommand({ ...liveTarget(world.node), note: world.memory }, world.wrong)
  console.log(world.memory())
} finally {
  await world.stop()
}
