import { parseArgs } from 'node:util'
import { openEventLog } from '@countersign/eventlog'
import {
  announceReady,
  ConfigError,
  faultOf,
  keepEnvironmentOutOfReports,
  loadConfig,
  loggerOf,
  untilStopped,
} from '@countersign/platform'
import { ProxyNode } from './node.ts'

const logger = loggerOf('proxy')

const start = async (): Promise<void> => {
  keepEnvironmentOutOfReports()
  const { values } = parseArgs({ options: { config: { type: 'string', default: 'countersign.yaml' } } })
  const config = loadConfig(values.config)
  const log = await openEventLog(config.log)
  const node = new ProxyNode(config, log, logger)
  untilStopped(logger, async () => {
    await node.stop()
    await log.close()
  })
  await node.start()
  await node.ready()
  const { host, port } = config.node.listen
  logger.info('listening', { host, port })
  announceReady({ port })
}

start().catch((error: unknown) => {
  if (error instanceof ConfigError) logger.error(error.message, { code: error.code })
  else logger.error('could not start', faultOf(error))
  process.exit(1)
})
