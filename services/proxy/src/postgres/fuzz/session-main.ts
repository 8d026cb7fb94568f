import { campaignCommand } from '../../../../../test/fuzz/campaign.ts'
import { sessionTarget } from './session-target.ts'

await campaignCommand(sessionTarget)
