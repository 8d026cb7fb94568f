import { existsSync } from 'node:fs'
import { openEventLog } from '@countersign/eventlog'
import type { LogConfig } from '@countersign/platform'
import { fail, ok, reasonOf, type Check } from './check.ts'

/** Whether an append would be tried now. Nothing is written. */
export const checkLog = (config: LogConfig): Check => ({
  name: 'event log',
  run: async () => {
    // Opening one would make it, and an empty log in the place of one that was moved away does harm.
    if (config.kind === 'embedded' && !existsSync(config.directory))
      return fail(`${config.directory} is not there`, remedyFor(config))
    try {
      const log = await openEventLog(config)
      try {
        await log.check()
      } finally {
        await log.close()
      }
      return ok(placeOf(config))
    } catch (error) {
      return fail(`${placeOf(config)}: ${reasonOf(error)}`, remedyFor(config))
    }
  },
})

const placeOf = (config: LogConfig): string =>
  config.kind === 'embedded' ? `embedded, ${config.directory}` : `Kafka, ${config.brokers.join(', ')}`

const remedyFor = (config: LogConfig): string =>
  config.kind === 'embedded'
    ? 'statements are refused with ZA010 until the folder is back and writable; nothing has to be restarted'
    : 'statements are refused with ZA010 until the brokers answer; nothing has to be restarted'
