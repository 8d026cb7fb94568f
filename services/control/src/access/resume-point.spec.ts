import { TOPICS } from '@countersign/contracts'
import { describe, expect, it } from 'vitest'
import { MemoryLog } from '../testing/memory-log.ts'
import { recordOf, until } from '../testing/running-control.ts'
import { ResumePoint } from './resume-point.ts'

describe('the resume point', () => {
  it('is what the commits of cs.approvals say, the furthest of each partition', async () => {
    const log = new MemoryLog()
    await writeAt(log, { 0: 10, 1: 7 })
    await writeAt(log, { 0: 9, 2: 3 })
    expect(await found(log)).toEqual({ 0: 10, 1: 7, 2: 3 })
  })

  it('is the beginning where nothing is said, and nonsense says nothing', async () => {
    const log = new MemoryLog()
    for (const header of ['', 'x', '7', 'null', '{"a":1}', '{"0":-1}', '{"0":1.5}', '{"0":"far"}', '[]', '{"-1":4}']) {
      await log.append(TOPICS.approvals, { ...record(), headers: { 'cs-access-cursor': header } })
    }
    await log.append(TOPICS.approvals, record())
    expect(await found(log)).toEqual({})
  })

  it('is written into no other topic', async () => {
    const log = new MemoryLog()
    await new ResumePoint().through(log, () => ({ 0: 1 })).append(TOPICS.decisions, record())
    expect(log.all(TOPICS.decisions)[0]!.headers).not.toHaveProperty('cs-access-cursor')
  })
})

const record = () => recordOf('rq_0123456789', 1, [{ type: 'x', version: 1, data: {} }])

const writeAt = (log: MemoryLog, cursor: Record<number, number>) =>
  new ResumePoint().through(log, () => cursor).append(TOPICS.approvals, record())

const found = async (log: MemoryLog) => {
  const point = new ResumePoint()
  let read = 0
  const subscription = point
    .through(log, () => ({}))
    .subscribe(
      TOPICS.approvals,
      {},
      (records) => {
        read += records.length
      },
      () => {},
    )
  await until(() => read === log.all(TOPICS.approvals).length)
  await subscription.close()
  return point.cursor
}
