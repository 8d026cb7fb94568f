import { fork, type ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { TOPICS } from '@countersign/contracts'
import type { EventLog } from '@countersign/eventlog'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { AuditDatabase } from '../store/generations.ts'
import { rebuild } from '../rebuild.ts'
import { eventually } from '../testing/eventually.ts'
import { openPartitionedLog } from '../testing/partitioned-log.ts'
import { project } from '../testing/running-projection.ts'
import { openStory, type Story } from '../testing/story.ts'
import { contents, select, TestServer } from '../testing/test-server.ts'
import { rolledUp, toldBy, truthOf } from '../testing/told.ts'

const PARTITIONS = 3
const TIMEOUT_MS = 300_000

let server: TestServer
let home: string
beforeAll(async () => {
  server = await TestServer.start()
  home = mkdtempSync(join(tmpdir(), 'audit-crashes-'))
})
afterAll(async () => {
  await server.end()
  rmSync(home, { recursive: true, force: true })
})

const append = async (log: EventLog, story: Story, steps: number): Promise<void> => {
  for (const { topic, ...record } of story.tell(steps)) await log.append(topic, record)
}

const start = (directory: string, database: AuditDatabase): ChildProcess =>
  fork(
    fileURLToPath(new URL('../testing/projection-process.ts', import.meta.url)),
    [directory, `${PARTITIONS}`, JSON.stringify(database)],
    { execArgv: ['--conditions=source'], stdio: ['ignore', 'ignore', 'inherit', 'ipc'] },
  )

const kill = async (child: ChildProcess): Promise<void> => {
  const gone = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGKILL')
  await gone
}

const untilReady = (child: ChildProcess) =>
  new Promise<void>((resolve, reject) => {
    child.once('message', () => resolve())
    child.once('exit', (code, signal) => (signal ? resolve() : reject(new Error(`it ended by itself: ${code}`))))
  })

/** Waits until the tables say what happened. */
const expectStory = async (database: AuditDatabase, { truth }: Story): Promise<void> => {
  await eventually(async () => expect(await toldBy(database)).toEqual(truthOf(truth)), 60_000)
  await eventually(async () => {
    const { is, mustBe } = await rolledUp(database)
    expect(is).toEqual(mustBe)
  }, 30_000)
}

describe('a projector that is killed', () => {
  it(
    'leaves nothing out and nothing twice, killed 30 times at any moment',
    async () => {
      const directory = join(home, 'killed')
      const log = await openPartitionedLog(directory, PARTITIONS)
      const database = server.database('killed')
      const story = openStory(1)
      const reached = new Set<unknown>()
      for (let n = 0; n < 30; n++) {
        const child = start(directory, database)
        const ready = untilReady(child)
        await append(log, story, 40)
        // Every third time while it is still finding out where it was.
        if (n % 3 !== 0) await ready.then(() => append(log, story, 60)).then(() => delay(20 + ((n * 37) % 300)))
        else await delay(150 + ((n * 53) % 250))
        await kill(child)
        // There may be no table yet, when it was killed while it made them.
        const [row] = await select(database, 'SELECT count() AS events FROM events').catch(() => [])
        reached.add(row?.['events'])
      }
      expect(reached.size).toBeGreaterThan(10) // They got on, all the same.

      const last = start(directory, database)
      await expectStory(database, story)
      await kill(last)
      await log.close()
    },
    TIMEOUT_MS,
  )
})

describe('a ClickHouse that goes away', () => {
  it(
    'is waited for, whether it was killed, frozen or stopped in order',
    async () => {
      const log = await openPartitionedLog(join(home, 'gone'), PARTITIONS)
      const database = server.database('gone')
      const story = openStory(2)
      const projection = project(log, database)
      await projection.ready

      for (let n = 0; n < 4; n++) {
        await append(log, story, 60)
        await delay(n * 60)
        server.kill('SIGKILL')
        await append(log, story, 60)
        await eventually(async () => expect([...projection.status.faults.keys()]).toEqual(['clickhouse']))
        await server.startAgain()
      }
      await append(log, story, 60)
      await server.stop()
      await append(log, story, 60)
      await server.startAgain()

      server.kill('SIGSTOP')
      await append(log, story, 60)
      await delay(1_000)
      server.kill('SIGCONT')

      await expectStory(database, story)
      expect([...projection.status.faults.keys()]).toEqual([])
      await projection.stop()
      await log.close()
    },
    TIMEOUT_MS,
  )

  it(
    'is waited for from the start',
    async () => {
      const log = await openPartitionedLog(join(home, 'late'), PARTITIONS)
      const database = server.database('late')
      const story = openStory(3)
      await append(log, story, 30)
      await server.stop()
      const projection = project(log, database)
      await eventually(async () => expect(projection.status.faults.get('clickhouse')).toMatch(/ECONNREFUSED/))
      await server.startAgain()
      await expectStory(database, story)
      await projection.stop()
      await log.close()
    },
    TIMEOUT_MS,
  )
})

describe('two auditors at once', () => {
  it(
    'write what one would have written',
    async () => {
      const directory = join(home, 'two')
      const log = await openPartitionedLog(directory, PARTITIONS)
      const database = server.database('two')
      const story = openStory(4)
      const both = [start(directory, database), start(directory, database)]
      for (let n = 0; n < 5; n++) await append(log, story, 100).then(() => delay(200))
      await expectStory(database, story)
      for (const one of both) await kill(one)
      await log.close()
    },
    TIMEOUT_MS,
  )
})

describe('a rebuild', () => {
  it(
    'makes the same content, in place of the old one, under a projector that goes on',
    async () => {
      const log = await openPartitionedLog(join(home, 'rebuilt'), PARTITIONS)
      const database = server.database('rebuilt')
      const story = openStory(5)
      const projection = project(log, database)
      for (let n = 0; n < 4; n++) await append(log, story, 150).then(() => delay(150))
      await expectStory(database, story)
      const before = await contents(database)

      const { signal } = new AbortController()
      expect(await rebuild({ log, server: database, signal, now: Date.now })).toBe('rebuilt_g2')
      expect(await contents(database)).toEqual(before)

      await append(log, story, 100)
      await expectStory(database, story)
      const after = await contents(database)
      expect(await rebuild({ log, server: database, signal, now: Date.now })).toBe('rebuilt_g3')
      expect(await contents(database)).toEqual(after)
      await projection.stop()
      await log.close()
    },
    TIMEOUT_MS,
  )
})

describe('a log that is not the one that was projected', () => {
  it(
    'is refused, and changes nothing, until it is asked for by a rebuild',
    async () => {
      const database = server.database('replaced')
      const log = await openPartitionedLog(join(home, 'first'), PARTITIONS)
      const first = openStory(6)
      await append(log, first, 60)
      const before = project(log, database)
      await expectStory(database, first)
      await before.stop()
      await log.close()

      const other = await openPartitionedLog(join(home, 'other'), PARTITIONS)
      const second = openStory(7)
      await append(other, second, 20)
      const refused = project(other, database)
      await eventually(async () =>
        expect(refused.status.faults.get(TOPICS.access)).toMatch(/not the same log.*--rebuild/),
      )
      await delay(500)
      await expectStory(database, first)
      await refused.stop()

      await rebuild({ log: other, server: database, signal: new AbortController().signal, now: Date.now })
      await expectStory(database, second)
      await other.close()
    },
    TIMEOUT_MS,
  )
})
