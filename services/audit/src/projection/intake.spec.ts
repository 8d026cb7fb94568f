import { TOPICS, type Topic } from '@countersign/contracts'
import type { Cursor, EventLog, LogRecord } from '@countersign/eventlog'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { openIntake } from './intake.ts'

const MEBIBYTE = 1024 * 1024
const never = new AbortController().signal

const records = (from: number, count: number, bytes = 10): readonly LogRecord[] =>
  Array.from({ length: count }, (_, i) => ({
    topic: TOPICS.access,
    partition: 0,
    offset: from + i,
    key: 'k',
    headers: {},
    value: new Uint8Array(bytes),
  }))

/** A log whose deliveries and failures the test decides. */
const fakeLog = () => {
  const subscriptions: {
    topic: Topic
    from: Cursor
    deliver: (r: readonly LogRecord[]) => Promise<void>
    fail: (e: unknown) => void
  }[] = []
  const log: Pick<EventLog, 'subscribe'> = {
    subscribe: (topic, from, handler, fail) => {
      subscriptions.push({ topic, from, deliver: async (delivered) => handler(delivered), fail })
      return { close: async () => {} }
    },
  }
  return { log: log as EventLog, subscriptions }
}

const offsets = (taken: readonly LogRecord[]) => taken.map(({ offset }) => offset)

describe('openIntake', () => {
  it('begins at the given positions', () => {
    const { log, subscriptions } = fakeLog()
    openIntake(log, [TOPICS.access, TOPICS.approvals], { [TOPICS.access]: { 0: 7, 3: 9 } }, () => {})
    expect(subscriptions.map(({ topic, from }) => [topic, from])).toEqual([
      [TOPICS.access, { 0: 7, 3: 9 }],
      [TOPICS.approvals, {}],
    ])
  })

  it('hands out what arrived, once, in order', async () => {
    const { log, subscriptions } = fakeLog()
    const intake = openIntake(log, [TOPICS.access], {}, () => {})
    await subscriptions[0]?.deliver(records(0, 2))
    await subscriptions[0]?.deliver(records(2, 1))
    await intake.ready(never)
    expect(offsets(intake.take())).toEqual([0, 1, 2])
    expect(intake.take()).toEqual([])
  })

  it.each([
    ['records', 10_000, 10, 2_000],
    ['bytes', 20, MEBIBYTE, 3],
    ['one huge record', 3, 20 * MEBIBYTE, 1],
  ])('lets the log wait when it holds more than a batch: %s', async (_, count, bytes, batch) => {
    const { log, subscriptions } = fakeLog()
    const intake = openIntake(log, [TOPICS.access], {}, () => {})
    let isTaken = false
    const delivered = subscriptions[0]?.deliver(records(0, count, bytes)).then(() => (isTaken = true))
    await vi.waitFor(() => expect(intake.ready(never)).resolves.toBeUndefined())
    expect(isTaken).toBe(false)
    let sum = 0
    for (let taken = intake.take(); taken.length > 0; taken = intake.take()) {
      expect(taken.length).toBeLessThanOrEqual(batch)
      sum += taken.length
    }
    await delivered
    expect(sum).toBe(count)
  })

  it('stops waiting when it is told to', async () => {
    const { log } = fakeLog()
    const stop = new AbortController()
    const waiting = openIntake(log, [TOPICS.access], {}, () => {}).ready(stop.signal)
    stop.abort()
    await waiting
  })

  it('lets go of a log that waits when it is closed', async () => {
    const { log, subscriptions } = fakeLog()
    const intake = openIntake(log, [TOPICS.access], {}, () => {})
    const delivered = subscriptions[0]?.deliver(records(0, 10_000))
    await intake.close()
    await delivered
  })
})

describe('a subscription that fails', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  it('is told of, and begun again after the last record that came', async () => {
    const { log, subscriptions } = fakeLog()
    const told = vi.fn<(topic: Topic, error?: unknown) => void>()
    const intake = openIntake(log, [TOPICS.access], { [TOPICS.access]: { 1: 5 } }, told)
    await subscriptions[0]?.deliver(records(0, 3))
    const fault = new Error('gone')
    subscriptions[0]?.fail(fault)
    expect(told.mock.lastCall).toEqual([TOPICS.access, fault])
    expect(subscriptions).toHaveLength(1)

    await vi.advanceTimersByTimeAsync(1_000)
    expect(subscriptions[1]?.from).toEqual({ 0: 3, 1: 5 })
    await subscriptions[1]?.deliver(records(3, 1))
    expect(told.mock.lastCall).toEqual([TOPICS.access])
    expect(offsets(intake.take())).toEqual([0, 1, 2, 3])
  })

  it('is not begun again once the intake is closed', async () => {
    const { log, subscriptions } = fakeLog()
    const intake = openIntake(log, [TOPICS.access], {}, () => {})
    subscriptions[0]?.fail(new Error('gone'))
    await intake.close()
    subscriptions[0]?.fail(new Error('gone again'))
    await vi.advanceTimersByTimeAsync(10_000)
    expect(subscriptions).toHaveLength(1)
  })
})
