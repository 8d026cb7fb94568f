import { readAccessEvent, StoredEvent, type SessionId, type StatementId } from '@countersign/contracts'
import type { Digest, RequestId } from '@countersign/contracts'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { intendedText, settledText, touchesText } from './event-text.ts'
import type { Judgement } from './judgement.ts'

const sessionId = '0192f7a0-0000-7000-8000-000000000001' as SessionId
const statementId = `${sessionId}.7` as StatementId
const at = '2026-11-22T12:00:00.000Z'
const digest = 'a'.repeat(64) as Digest

const judgement = {
  shape: digest,
  actions: ['read'],
  relations: [{ name: 'public."odd ""name"', actions: ['read'] }],
  readOnly: true,
  verdict: 'mask',
  policies: ['reads-are-masked'],
  policyVersion: 'v1',
  catalogueVersion: 'c1',
  rows: { rows: 3, exact: true },
  facts: { statement: 'SELECT', uses: [{ action: 'read', kind: 'relation', schema: 'public', name: 'odd "name"' }] },
} as unknown as Judgement

const read = (text: string) => readAccessEvent(StoredEvent.parse(JSON.parse(text)))

const intended = {
  statementId,
  sessionId,
  sequence: 7,
  protocol: 'simple',
  textBytes: 8,
  digest,
  sealed: [4, 8] as [number, number],
  transaction: 'idle',
  judgement,
  requestId: 'rq_0123456789' as RequestId,
  traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
  at,
} as const

it('writes intents that their contract reads back, whatever is in the texts', () =>
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (text, reason) => {
      const { type, data } = read(intendedText({ ...intended, text, reason, ticket: reason }))
      expect({ type, data }).toMatchObject({
        type: 'statement.intended',
        data: {
          text,
          reason,
          ticket: reason,
          traceparent: intended.traceparent,
          verdict: 'mask',
          relations: judgement.relations,
          rows: { rows: 3 },
          facts: judgement.facts,
        },
      })
    }),
  ))

it('leaves out what there is not', () => {
  const bare = { ...judgement, rows: undefined, facts: undefined } as Judgement
  const nothing = {
    sealed: undefined,
    requestId: undefined,
    reason: undefined,
    ticket: undefined,
    traceparent: undefined,
  }
  const { data } = read(intendedText({ ...intended, ...nothing, text: '', judgement: bare }))
  expect(Object.keys(data)).not.toEqual(expect.arrayContaining(['rows', 'facts']))
  for (const key of ['rows', 'facts', ...Object.keys(nothing)]) expect(data).not.toHaveProperty(key)
})

it('writes settlements that their contract reads back', () => {
  const touches = [{ relation: 'public.orders', column: 'id', how: 'read' }] as Judgement['touches']
  const settled = {
    statementId,
    sessionId,
    sequence: 7,
    outcome: 'failed',
    sqlstate: '23505',
    command: 'INSERT 0 1',
    rowsReturned: 1,
    rowsAffected: 2,
    bytesReturned: 3,
    durations: { understand: 1, decide: 2, record: 3, hold: 4, database: 5, total: 6 },
    touches: touchesText(touches),
    maskedColumns: ['public.customers."e,mail"'],
    at,
  } as const
  const { touches: _, ...rest } = settled
  expect(read(settledText(settled))).toMatchObject({ type: 'statement.settled', data: { ...rest, touches } })
  const { data } = read(settledText({ ...settled, sqlstate: undefined, command: '', maskedColumns: [] }))
  expect(data).not.toHaveProperty('sqlstate')
})
