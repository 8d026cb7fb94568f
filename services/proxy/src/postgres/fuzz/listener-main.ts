import { campaignCommand } from '../../../../../test/fuzz/campaign.ts'
import { ListenerWorld, listenerTarget } from './listener-target.ts'

const world = await ListenerWorld.start()
await campaignCommand(listenerTarget(world))
await world.stop()
