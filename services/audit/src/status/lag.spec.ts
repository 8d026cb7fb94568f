import { TOPICS } from '@countersign/contracts'
import type { Cursor, EventLog, LogRecord } from '@countersign/eventlog'
import { describe, expect, it } from 'vitest'
import { access, at, opened } from '../testing/events.ts'
import { lagOf } from './lag.ts'

const W = 'node-1/0/b1'
const NOW = Date.parse(at(60_000))

/** A log that ends there, in which each record was written ten seconds after the one before. */
const logThatEnds = (end: Cursor): EventLog => {
  const read = async (_: unknown, from: Cursor): Promise<readonly LogRecord[]> => {
    const [partition = '0'] = Object.keys(end).filter((p) => (from[Number(p)] ?? 0) < (end[Number(p)] ?? 0))
    const offset = from[Number(partition)] ?? 0
    return [{ ...access(W, 1, [opened('s', W)], at(offset * 10_000)), partition: Number(partition), offset }]
  }
  return { end: async () => end, read } as unknown as EventLog
}

describe('lagOf', () => {
  it('is nothing when everything has been written', async () =>
    expect(await lagOf(logThatEnds({ 0: 3, 1: 0 }), TOPICS.access, { 0: 3 }, NOW)).toEqual({ records: 0, seconds: 0 }))

  it('counts records of all partitions, and the age of the oldest one', async () =>
    expect(await lagOf(logThatEnds({ 0: 5, 1: 2 }), TOPICS.access, { 0: 2, 1: 2 }, NOW)).toEqual({
      records: 3,
      seconds: 40,
    }))

  it('knows partitions of which nothing has been written', async () =>
    expect(await lagOf(logThatEnds({ 0: 2, 1: 4 }), TOPICS.access, { 0: 2 }, NOW)).toEqual({ records: 4, seconds: 60 }))

  it('is never below zero, whatever the clocks say', async () =>
    expect(await lagOf(logThatEnds({ 0: 9 }), TOPICS.access, { 0: 8 }, NOW)).toEqual({ records: 1, seconds: 0 }))
})
