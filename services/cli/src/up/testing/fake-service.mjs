/*
 * Stands in for node, control and audit in the specs of `up`: reads the configuration as they do, listens where they
 * would, and stops as they do. `fake-service.mjs NAME --config FILE`, with FAKE_FAILS=NAME for one that never is ready.
 */
import { createServer } from 'node:http'
import { openEventLog } from '@countersign/eventlog'
import { announceReady, loadConfig, loggerOf, untilStopped } from '@countersign/platform'

export const runFake = async (name) => {
  const logger = loggerOf(name)
  if (process.env.FAKE_FAILS === name) {
    logger.error('has no wish to start')
    process.exit(1)
  }
  const config = loadConfig(process.argv[process.argv.indexOf('--config') + 1])
  // As the real ones do: whoever comes first makes the log.
  const log = await openEventLog(config.log)
  const { host, port } = { proxy: config.node, control: config.control, audit: config.audit }[name].listen
  const server = createServer((_, response) => response.end(name))
  server.listen({ host, port }, () => announceReady({ port }))
  untilStopped(logger, async () => {
    server.closeAllConnections()
    await log.close()
  })
}
