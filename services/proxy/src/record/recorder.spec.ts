import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { decodeCommit, readAccessEvent, type AccessEvent, type Commit, type WorkerId } from '@countersign/contracts'
import { LogUnavailableError, type EventLog } from '@countersign/eventlog'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openDataKeys, openSealed } from './data-keys.ts'
import { Recorder } from './recorder.ts'

const worker = 'node-1/w0/boot' as WorkerId
const at = '2026-11-22T12:00:00.000Z'

/** A log that is told when to fail, and that can be made to wait. */
class FakeLog {
  readonly values: Uint8Array[] = []
  failing = false
  held: (() => void)[] | undefined

  readonly append: EventLog['append'] = async (_topic, { value }) => {
    if (this.held) await new Promise<void>((resolve) => this.held?.push(resolve))
    if (this.failing) throw new LogUnavailableError('the disk is full')
    this.values.push(value)
    return { partition: 0, offset: this.values.length - 1 }
  }

  get commits(): readonly Commit[] {
    return this.values.map(decodeCommit)
  }

  get types(): readonly (readonly string[])[] {
    return this.commits.map(({ events }) => events.map((event) => readAccessEvent(event).type))
  }
}

const used = (n: number): AccessEvent =>
  ({
    type: 'credential.used',
    data: {
      credentialId: `c${n}`,
      principalId: 'ana',
      sessionId: '0192f7a0-0000-7000-8000-000000000001',
      proof: 'token',
      at,
    },
  }) as AccessEvent

const told = () => {
  const calls: string[] = []
  return {
    calls,
    recorded: () => void calls.push('recorded'),
    unrecorded: () => void calls.push('unrecorded'),
    failed: () => void calls.push('failed'),
  }
}

const settle = () => new Promise((resolve) => setTimeout(resolve, 20))

