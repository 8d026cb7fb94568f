import { randomInt, randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { decodeCommit, TOPICS, type Commit } from '@countersign/contracts'
import { accepts, type EventLog, type Heads } from '@countersign/eventlog'
import { describe, expect, it } from 'vitest'
import { collect } from '../collect.ts'
import { counter, counterStore } from '../count-job.ts'
import type { Bench } from '../event-log-contract.ts'
import { inventory, runWriter } from '../inventory.ts'
import { runJob, type RunningJob } from '../run-job.ts'

const topic = TOPICS.access
/** Each kill costs the start of a process, which takes long on a machine that has much to do. */
const KILLS_TIMEOUT_MS = 600_000
/** So many processes write at a time, and each is killed. */
const AT_ONCE = 3

export const processesPart = ({ log, made }: Bench, kills: number): void => {
  describe('with several processes', () => {
    it('lets the first commit of each revision stand, the same one for every reader', async () => {
      const stream = randomUUID()
      const until = 40
      const options = made().options
      const jobs = ['a', 'b', 'c'].map((name) =>
        runJob({ kind: 'race', options, topic: TOPICS.approvals, stream, name, until }),
      )
      await Promise.all(jobs.map(({ ended }) => ended))
      const [mine, theirs] = [await standing(log(), stream), await standing(await made().open(), stream)]
      expect(mine.accepted).toEqual(theirs.accepted)
      expect(mine.accepted.map(({ revision }) => revision)).toEqual(Array.from({ length: until }, (_, i) => i + 1))
      expect(mine.voided).toBeGreaterThan(0)
    })

    it('lets deciders count without a gap and without a double, whoever races them', async () => {
      const stream = randomUUID()
      const count = 60
      const options = made().options
      const jobs = ['a', 'b', 'c'].map((name) =>
        runJob({ kind: 'count', options, topic: TOPICS.approvals, stream, name, count }),
      )
      await Promise.all(jobs.map(({ ended }) => ended))
      const store = counterStore(log(), TOPICS.approvals)
      const { past, revision } = await store.load(stream)
      await store.close()
      expect(revision).toBe(3 * count)
      expect(past.map(({ total }) => total)).toEqual(Array.from({ length: 3 * count }, (_, i) => i + 1))
      expect(past.reduce(counter.evolve, counter.initial)).toBe(3 * count)
    })

    it(
      `loses nothing that it acknowledged, and tears nothing, when a writer is killed ${kills} times`,
      async () => {
        const from = await log().end(topic)
        const jobs: RunningJob[] = []
        while (jobs.length < kills) {
          const batch = Array.from({ length: AT_ONCE }, (_, i) => runWriter(made().options, `kill-${jobs.length + i}`))
          jobs.push(...batch)
          await Promise.all(batch.map(killedAtRandom))
        }
        const { acked, lost, torn, doubled } = await inventory(log(), from, jobs)
        expect(acked).toBeGreaterThan(kills)
        expect({ lost, torn, doubled }).toEqual({ lost: [], torn: [], doubled: [] })
      },
      KILLS_TIMEOUT_MS,
    )
  })
}

const killedAtRandom = async (job: RunningJob): Promise<void> => {
  await job.begun
  await sleep(randomInt(200))
  job.kill()
  await job.ended
}

/** The stream as a reader sees it that begins at the start of the log. */
const standing = async (log: EventLog, stream: string) => {
  const collected = collect(log, TOPICS.approvals, {}, stream)
  const end = Object.values(await log.end(TOPICS.approvals)).reduce((sum, offset) => sum + offset, 0)
  await collected.until(() => collected.deliveries.reduce((sum, size) => sum + size, 0) >= end)
  await collected.close()
  const heads: Heads = new Map()
  const commits: readonly Commit[] = collected.records.map(({ value }) => decodeCommit(value))
  const accepted = commits.filter((commit) => accepts(heads, commit))
  return { accepted, voided: commits.length - accepted.length }
}
