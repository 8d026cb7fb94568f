import { randomBytes, randomUUID } from 'node:crypto'
import { TOPICS } from '@countersign/contracts'
import { LogUnavailableError, type NewRecord } from '@countersign/eventlog'
import { describe, expect, it } from 'vitest'
import { collect } from '../collect.ts'
import { eventually } from '../eventually.ts'
import type { Bench, LogUnderTest, Outage } from '../event-log-contract.ts'

const topic = TOPICS.access

export const outagesPart = <Log extends LogUnderTest>(
  { log, made }: Bench<Log>,
  outages: readonly Outage<Log>[],
): void => {
  describe('refuses within a second, and works again by itself,', () => {
    it.each(outages.map((outage) => [outage.name, outage] as const))('while %s', async (_, { begin, end }) => {
      const key = randomUUID()
      await log().append(topic, recordOf(key, 'before'))
      const collected = collect(log(), topic, await log().end(topic), key)
      await begin(made())
      try {
        await refusedInTime(() => log().append(topic, recordOf(key, 'during')))
        await refusedInTime(() => log().append(topic, recordOf(key, 'during')))
        await refusedInTime(() => log().check())
      } finally {
        await end(made())
      }
      await eventually(() => log().append(topic, recordOf(key, 'afterwards')))
      await eventually(() => log().check())
      await collected.until((records) => records.some(({ headers }) => headers['id'] === 'afterwards'))
      await collected.close()
    })
  })
}

const refusedInTime = async (attempt: () => Promise<unknown>): Promise<void> => {
  const begunAt = performance.now()
  await expect(attempt()).rejects.toBeInstanceOf(LogUnavailableError)
  expect(performance.now() - begunAt).toBeLessThan(1_000)
}

const recordOf = (key: string, id: string): NewRecord => ({ key, headers: { id }, value: randomBytes(100) })