describe('the recorder of a worker', () => {
  let state: string
  let log: FakeLog
  let recorder: Recorder

  beforeEach(() => {
    state = mkdtempSync(join(tmpdir(), 'recorder-'))
    log = new FakeLog()
    let id = 0
    recorder = new Recorder({
      log: log as unknown as EventLog,
      worker,
      keys: openDataKeys(state, worker, Date.now),
      newId: () => `0192f7a0-0000-7000-8000-${String(++id).padStart(12, '0')}`,
      now: () => at,
    })
  })
  afterEach(() => rmSync(state, { recursive: true }))

  it('puts what comes together into one record, and what comes meanwhile into the next', async () => {
    log.held = []
    expect([recorder.add(used(1), 'now'), recorder.add(used(2))]).toEqual([1, 1])
    await settle()
    expect([recorder.add(used(3)), recorder.add(used(4))]).toEqual([2, 2])
    log.held.splice(0).forEach((go) => go())
    log.held = undefined
    await recorder.flushed()
    expect(log.commits.map(({ stream, revision, events }) => [stream, revision, events.length])).toEqual([
      [worker, 1, 2],
      [worker, 2, 2],
    ])
    expect(recorder.durable).toBe(2)
  })

  it('lets what nobody waits for go along with the next that somebody does, or soon by itself', async () => {
    recorder.add(used(1))
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)))
    expect(log.commits).toEqual([])
    recorder.add(used(2), 'now')
    await recorder.flushed()
    recorder.add(used(3))
    await expect.poll(() => log.commits.map(({ events }) => events.length)).toEqual([2, 1])
  })

  it('writes soon, by itself, what came while another record was on its way', async () => {
    log.held = []
    recorder.add(used(1), 'now')
    await settle()
    recorder.add(used(2))
    log.held.splice(0).forEach((go) => go())
    log.held = undefined
    await expect.poll(() => log.commits.map(({ events }) => events.length)).toEqual([1, 1])
  })

  it('tells who waits when the record is durable, not before', async () => {
    log.held = []
    const waiter = told()
    recorder.whenRecorded(recorder.add(used(1), 'now'), waiter)
    await settle()
    expect([waiter.calls, recorder.durable]).toEqual([[], 0])
    log.held.splice(0).forEach((go) => go())
    await recorder.flushed()
    expect(waiter.calls).toEqual(['recorded'])
  })

  it('takes nobody’s mistake for the log’s: whoever throws when it is told is told so, and the others as always', async () => {
    const [first, wrong, last] = [told(), told(), told()]
    const throws = () => {
      throw new Error('a mistake')
    }
    const record = recorder.add(used(1), 'now')
    for (const waiter of [first, { ...wrong, recorded: throws }, last]) recorder.whenRecorded(record, waiter)
    await recorder.flushed()
    expect([first.calls, wrong.calls, last.calls]).toEqual([['recorded'], ['failed'], ['recorded']])
    expect([recorder.available, log.values.length]).toEqual([true, 1])
  })

  it('tells who waits at once when the log is down, tries the same bytes again, and says how long it was', async () => {
    log.failing = true
    const waiter = told()
    recorder.whenRecorded(recorder.add(used(1), 'now'), waiter)
    await settle()
    expect([waiter.calls, recorder.available, log.values]).toEqual([['unrecorded'], false, []])
    recorder.countRefusal()
    recorder.countRefusal()
    log.failing = false
    await expect.poll(() => log.values.length, { timeout: 5_000 }).toBe(2)
    expect(recorder.available).toBe(true)
    expect(log.types).toEqual([['credential.used'], ['audit.degraded', 'audit.recovered']])
    expect(log.commits.map(({ revision }) => revision)).toEqual([1, 2])
    expect(log.commits[1]?.events[1]?.data).toMatchObject({ degradedAt: at, recoveredAt: at, refused: 2 })
  })

  it('cuts a record that would be too long for the log', async () => {
    const long = 'x'.repeat(300_000)
    for (let n = 1; n <= 3; n++) recorder.addText(used(n), JSON.stringify({ type: 't', version: 1, data: long }), 'now')
    await recorder.flushed()
    expect(log.values.map(({ length }) => length < 1_000_000)).toEqual([true, true])
  })

  it('seals exact texts, and each event says where its own lie', async () => {
    const parts = ['select 1', 'select ’2’'].map((text) => {
      const part = recorder.seal(Buffer.from(text))
      recorder.add(used(1))
      return part
    })
    await recorder.flushed()
    const sealed = log.commits[0]?.sealed
    if (!sealed) throw new Error('nothing was sealed')
    const opened = openSealed(state, sealed)
    expect(parts.map((part) => part && opened.toString('utf8', part[0], part[0] + part[1]))).toEqual([
      'select 1',
      'select ’2’',
    ])
    expect(Buffer.from(log.values[0] ?? []).includes('select 1')).toBe(false)
  })

  it('seals the text of many commands once in each record', async () => {
    const text = Buffer.from(`select 1;${' '.repeat(10_000)}`.repeat(10))
    const parts = Array.from({ length: 2_000 }, (_, index) => {
      const part = recorder.seal(text)
      recorder.addText(used(index), JSON.stringify({ type: 't', version: 1, data: 'x'.repeat(1_000) }), 'now')
      return part
    })
    await recorder.flushed()
    expect(new Set(parts.map((part) => part?.join()))).toEqual(new Set([`0,${text.length}`]))
    for (const { sealed } of log.commits) expect(sealed && openSealed(state, sealed).equals(text)).toBe(true)
    expect(log.commits.length).toBeGreaterThan(1)
    expect(log.values.every(({ length }) => length < 1_000_000)).toBe(true)
  })

  it('cannot open what was sealed once its key is erased', async () => {
    recorder.seal(Buffer.from('select 1'))
    recorder.add(used(1))
    await recorder.flushed()
    const sealed = log.commits[0]?.sealed
    if (!sealed) throw new Error('nothing was sealed')
    rmSync(join(state, 'keys', `${sealed.keyId}.json`))
    expect(() => openSealed(state, sealed)).toThrow(/ENOENT/)
  })
})
