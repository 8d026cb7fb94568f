import { encodeCommit, type StoredEvent } from '@countersign/contracts'
import { describe, expect, it } from 'vitest'
import { isOrdinary } from './skim.ts'

describe('whether a record holds nothing but ordinary events', () => {
  it.each([
    [['statement.intended', 'statement.settled'], true],
    [['node.heartbeat'], true],
    [['statement.intended', 'statement.held'], false],
    [['session.opened'], false],
    [['something.new'], false],
  ] as const)('%s: %s', (types, ordinary) =>
    expect(isOrdinary(record(types.map((type) => event(type))))).toBe(ordinary),
  )

  it('is not said where policy has denied something: that is counted', () => {
    expect(isOrdinary(record([event('statement.intended', { verdict: 'allow' })]))).toBe(true)
    expect(isOrdinary(record([event('statement.intended', { verdict: 'deny' })]))).toBe(false)
    expect(isOrdinary(record([event('statement.intended', { text: '"verdict":"deny"' })]))).toBe(true)
  })

  it('is not said of a version that is not written today', () => {
    expect(isOrdinary(record([{ ...event('statement.settled'), version: 1 }]))).toBe(true)
    expect(isOrdinary(record([{ ...event('statement.settled'), version: 3 }]))).toBe(false)
    expect(isOrdinary(record([{ ...event('statement.intended'), version: 2 }]))).toBe(true)
    expect(isOrdinary(record([{ ...event('statement.intended'), version: 3 }]))).toBe(false)
  })

  it('is not changed by what a statement says', () => {
    const text = '"type":"statement.held","version":1'
    expect(isOrdinary(record([event('statement.intended', { text })]))).toBe(true)
    const hidden = '"type":"statement.settled","version":1'
    expect(isOrdinary(record([event('statement.held', { text: hidden })]))).toBe(false)
  })

  it('is not said of what is written in another way, or is no commit', () => {
    expect(isOrdinary(Buffer.from('{ "events": [ { "type" : "statement.settled", "version" : 1 } ] }'))).toBe(false)
    expect(isOrdinary(Buffer.from(''))).toBe(false)
    expect(isOrdinary(Buffer.from([0xff, 0x00]))).toBe(false)
  })

  it('is said of bytes in the middle of a larger buffer', () => {
    const value = record([event('node.heartbeat')])
    const larger = Buffer.concat([Buffer.from('"type":"statement.held","version":1'), value, Buffer.from('x')])
    expect(isOrdinary(larger.subarray(35, 35 + value.length))).toBe(true)
  })
})

const event = (type: string, data: object = {}): StoredEvent => ({
  type,
  version: type === 'statement.settled' ? 2 : 1,
  data,
})

const record = (events: StoredEvent[]) =>
  encodeCommit({ stream: 'n/0/1', revision: 1, commitId: '01930000-0000-7000-8000-000000000000', events })
