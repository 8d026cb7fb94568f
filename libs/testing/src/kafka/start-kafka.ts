import { randomBytes } from 'node:crypto'
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePorts } from '../free-ports.ts'
import { ARCHIVE, BrokerStartError, startBroker, type BrokerProcess } from './broker-process.ts'
import { kafkaDistribution } from './distribution.ts'
import { propertiesOf, type Member } from './properties.ts'

/** A real Apache Kafka with a data folder of its own. What is done to it is done to all its brokers, or to one. */
export interface Kafka {
  /** `host:port` of each broker. The same before and after a restart. */
  readonly brokers: readonly string[]
  readonly pids: readonly number[]
  /** kill -9. The data stay. */
  kill(broker?: number): Promise<void>
  /** SIGSTOP: connections stay open, and nobody answers. */
  pause(broker?: number): Promise<void>
  resume(broker?: number): Promise<void>
  /** Starts the brokers again on their data and ports, after ending those that run. */
  restart(): Promise<void>
  /** Ends the brokers and removes their data. */
  stop(): Promise<void>
}

export interface KafkaSettings {
  readonly brokers?: number
}

const PORT_ATTEMPTS_MAX = 3

/** Rejects with the remedy when this machine has no Java or Maven. */
export const startKafka = async ({ brokers = 1 }: KafkaSettings = {}): Promise<Kafka> => {
  const distribution = await kafkaDistribution()
  for (let attempt = 1; ; attempt++) {
    try {
      return await start(distribution, brokers)
    } catch (error) {
      // Somebody took a port between our finding it free and the broker's binding it.
      if (!(error instanceof BrokerStartError && error.portTaken) || attempt === PORT_ATTEMPTS_MAX) throw error
    }
  }
}

const start = async (distribution: string, count: number): Promise<Kafka> => {
  const home = await mkdtemp(join(tmpdir(), 'countersign-kafka-'))
  const members = await membersOf(count)
  await Promise.all(members.map((member) => prepare(distribution, home, member, members)))
  let running: readonly BrokerProcess[] = []

  const signal = async (name: Parameters<BrokerProcess['signal']>[0], only?: number) => {
    const meant = running.filter((_, i) => only === undefined || only === i)
    await Promise.all(meant.map((broker) => broker.signal(name)))
  }

  const launch = async () => {
    const launched = await Promise.allSettled(members.map((member) => launchMember(distribution, home, member)))
    running = launched.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
    const failed = launched.find((one) => one.status === 'rejected')
    if (failed) throw failed.reason
  }

  const stop = async () => {
    await signal('SIGCONT')
    await signal('SIGTERM')
    await rm(home, { recursive: true, force: true })
  }

  try {
    await launch()
  } catch (error) {
    await stop()
    throw error
  }

  return {
    brokers: members.map(({ port }) => `127.0.0.1:${port}`),
    get pids() {
      return running.map(({ pid }) => pid)
    },
    kill: (broker) => signal('SIGKILL', broker),
    pause: (broker) => signal('SIGSTOP', broker),
    resume: (broker) => signal('SIGCONT', broker),
    restart: async () => {
      await signal('SIGCONT')
      await signal('SIGTERM')
      await launch()
    },
    stop,
  }
}

const membersOf = async (count: number): Promise<readonly Member[]> => {
  const ports = await freePorts(2 * count)
  return Array.from({ length: count }, (_, i) => ({
    id: i + 1,
    port: ports[2 * i] ?? 0,
    controllerPort: ports[2 * i + 1] ?? 0,
  }))
}

const folderOf = (home: string, { id }: Member) => join(home, `broker-${id}`)

/** A data folder as the format tool would make it, copied from one that it did make: a start costs seconds less. */
const prepare = async (distribution: string, home: string, member: Member, members: readonly Member[]) => {
  const folder = folderOf(home, member)
  const data = join(folder, 'data')
  await mkdir(folder)
  await cp(join(distribution, 'formatted'), data, { recursive: true })
  const identity = join(data, 'meta.properties')
  const formatted = await readFile(identity, 'utf8')
  const own = formatted
    .replace(/^node\.id=.*$/m, `node.id=${member.id}`)
    .replace(/^directory\.id=.*$/m, `directory.id=${randomBytes(16).toString('base64url')}`)
  await writeFile(identity, own)
  await writeFile(join(folder, 'server.properties'), propertiesOf(member, members, data))
}

const launchMember = (distribution: string, home: string, member: Member): Promise<BrokerProcess> => {
  const folder = folderOf(home, member)
  return startBroker({
    directory: distribution,
    properties: join(folder, 'server.properties'),
    output: join(folder, 'output.log'),
    port: member.port,
    flags: [`-XX:SharedArchiveFile=${ARCHIVE}`],
  })
}
