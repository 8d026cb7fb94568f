import { campaignCommand } from '../campaign.ts'
import { codecTarget } from './codec-target.ts'

await campaignCommand(codecTarget)
