import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { cp, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { freePorts } from '../free-ports.ts'
import { ARCHIVE, javaArguments, startBroker } from './broker-process.ts'
import { propertiesOf, type Member } from './properties.ts'

const VERSION = '4.4.0'
/** To be raised whenever what is built into the folder changes. */
const BUILD = 1
const CLUSTER_ID = 'Q291bnRlcnNpZ25UZXN0cw'

const PACKAGE = fileURLToPath(new URL('../..', import.meta.url))
const CACHE = join(PACKAGE, '..', '..', '.cache')

const run = promisify(execFile)

/**
 * The folder of a Kafka that can be started: its jars, an archive of its classes, which halves the start, and in
 * `formatted` a data folder as the format tool makes it. Made from Maven Central once per checkout. Test processes
 * may race for it: each makes a folder of its own, and the first to be done gives it its name.
 */
export const kafkaDistribution = async (): Promise<string> => {
  const directory = join(CACHE, `kafka-${VERSION}-${BUILD}`)
  if (existsSync(directory)) return directory
  await mkdir(CACHE, { recursive: true })
  const draft = await mkdtemp(join(CACHE, 'draft-'))
  try {
    await make(draft)
    await rename(draft, directory)
  } catch (error) {
    if (!existsSync(directory)) throw error
  } finally {
    await rm(draft, { recursive: true, force: true })
  }
  return directory
}

const make = async (draft: string): Promise<void> => {
  await fetchJars(draft)
  await cp(join(PACKAGE, 'kafka', 'log4j2.yaml'), join(draft, 'log4j2.yaml'))
  const [port = 0, controllerPort = 0] = await freePorts(2)
  const member: Member = { id: 1, port, controllerPort }
  const properties = join(draft, 'server.properties')
  await writeFile(properties, propertiesOf(member, [member], join(draft, 'formatted')))
  await format(draft, properties)
  await archiveClasses(draft, properties, port)
}

const fetchJars = async (draft: string): Promise<void> => {
  await needed('java', '-version')
  await needed('mvn', '-version')
  const pom = join(PACKAGE, 'kafka', 'pom.xml')
  const target = `-DoutputDirectory=${join(draft, 'libs')}`
  await run('mvn', ['-q', '-B', '-f', pom, 'dependency:copy-dependencies', '-DincludeScope=runtime', target])
}

const format = async (draft: string, properties: string): Promise<void> => {
  const tool = javaArguments(draft, [], 'kafka.tools.StorageTool')
  await run('java', [...tool, 'format', '-t', CLUSTER_ID, '-c', properties], { cwd: draft })
}

/** The archive is written when a broker that has started ends in peace. Its data are put back as they were formatted. */
const archiveClasses = async (draft: string, properties: string, port: number): Promise<void> => {
  await cp(join(draft, 'formatted'), join(draft, 'kept'), { recursive: true })
  const flags = [`-XX:ArchiveClassesAtExit=${ARCHIVE}`]
  const output = join(draft, 'archive.log')
  const broker = await startBroker({ directory: draft, properties, output, port, flags })
  await broker.signal('SIGTERM')
  await rm(join(draft, 'formatted'), { recursive: true })
  await rename(join(draft, 'kept'), join(draft, 'formatted'))
}

const needed = async (program: string, argument: string): Promise<void> => {
  try {
    await run(program, [argument])
  } catch (cause) {
    const remedy = 'apt-get install openjdk-17-jre-headless maven'
    throw new Error(`${program} is needed for tests against a real Kafka and cannot be run; ${remedy}`, { cause })
  }
}
