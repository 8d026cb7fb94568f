import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { encodeCommit, TOPICS, writeAccessEvent, type AccessEvent } from '@countersign/contracts'
import type { Cursor, EventLog, LogRecord } from '@countersign/eventlog'
import { memoryLog } from '@countersign/testing'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { CheckpointFile, retiredSlots, seedSlots } from './checkpoint.ts'
import { findUnfinished } from './find-unfinished.ts'
import { indexIn, slotOf, SlotTakenError, takeSlot } from './slot.ts'
import { closingEvents, nothingUnfinished } from './unfinished.ts'

const AT = '2026-11-22T12:00:00.000Z'
let state: string
beforeEach(() => {
  state = mkdtempSync(join(tmpdir(), 'cs-slots-'))
})
afterEach(() => rmSync(state, { recursive: true }))

const file = (index: number) => new CheckpointFile(state, slotOf('n', index))
const FROM_START = { cursor: {} as Cursor, heads: new Map<string, number>(), unfinished: nothingUnfinished() }
const fromStart = () => ({ ...structuredClone(FROM_START) })

describe('a stream', () => {
  it.each([
    ['n', 'n/w0/boot', 0],
    ['n', 'n/w12/boot', 12],
    ['n', 'm/w0/boot', undefined],
    ['n', 'n1/w0/boot', undefined],
    ['n', 'n/wx/boot', undefined],
    ['n', 'n/w1', undefined],
  ])('of node %s: %s is of worker %s', (node, stream, index) => expect(indexIn(node, stream)).toBe(index))
})

describe('the slots of a node', () => {
  it('begin at the start of the log when nothing is known', () => {
    seedSlots(state, 'n', 2)
    expect([file(0).read().cursor, file(1).read().cursor]).toEqual([{}, {}])
    expect(readdirSync(state).filter((name) => name.endsWith('.json'))).toHaveLength(2)
  })

  it('that are new begin where another one has come to', () => {
    file(0).write({ 0: 41 }, new Map(), nothingUnfinished())
    seedSlots(state, 'n', 3)
    expect([file(1).read().cursor, file(2).read().cursor]).toEqual([{ 0: 41 }, { 0: 41 }])
  })

  it('that there were keep what they know', () => {
    file(0).write({ 0: 41 }, new Map(), nothingUnfinished())
    file(1).write({ 0: 7 }, new Map([['n/w1/a', 3]]), nothingUnfinished())
    seedSlots(state, 'n', 2)
    expect(file(1).read()).toMatchObject({ cursor: { 0: 7 }, heads: new Map([['n/w1/a', 3]]) })
  })

  it('that are not filled any more are looked through once, and begin anew when they are filled again', () => {
    file(0).write({ 0: 41 }, new Map(), nothingUnfinished())
    file(3).write({ 0: 7 }, new Map(), nothingUnfinished())
    new CheckpointFile(state, slotOf('n.w9', 5)).write({}, new Map(), nothingUnfinished())
    expect(retiredSlots(state, 'n', 2)).toEqual([3])
    file(3).write({ 0: 9 }, new Map(), nothingUnfinished(), true)
    expect(retiredSlots(state, 'n', 2)).toEqual([])
    seedSlots(state, 'n', 4)
    expect(file(3).read().cursor).toEqual({ 0: 41 })
    expect(retiredSlots(state, 'n', 2)).toEqual([2, 3])
  })
})

describe('a slot', () => {
  it('has one process at a time, and says which', async () => {
    const first = await takeSlot(state, 'n/w0')
    const refused = takeSlot(state, 'n/w0', 60)
    await expect(refused).rejects.toBeInstanceOf(SlotTakenError)
    await expect(refused).rejects.toThrow(`process ${process.pid}`)
    const other = await takeSlot(state, 'n/w1', 0)
    const waiting = takeSlot(state, 'n/w0')
    first.release()
    const second = await waiting
    second.release()
    other.release()
  })
})

const S = (n: number) => `0192f7a0-0000-7000-8000-00000000000${n}`
const event = (type: string, data: object) => ({ type, data }) as unknown as AccessEvent
const opened = (worker: string, n: number) =>
  event('session.opened', {
    sessionId: S(n),
    worker,
    principal: { id: 'ana', kind: 'person', groups: [] },
    credentialId: 'c',
    client: { address: '', port: 1, tls: null },
    target: { environment: 'prod', database: 'shop' },
    upstream: { server: 'db', role: 'app', processId: 1 },
    at: AT,
  })

const recordOf = (stream: string, revision: number, events: readonly AccessEvent[]) => ({
  key: stream,
  headers: {},
  value: encodeCommit({
    stream,
    revision,
    commitId: `0192f7a0-0000-7000-8000-${String(revision).padStart(12, '0')}`,
    events: events.map((each) => writeAccessEvent(each)),
  } as never),
})

const sessionsIn = async (log: EventLog, ours: readonly number[], from = fromStart()) => [
  ...(await findUnfinished(log, 'n', (index) => ours.includes(index), from)).unfinished.sessions.keys(),
]

describe('what is open in a slot', () => {
  let log: ReturnType<typeof memoryLog>
  beforeEach(async () => {
    log = memoryLog()
    await log.append(TOPICS.access, recordOf('n/w0/a', 1, [opened('n/w0/a', 0)]))
    await log.append(TOPICS.access, recordOf('n/w1/a', 1, [opened('n/w1/a', 1)]))
    await log.append(TOPICS.access, recordOf('n/w2/a', 1, [opened('n/w2/a', 2)]))
    await log.append(TOPICS.access, recordOf('m/w1/a', 1, [opened('m/w1/a', 3)]))
  })

  it('is its own only', async () => {
    expect(await sessionsIn(log, [1])).toEqual([S(1)])
    expect(await sessionsIn(log, [0, 2])).toEqual([S(0), S(2)])
  })

  it('is not open any more when another worker has closed it', async () => {
    const { unfinished } = await findUnfinished(log, 'n', (index) => index === 2, fromStart())
    await log.append(TOPICS.access, recordOf('n/w0/a', 2, closingEvents(unfinished, AT)))
    expect(await sessionsIn(log, [2])).toEqual([])
    expect(await sessionsIn(log, [0])).toEqual([S(0)])
  })

  it('is the same in whatever order partitions are read', async () => {
    const { unfinished } = await findUnfinished(log, 'n', (index) => index === 2, fromStart())
    await log.append(TOPICS.access, recordOf('n/w0/a', 2, closingEvents(unfinished, AT)))
    const backwards = log.records.toReversed().map((record, offset): LogRecord => ({ ...record, partition: 1, offset }))
    const other: EventLog = {
      ...log,
      read: async (_, cursor) => (Object.keys(cursor).length === 0 ? backwards : []),
    }
    expect(await sessionsIn(other, [2])).toEqual([])
  })
})
