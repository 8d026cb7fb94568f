import { randomInt } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { TOPICS } from '@countersign/contracts'
import {
  eventLogContract,
  eventually,
  inventory,
  runWriter,
  startKafka,
  type Kafka,
  type LogUnderTest,
  type RunningJob,
} from '@countersign/testing'
import kafkajs, { type Admin } from 'kafkajs'
import { afterEach, describe, expect, it } from 'vitest'
import type { EventLog } from '../event-log.ts'
import { openKafkaLog, type KafkaOptions } from './kafka-log.ts'

interface KafkaUnderTest extends LogUnderTest {
  readonly kafka: Kafka
}

const makeKafka = async (brokers = 1): Promise<KafkaUnderTest> => {
  const kafka = await startKafka({ brokers })
  const options: KafkaOptions = {
    kind: 'kafka',
    brokers: kafka.brokers,
    clientId: 'contract',
    replicationFactor: brokers,
    accessPartitions: 3,
  }
  return { kafka, options, open: () => openKafkaLog(options), remove: kafka.stop }
}

const warnings: Error[] = []
process.on('warning', (warning) => warnings.push(warning))

eventLogContract('kafka', {
  make: () => makeKafka(),
  kills: 9,
  outages: [
    { name: 'the broker is stopped', begin: ({ kafka }) => kafka.pause(), end: ({ kafka }) => kafka.resume() },
    { name: 'the broker is dead', begin: ({ kafka }) => kafka.kill(), end: ({ kafka }) => kafka.restart() },
  ],
})

describe('the kafka log', () => {
  let made: KafkaUnderTest | undefined
  let log: EventLog | undefined
  let writers: readonly RunningJob[] = []

  const begin = async (brokers?: number) => {
    made = await makeKafka(brokers)
    log = await made.open()
    const { options } = made
    writers = ['a', 'b'].map((prefix) => runWriter(options, prefix))
    await Promise.all(writers.map((writer) => writer.begun))
    return { kafka: made.kafka, log }
  }

  /** Until both have got another fifty through: they go on by themselves. */
  const goingOn = async () => {
    const before = writers.map(ackedBy)
    const further = (writer: RunningJob, i: number) => ackedBy(writer) > (before[i] ?? 0) + 50
    await eventually(async () => expect(writers.every(further)).toBe(true))
  }

  afterEach(async () => {
    for (const writer of writers) writer.kill()
    await Promise.all(writers.map((writer) => writer.ended))
    await log?.close()
    await made?.remove()
  })

  it('loses nothing and writes nothing twice when its broker is killed', async () => {
    const { kafka, log } = await begin()
    for (let kill = 0; kill < 3; kill++) {
      await sleep(randomInt(300, 900))
      await kafka.kill()
      await kafka.restart()
      await goingOn()
    }
    for (const writer of writers) writer.kill()
    await Promise.all(writers.map((writer) => writer.ended))
    expect(await inventory(log, {}, writers)).toMatchObject({ lost: [], torn: [], doubled: [] })
  })

  it('goes on with two brokers of three, and loses nothing', async () => {
    const { kafka, log } = await begin(3)
    await goingOn()
    await kafka.kill(0)
    await goingOn()
    for (const writer of writers) writer.kill()
    await Promise.all(writers.map((writer) => writer.ended))
    expect(await inventory(log, {}, writers)).toMatchObject({ lost: [], torn: [], doubled: [] })
  })

  it('makes the topics so that nothing is ever dropped from them, and acknowledged is on the disk', async () => {
    const { kafka } = await begin()
    expect(await settingsOf(kafka, TOPICS.access)).toMatchObject({
      'cleanup.policy': 'delete',
      'retention.ms': '-1',
      'retention.bytes': '-1',
      'flush.messages': '1',
      'min.insync.replicas': '1',
      'unclean.leader.election.enable': 'false',
    })
    expect(await settingsOf(kafka, TOPICS.decisions)).toMatchObject({ 'cleanup.policy': 'compact' })
    expect(await partitionsOf(kafka)).toEqual({
      [TOPICS.access]: 3,
      [TOPICS.approvals]: 1,
      [TOPICS.decisions]: 1,
      [TOPICS.governance]: 1,
      [TOPICS.seals]: 1,
    })
  })

  it('has given Node.js nothing to warn of', () => expect(warnings).toEqual([]))
})

const ackedBy = ({ said }: RunningJob) => said.filter((one) => one.said === 'acked').length

const asAdmin = async <T>({ brokers }: Kafka, ask: (admin: Admin) => Promise<T>): Promise<T> => {
  const admin = new kafkajs.Kafka({ brokers: [...brokers], logLevel: kafkajs.logLevel.NOTHING }).admin()
  await admin.connect()
  try {
    return await ask(admin)
  } finally {
    await admin.disconnect()
  }
}

const settingsOf = (kafka: Kafka, name: string) =>
  asAdmin(kafka, async (admin) => {
    const type = kafkajs.ConfigResourceTypes.TOPIC
    const { resources } = await admin.describeConfigs({ resources: [{ type, name }], includeSynonyms: false })
    const entries = resources.flatMap(({ configEntries }) => configEntries)
    return Object.fromEntries(entries.map(({ configName, configValue }) => [configName, configValue]))
  })

const partitionsOf = (kafka: Kafka) =>
  asAdmin(kafka, async (admin) => {
    const { topics } = await admin.fetchTopicMetadata()
    return Object.fromEntries(topics.map(({ name, partitions }) => [name, partitions.length]))
  })
