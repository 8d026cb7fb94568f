import { randomUUID } from 'node:crypto'
import { encodeCommit, MalformedEventError, TOPICS, UnknownEventError, type StoredEvent } from '@countersign/contracts'
import { memoryLog, type MemoryLog } from '@countersign/testing'
import { describe, expect, it, vi } from 'vitest'
import { z } from 'zod'
import { LogUnavailableError } from './event-log.ts'
import type { Quarantined } from './read-commit.ts'
import { openStreamStore, type AcceptedCommit, type StreamStoreOptions } from './stream-store.ts'

const topic = TOPICS.approvals

interface Said {
  readonly text: string
}

const open = (log: MemoryLog, options: Partial<StreamStoreOptions<Said>> = {}) =>
  openStreamStore<Said>({
    log,
    topic,
    read: readSaid,
    write: (data) => ({ type: 'said', version: 1, data }),
    source: '/test',
    now: () => '2026-11-22T10:00:00.000Z',
    newId: randomUUID,
    ...options,
  })

const Data = z.object({ text: z.string() })

const readSaid = (stored: StoredEvent): Said => {
  if (stored.type !== 'said') throw new UnknownEventError(stored)
  const parsed = Data.safeParse(stored.data)
  if (!parsed.success) throw new MalformedEventError(stored, parsed.error)
  return parsed.data
}

const said = (text: string): Said => ({ text })

const put = (log: MemoryLog, value: Uint8Array) => log.append(topic, { key: 's', headers: {}, value })

const commitOf = (stream: string, revision: number, ...events: readonly StoredEvent[]) =>
  encodeCommit({ stream, revision, commitId: randomUUID(), events: [...events] })

describe('a stream store', () => {
  it('appends to a stream and reads it back', async () => {
    const store = open(memoryLog())
    expect(await store.load('s')).toEqual({ past: [], revision: 0 })
    expect(await store.append('s', 0, [said('one'), said('two')])).toBe('appended')
    expect(await store.append('s', 1, [said('three')])).toBe('appended')
    expect(await store.load('s')).toEqual({ past: [said('one'), said('two'), said('three')], revision: 2 })
    expect(await store.load('other')).toEqual({ past: [], revision: 0 })
  })

  it('writes one record a commit, with CloudEvents headers', async () => {
    const log = memoryLog()
    await open(log, { newId: () => '0192f0a0-0000-7000-8000-000000000000' }).append('s', 0, [said('one'), said('two')])
    expect(log.records).toHaveLength(1)
    expect(log.records[0]).toMatchObject({
      key: 's',
      headers: {
        ce_id: '0192f0a0-0000-7000-8000-000000000000',
        ce_source: '/test',
        ce_subject: 's',
        ce_time: '2026-11-22T10:00:00.000Z',
        ce_type: 'said',
      },
    })
  })

  it('finds a conflict when somebody else was first, whether it knew so or not', async () => {
    const log = memoryLog()
    const [mine, theirs] = [open(log), open(log)]
    const both = await Promise.all([mine.append('s', 0, [said('mine')]), theirs.append('s', 0, [said('theirs')])])
    expect(both.toSorted()).toEqual(['appended', 'conflict'])
    expect(await mine.append('s', 0, [said('late')])).toBe('conflict')
    await Promise.all([mine.caughtUp(), theirs.caughtUp()])
    expect(await mine.load('s')).toEqual(await theirs.load('s'))
  })

  it('loads nothing before it has read what was there when it was opened', async () => {
    const log = memoryLog()
    for (let revision = 1; revision <= 500; revision++) {
      await put(log, commitOf('s', revision, { type: 'said', version: 1, data: said(`${revision}`) }))
    }
    expect((await open(log).load('s')).revision).toBe(500)
  })

  it('tells of every commit that stands, in order, and of no other', async () => {
    const log = memoryLog()
    const accepted: AcceptedCommit<Said>[] = []
    const store = open(log, { onCommit: (commit) => accepted.push(commit) })
    await put(log, commitOf('a', 1, { type: 'said', version: 1, data: said('first') }))
    await put(log, commitOf('a', 1, { type: 'said', version: 1, data: said('second') }))
    await put(log, commitOf('a', 3, { type: 'said', version: 1, data: said('ahead') }))
    await put(log, commitOf('b', 1, { type: 'said', version: 1, data: said('other') }))
    await store.caughtUp()
    expect(accepted.map(({ offset, commit, events }) => [offset, commit.stream, events])).toEqual([
      [0, 'a', [said('first')]],
      [3, 'b', [said('other')]],
    ])
  })

  it('sets aside what it cannot read, and says where and why, without its data', async () => {
    const log = memoryLog()
    const found: Quarantined[] = []
    const store = open(log, { onQuarantine: (quarantined) => found.push(quarantined) })
    await put(log, Buffer.from('not a commit: secret'))
    await put(log, Buffer.from('{"stream":"s","secret":1}'))
    await put(
      log,
      commitOf(
        's',
        1,
        { type: 'said', version: 1, data: said('known') },
        { type: 'unheard', version: 7, data: { secret: 1 } },
        { type: 'said', version: 1, data: { text: 42, secret: 'x' } },
      ),
    )
    await store.caughtUp()
    expect(await store.load('s')).toEqual({ past: [said('known')], revision: 1 })
    expect(found).toMatchObject([
      { topic, partition: 0, offset: 0, because: 'not JSON', bytes: 20 },
      { offset: 1, because: expect.stringContaining('not a commit') },
      { offset: 2, index: 1, type: 'unheard', version: 7, because: 'no contract for unheard@7' },
      { offset: 2, index: 2, type: 'said', version: 1, because: expect.stringContaining('text') },
    ])
    expect(JSON.stringify(found)).not.toContain('secret')
    expect(found.every(({ digest }) => /^[0-9a-f]{64}$/.test(digest))).toBe(true)
  })

  it('does not know what became of a commit that the log refused, and takes it when it is there after all', async () => {
    const log = memoryLog()
    const store = open(log)
    await store.caughtUp()
    log.refuseWith(new LogUnavailableError('the disk is full'))
    await expect(store.append('s', 0, [said('one')])).rejects.toThrow(/the disk is full/)
    log.refuseWith(undefined)
    expect(await store.append('s', 0, [said('one')])).toBe('appended')
  })

  it('says so when what was acknowledged is not read back', async () => {
    vi.useFakeTimers()
    try {
      const log = memoryLog()
      const store = open({ ...log, append: async () => ({ partition: 0, offset: 0 }) })
      await vi.advanceTimersByTimeAsync(10)
      const outcome = store.append('s', 0, [said('one')]).catch((error: unknown) => error)
      await vi.advanceTimersByTimeAsync(6_000)
      expect(await outcome).toBeInstanceOf(LogUnavailableError)
    } finally {
      vi.useRealTimers()
    }
  })

  it('stops and says so when it cannot follow the topic', async () => {
    const log = memoryLog()
    const onFailed = vi.fn()
    const failure = new Error('told to stop')
    const onCommit = () => {
      throw failure
    }
    const store = open(log, { onFailed, onCommit })
    await store.caughtUp()
    await expect(store.append('s', 0, [said('one')])).rejects.toThrow('told to stop')
    expect(onFailed).toHaveBeenCalledWith(failure)
    await expect(store.caughtUp()).rejects.toThrow('told to stop')
  })

  it('refuses everything after it has been closed', async () => {
    const store = open(memoryLog())
    await store.close()
    await expect(store.append('s', 0, [said('one')])).rejects.toBeInstanceOf(LogUnavailableError)
  })
})
