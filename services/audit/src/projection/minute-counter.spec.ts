import type { ClickHouseClient } from '@countersign/clickhouse'
import { describe, expect, it } from 'vitest'
import type { Persist } from './batch-writer.ts'
import { openMinuteCounter } from './minute-counter.ts'
import type { Rows } from './rows/index.ts'

/** A ClickHouse that holds nothing, and takes its time to count. */
const setting = ({ countingMs = 10, outageMs = 0 } = {}) => {
  let time = 0
  const counted: unknown[] = []
  const client = {
    query: async () => ({ json: async () => [] }),
    insert: async () => {},
    command: async ({ query_params }: { query_params: unknown }) => {
      time += countingMs
      counted.push(query_params)
    },
  } as unknown as ClickHouseClient
  const persist: Persist = (what) => {
    time += outageMs
    return what()
  }
  const pass = (ms: number) => (time += ms)
  return { open: () => openMinuteCounter(client, persist, {}, () => time), pass, counted }
}

const settledAt = (started_at: string, outcome = 'completed') =>
  ({ statements: [{ outcome, started_at }] }) as unknown as Rows

describe('the counter of minutes', () => {
  it('counts a minute when something in it was settled, and then lets two seconds pass', async () => {
    const { open, pass, counted } = setting()
    const counter = await open()
    expect(counter.dueIn()).toBeUndefined()
    counter.note(settledAt('2026-11-22 10:00:59.999'))
    expect(counter.dueIn()).toBe(0)
    await counter.count({})
    expect(counted).toEqual([{ from: '2026-11-22 10:00:00.000', to: '2026-11-22 10:01:00.000' }])
    expect(counter.dueIn()).toBeUndefined()

    counter.note(settledAt('2026-11-22 10:00:30.000'))
    expect(counter.dueIn()).toBe(2_000)
    pass(2_000)
    expect(counter.dueIn()).toBe(0)
  })

  it('has nothing to do for what still runs', async () => {
    const counter = await setting().open()
    counter.note(settledAt('2026-11-22 10:00:00.000', 'running'))
    expect(counter.dueIn()).toBeUndefined()
  })

  it('counts minutes that lie together in one go, others apart', async () => {
    const { open, counted } = setting()
    const counter = await open()
    for (const minute of ['10:07', '10:00', '10:02', '11:30']) counter.note(settledAt(`2026-11-22 ${minute}:01.000`))
    await counter.count({})
    expect(counted).toEqual([
      { from: '2026-11-22 10:00:00.000', to: '2026-11-22 10:08:00.000' },
      { from: '2026-11-22 11:30:00.000', to: '2026-11-22 11:31:00.000' },
    ])
  })

  it.each([
    ['lets more time pass the longer it takes', { countingMs: 400 }, 8_000],
    ['but never too much', { countingMs: 60_000 }, 15_000],
    ['and does not take an outage for work', { outageMs: 60_000 }, 2_000],
  ])('%s', async (_, given, expected) => {
    const { open } = setting(given)
    const counter = await open()
    counter.note(settledAt('2026-11-22 10:00:00.000'))
    await counter.count({})
    counter.note(settledAt('2026-11-22 10:00:00.000'))
    expect(counter.dueIn()).toBe(expected)
  })

  it('keeps what is noted while it counts for the next time, and looks again soon', async () => {
    const { open } = setting()
    const counter = await open()
    counter.note(settledAt('2026-11-22 10:00:00.000'))
    const counting = counter.count({})
    await Promise.resolve()
    counter.note(settledAt('2026-11-22 10:05:00.000'))
    expect(counter.dueIn()).toBe(2_000)
    await counting
    expect(counter.dueIn()).toBe(2_000)
  })
})
