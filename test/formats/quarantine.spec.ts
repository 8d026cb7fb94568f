import { createHash } from 'node:crypto'
import {
  encodeCommit,
  readAccessEvent,
  readGovernanceEvent,
  TOPICS,
  writeAccessEvent,
  type StoredEvent,
} from '@countersign/contracts'
import { openStreamStore, type Quarantined } from '@countersign/eventlog'
import { memoryLog } from '@countersign/testing'
import { describe, expect, it } from 'vitest'
import { samplesOf } from './golden.ts'

const topic = TOPICS.access
const known = samplesOf('credential.used@1').slice(0, 1)
const ID = '0192f0a0-0000-7000-8000-000000000000'

const commitOf = (revision: number, events: readonly StoredEvent[], stream = 'strange') =>
  encodeCommit({ stream, revision, commitId: ID, events: [...events] })

/** What the log may hold that no contract knows, and what is said of it: of the record as a whole, or of its events. */
const STRANGE: readonly (readonly [string, Uint8Array, readonly Partial<Quarantined>[]])[] = [
  ['nothing', Buffer.alloc(0), [{ because: 'not JSON' }]],
  ['bytes that are no text', Buffer.from([0xff, 0x00, 0xfe, 0x7b]), [{ because: 'not JSON' }]],
  ['half a record', Buffer.from('{"stream":"hunter2","revision":1,"comm'), [{ because: 'not JSON' }]],
  ['JSON of another kind', Buffer.from('["hunter2"]'), [{ because: 'not a commit: ' }]],
  ['a commit without a place', commitOf(0, known), [{ because: 'not a commit: revision' }]],
  ['a commit of nothing', commitOf(1, []), [{ because: 'not a commit: events' }]],
  [
    'events of which some are known',
    commitOf(1, [
      { type: 'statement.dreamt', version: 1, data: { password: 'hunter2' } },
      ...known,
      { type: 'statement.settled', version: 99, data: { password: 'hunter2' } },
      { type: 'credential.used', version: 1, data: { sessionId: 'hunter2', principalId: 7 } },
      { type: 'approval.granted', version: 1, data: {} },
    ]),
    [
      { index: 0, type: 'statement.dreamt', version: 1, because: 'no contract for statement.dreamt@1' },
      { index: 2, type: 'statement.settled', version: 99, because: 'no contract for statement.settled@99' },
      {
        index: 3,
        type: 'credential.used',
        version: 1,
        because:
          'credential.used@1 does not fit its contract: credentialId (invalid_type), principalId (invalid_type), ' +
          'sessionId (invalid_format), at (invalid_type)',
      },
      { index: 4, type: 'approval.granted', version: 1, because: 'no contract for approval.granted@1' },
    ],
  ],
]

describe.each(STRANGE)('%s', (_, value, expected) => {
  const digest = createHash('sha256').update(value).digest('hex')

  it('is pointed to, with its reason and without its data', async () => {
    const { found } = await readingOf(value)
    const place = { topic, partition: 0, offset: 1, digest, bytes: value.byteLength }
    expect(found).toStrictEqual(expected.map((said) => ({ ...place, ...said })))
    expect(JSON.stringify(found)).not.toContain('hunter2')
  })

  it('is pointed to by an event that has a contract itself', async () => {
    const { found } = await readingOf(value)
    for (const each of found) {
      const data = { ...each, at: '2026-11-20T09:05:00.000Z' }
      expect(readGovernanceEvent({ type: 'event.quarantined', version: 1, data }).data).toStrictEqual(data)
    }
  })

  it('stays in the log byte for byte, and what is around it is read', async () => {
    const { log, past } = await readingOf(value)
    const [, strange] = await log.read(topic, {}, 10)
    expect(Buffer.from(strange?.value ?? []).equals(value)).toBe(true)
    const readable = expected.some(({ index }) => index !== undefined) ? ['credential.used'] : []
    expect(past.map(({ type }) => type)).toEqual(['node.started', ...readable, 'node.stopped'])
  })
})

/** A log with an ordinary record before and one after, and what a reader of all of it finds. */
const readingOf = async (value: Uint8Array) => {
  const log = memoryLog()
  const put = (each: Uint8Array) => log.append(topic, { key: 'k', headers: {}, value: each })
  await put(commitOf(1, samplesOf('node.started@1').slice(0, 1), 'before'))
  await put(value)
  await put(commitOf(1, samplesOf('node.stopped@1').slice(0, 1), 'after'))

  const found: Quarantined[] = []
  const store = openStreamStore({
    log,
    topic,
    read: readAccessEvent,
    write: writeAccessEvent,
    source: '/test/formats',
    now: () => '2026-11-20T09:05:00.000Z',
    newId: () => ID,
    onQuarantine: (each) => found.push(each),
  })
  const pasts = await Promise.all(['before', 'strange', 'after'].map((stream) => store.load(stream)))
  await store.close()
  return { log, found, past: pasts.flatMap(({ past }) => past) }
}
