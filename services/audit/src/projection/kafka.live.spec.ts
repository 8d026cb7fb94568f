import { openEventLog } from '@countersign/eventlog'
import { startKafka, type Kafka } from '@countersign/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { rebuild } from '../rebuild.ts'
import { eventually } from '../testing/eventually.ts'
import { project } from '../testing/running-projection.ts'
import { openStory } from '../testing/story.ts'
import { contents, TestServer } from '../testing/test-server.ts'
import { toldBy, truthOf, type Told } from '../testing/told.ts'

const PARTITIONS = 3

let kafka: Kafka
let server: TestServer
beforeAll(async () => {
  ;[kafka, server] = await Promise.all([startKafka(), TestServer.start()])
})
afterAll(async () => {
  await Promise.all([kafka.stop(), server.end()])
})

/** An append that was refused may yet have happened; its second copy is then void. Offsets may be left out. */
const standing = ({ counts, gaps: _gaps, ...told }: Told) => ({
  ...told,
  counts: { ...counts, events: Number(counts?.['events']) - Number(counts?.['voidEvents']), voidEvents: undefined },
})

describe('the projection of a log in Kafka', () => {
  it('is exact over stops, a broker that is killed, and a rebuild', async () => {
    const { brokers } = kafka
    const options = {
      kind: 'kafka',
      brokers,
      clientId: 'audit',
      replicationFactor: 1,
      accessPartitions: PARTITIONS,
    } as const
    const log = await openEventLog(options)
    const database = server.database('kafka')
    const story = openStory(8)
    const append = async (steps: number) => {
      for (const { topic, ...record } of story.tell(steps)) await eventually(() => log.append(topic, record), 60_000)
    }
    const expectStory = () =>
      eventually(async () => expect(standing(await toldBy(database))).toEqual(standing(truthOf(story.truth))), 60_000)

    const first = project(log, database)
    await append(150)
    await first.stop()
    await append(100)
    const second = project(log, database)
    await append(50)
    await expectStory()

    await kafka.kill()
    await kafka.restart()
    await eventually(() => log.check(), 60_000)
    await append(50)
    await expectStory()

    const before = await contents(database)
    await rebuild({ log, server: database, signal: new AbortController().signal, now: Date.now })
    expect({ ...(await contents(database)), statements_by_minute: [] }).toEqual({ ...before, statements_by_minute: [] })
    await second.stop()
    await log.close()
  }, 300_000)
})
