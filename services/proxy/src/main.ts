import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import {
  announceProcesses,
  announceReady,
  ConfigError,
  faultOf,
  keepEnvironmentOutOfReports,
  loggerOf,
  untilStopped,
  withFields,
} from '@countersign/platform'
import { WORKER_FLAG } from './workers/forked.ts'
import { Supervisor } from './workers/supervisor.ts'

const logger = loggerOf('proxy')
const loggerFor = (worker: string) => withFields(logger, { worker })

const start = async (configFile: string): Promise<void> => {
  const node = new Supervisor({
    configFile,
    entry: fileURLToPath(import.meta.url),
    logger,
    loggerFor,
    processes: (list) => announceProcesses(list),
  })
  untilStopped(
    logger,
    () => node.stop(),
    () => node.drain(),
  )
  process.on('SIGHUP', () => void node.reload())
  await node.start()
  await node.ready()
  const { listen, workers = 1 } = node.config.node
  logger.info('listening', { ...listen, workers })
  announceReady({ port: listen.port })
}

keepEnvironmentOutOfReports()

const { values } = parseArgs({
  options: { config: { type: 'string', default: 'countersign.yaml' }, [WORKER_FLAG.slice(2)]: { type: 'boolean' } },
})

if (values['worker'] === true) {
  const { runWorkerProcess } = await import('./workers/worker-process.ts')
  runWorkerProcess(loggerFor)
} else {
  start(values.config).catch((error: unknown) => {
    if (error instanceof ConfigError) logger.error(error.message, { code: error.code })
    else logger.error('could not start', faultOf(error))
    process.exit(1)
  })
}
