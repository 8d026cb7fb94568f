import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { TOPICS } from '@countersign/contracts'
import { openEventLog, type EventLog } from '@countersign/eventlog'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { AuditDatabase } from '../store/generations.ts'
import {
  access,
  approvals,
  at,
  bo,
  closed,
  copilot,
  digest,
  event,
  heldStatement,
  intended,
  opened,
  record,
  REQUEST,
  requested,
  settled,
  shop,
  statementId,
  uuid,
  voted,
  type TopicRecord,
} from '../testing/events.ts'
import { eventually } from '../testing/eventually.ts'
import { project, type RunningProjection } from '../testing/running-projection.ts'
import { select, TestServer, type Row } from '../testing/test-server.ts'

const W = 'node-1/0/b1'

let server: TestServer
let home: string
beforeAll(async () => {
  server = await TestServer.start()
  home = mkdtempSync(join(tmpdir(), 'audit-tables-'))
})
afterAll(async () => {
  await server.end()
  rmSync(home, { recursive: true, force: true })
})

let databases = 0
let log: EventLog
let database: AuditDatabase
let projection: RunningProjection

/** Runs a projection of its own over these records, and waits until all of them are written. */
const given = async (...records: TopicRecord[]): Promise<void> => {
  databases += 1
  log = await openEventLog({ kind: 'embedded', directory: join(home, `${databases}`) })
  database = server.database(`d${databases}`)
  projection = project(log, database)
  await projection.ready
  await append(...records)
}

const append = async (...records: TopicRecord[]): Promise<void> => {
  for (const { topic, ...rest } of records) await log.append(topic, rest)
  await eventually(async () => {
    for (const topic of new Set(records.map((r) => r.topic))) {
      expect(projection.status.written.get(topic)).toEqual(await log.end(topic))
    }
  })
}

const done = async () => {
  await projection.stop()
  await log.close()
}

const rowsOf = (table: string, order = '1') => select(database, `SELECT * FROM ${table} ORDER BY ${order}`)
const only = async (table: string): Promise<Row> => {
  const rows = await rowsOf(table)
  expect(rows).toHaveLength(1)
  return rows[0] ?? {}
}

describe('statements', () => {
  it('says everything of a statement once it is settled', async () => {
    await given(
      access(W, 1, [opened('s', W, { principal: copilot })]),
      access(W, 2, [
        intended('s', 1, { reason: 'support', ticket: 'T-1', rows: { rows: 5, exact: true } }),
        settled('s', 1),
      ]),
    )
    expect(await only('statements')).toEqual({
      statement_id: statementId('s', 1),
      session_id: uuid('s'),
      sequence: 1,
      worker: W,
      node: 'node-1',
      principal_id: 'copilot',
      principal_kind: 'agent',
      person: 'ana',
      on_behalf_of: 'ana',
      principal_groups: ['agents'],
      credential_id: 'cred-ana',
      client_address: '127.0.0.1',
      client_port: 50_000,
      application_name: 'psql',
      environment: 'demo',
      db_system_name: 'postgresql',
      db_namespace: 'shop',
      db_role: 'shop_app',
      server_address: 'db:5432',
      protocol: 'simple',
      transaction_state: 'idle',
      db_query_text: 'select * from customers limit 5',
      db_query_summary: 'read public.customers',
      db_operation_name: 'SELECT',
      db_collection_name: 'public.customers',
      query_bytes: 31,
      digest: digest('s 1'),
      shape: digest('select'),
      actions: ['read'],
      relations: ['public.customers'],
      relation_actions: { 'public.customers': ['read'] },
      read_only: true,
      counted_rows: 5,
      counted_exactly: true,
      verdict: 'mask',
      policies: ['mask-personal-data'],
      policy_version: 'a1b2c3d4e5f60718',
      catalogue_version: '7',
      request_id: '',
      reason: 'support',
      ticket: 'T-1',
      traceparent: '',
      outcome: 'completed',
      db_response_status_code: '',
      command_tag: 'SELECT 5',
      db_response_returned_rows: 5,
      rows_affected: 0,
      bytes_returned: 640,
      masked_columns: ['email'],
      understand_us: 110,
      decide_us: 40,
      record_us: 900,
      hold_us: 0,
      database_us: 1_200,
      total_us: 2_400,
      started_at: '2026-11-22 10:00:01.000',
      ended_at: '2026-11-22 10:00:01.500',
      log_topic: 'cs.access.v1',
      intended_partition: 0,
      intended_offset: 1,
      settled_partition: 0,
      settled_offset: 1,
    })
    await done()
  })

  it('shows a statement that is not settled as running, and completes it much later', async () => {
    await given(access(W, 1, [opened('s', W), intended('s', 1, { verdict: 'hold' })]))
    expect(await only('statements')).toMatchObject({
      outcome: 'running',
      ended_at: null,
      settled_offset: null,
      total_us: 0,
    })
    await append(access(W, 2, [settled('s', 1, { outcome: 'failed', sqlstate: '57014', touches: [] })]))
    expect(await only('statements')).toMatchObject({
      outcome: 'failed',
      principal_id: 'ana',
      db_response_status_code: '57014',
      intended_offset: 0,
      settled_offset: 1,
    })
    await done()
  })

  it('has a row within a second of its end', async () => {
    await given(access(W, 1, [opened('s', W)]))
    const delays: number[] = []
    for (let n = 1; n <= 9; n++) {
      const begun = performance.now()
      await log.append(TOPICS.access, access(W, n + 1, [intended('s', n), settled('s', n)]))
      const query = `SELECT 1 FROM statements WHERE statement_id = '${statementId('s', n)}' AND outcome = 'completed'`
      await eventually(async () => expect(await select(database, query)).toHaveLength(1))
      delays.push(performance.now() - begun)
    }
    // The median, because other tests may have the machine for a while.
    expect(delays.sort((a, b) => a - b)[4]).toBeLessThan(1_000)
    await done()
  })

  it('names the request that a statement was held for after it was intended', async () => {
    const held = event('statement.held', {
      requestId: REQUEST,
      statement: heldStatement('s', 1),
      mode: 'inline',
      approvers: ['owners'],
      quorum: 1,
      expiresAt: at(30_000),
      at: at(1_500),
    })
    await given(access(W, 1, [opened('s', W), intended('s', 1, { verdict: 'hold' })]), access(W, 2, [held]))
    expect(await only('statements')).toMatchObject({ outcome: 'running', request_id: REQUEST })
    await append(access(W, 3, [settled('s', 1)]))
    expect(await only('statements')).toMatchObject({ outcome: 'completed', request_id: REQUEST })
    await done()
  })

  it('believes the first settlement only', async () => {
    await given(
      access(W, 1, [opened('s', W), intended('s', 1)]),
      access(W, 2, [settled('s', 1)]),
      access('node-1/0/b2', 1, [settled('s', 1, { outcome: 'outcome_unknown', touches: [] })]),
    )
    expect(await only('statements')).toMatchObject({ outcome: 'completed', settled_offset: 1 })
    expect(await rowsOf('touches')).toHaveLength(2)
    await done()
  })

  it('keeps text that is no text for ClickHouse, as well as it can', async () => {
    const text = "quote ' \\ \0 \u{1f600} half \ud83d end\n\t`\u2028"
    await given(
      access(W, 1, [opened('s', W), intended('s', 1, { text, relations: [{ name: '__proto__', actions: ['read'] }] })]),
    )
    expect(await only('statements')).toMatchObject({
      db_query_text: text.toWellFormed(),
      relations: ['__proto__'],
    })
    await done()
  })

  it('takes any instant and any number that a contract allows', async () => {
    const client = { address: '::1', port: -1, tls: null }
    const instants = ['0001-01-01T00:00:00.000Z', '1969-12-31T23:59:59.999Z', '9999-12-31T23:59:59.999Z']
    const durations = { understand: 0, decide: 0, record: 0, hold: 0, database: 0, total: Number.MAX_SAFE_INTEGER }
    const statements = instants.map((instant, i) => intended('s', i + 1, { at: instant }))
    const ends = instants.map((instant, i) => settled('s', i + 1, { at: instant, durations }))
    await given(access(W, 1, [opened('s', W, { client, at: instants[0] ?? '' }), ...statements, ...ends]))
    const rows = await rowsOf('statements', 'sequence')
    expect(rows.map(({ started_at }) => `${started_at}`.replace(' ', 'T') + 'Z')).toEqual(instants)
    expect(rows[0]).toMatchObject({ total_us: Number.MAX_SAFE_INTEGER, client_port: -1 })
    await done()
  })
})

describe('sessions', () => {
  it('are open, then closed', async () => {
    await given(access(W, 1, [opened('s', W)]))
    expect(await only('sessions')).toMatchObject({
      state: 'open',
      closed_at: null,
      principal_id: 'ana',
      tls_version: '',
    })
    await append(access(W, 2, [closed('s', { statements: 3 })]))
    expect(await only('sessions')).toMatchObject({
      state: 'closed',
      closed_because: 'client-terminated',
      statements: 3,
      closed_at: '2026-11-22 10:00:09.000',
      opened_offset: 0,
      closed_offset: 1,
    })
    await done()
  })
})

describe('touches', () => {
  it('has a row for each, with who and how', async () => {
    await given(access(W, 1, [opened('s', W), intended('s', 1)]), access(W, 2, [settled('s', 1)]))
    expect(await rowsOf('touches', 'touch_index')).toEqual([
      expect.objectContaining({
        relation: 'public.customers',
        column: '',
        how: 'read',
        principal_id: 'ana',
        verdict: 'mask',
      }),
      expect.objectContaining({ column: 'email', how: 'returned-masked', class: 'email', settled_offset: 1 }),
    ])
    await done()
  })
})

describe('approvals and votes', () => {
  it('has a change of policies, which has no statement', async () => {
    const proposal = {
      principal: { id: 'ana', kind: 'person', person: 'ana', groups: ['developers'] },
      digest: 'd'.repeat(64),
      version: 'd'.repeat(16),
      base: 'c'.repeat(16),
      reason: 'SEC-1',
      changes: [{ id: 'hold-drop', file: '20-holds.cedar', change: 'added' }],
      owners: { added: [], removed: [] },
    }
    const groups = [{ name: 'security', people: ['cy'] }]
    const asked = { requestId: REQUEST, kind: 'policy', proposal, groups, quorum: 1, excluded: ['ana'] }
    await given(
      approvals(REQUEST, 1, [event('approval.policy-requested', { ...asked, expiresAt: at(9_000), at: at(2_000) })]),
      approvals(REQUEST, 2, [
        voted(REQUEST, { person: 'cy', voter: 'cy', groups: ['security'] }),
        event('approval.granted', { requestId: REQUEST, people: ['cy'], usableUntil: at(60_000), at: at(3_000) }),
      ]),
      approvals(REQUEST, 3, [event('grant.used', { requestId: REQUEST, at: at(4_000) })]),
    )
    expect(await only('approvals')).toMatchObject({
      kind: 'policy',
      phase: 'claimed',
      principal_id: 'ana',
      policies: ['hold-drop'],
      policy_version: 'c'.repeat(16),
      reason: 'SEC-1',
      people_for: ['cy'],
      statement_id: '',
      claimed_at: '2026-11-22 10:00:04.000',
    })
    await done()
  })

  it('follows a request through its phases', async () => {
    await given(approvals(REQUEST, 1, [requested(REQUEST, 's', 1)]))
    expect(await only('approvals')).toMatchObject({
      request_id: REQUEST,
      phase: 'pending',
      principal_id: 'ana',
      approver_groups: { 'shop-owners': ['bo', 'cy'] },
      counted_rows: 2_000,
      granted_at: null,
    })
    await append(
      approvals(REQUEST, 2, [
        voted(REQUEST),
        event('approval.granted', { requestId: REQUEST, people: ['bo'], usableUntil: at(60_000), at: at(3_000) }),
        event('grant.claimed', {
          requestId: REQUEST,
          statementId: statementId('s', 1),
          sessionId: uuid('s'),
          at: at(3_000),
        }),
      ]),
      approvals(REQUEST, 3, [
        event('grant.claim-refused', {
          requestId: REQUEST,
          statementId: statementId('t', 1),
          sessionId: uuid('t'),
          because: 'spent',
          at: at(4_000),
        }),
      ]),
    )
    expect(await only('approvals')).toMatchObject({
      phase: 'claimed',
      people_for: ['bo'],
      granted_at: '2026-11-22 10:00:03.000',
      claimed_statement_id: statementId('s', 1),
      refused_claims: { [statementId('t', 1)]: 'spent' },
      closed_at: null,
    })
    expect(await only('votes')).toMatchObject({ person: 'bo', counted: true, requester_id: 'ana', environment: 'demo' })
    await done()
  })

  it.each([
    ['approval.denied', { person: 'bo', because: 'owner', reason: 'not today', at: at(5_000) }, 'denied', 'not today'],
    ['approval.expired', { at: at(5_000) }, 'expired', ''],
    ['approval.withdrawn', { because: 'cancelled', at: at(5_000) }, 'withdrawn', 'cancelled'],
    ['approval.voided', { because: 'more-rows', at: at(5_000) }, 'voided', 'more-rows'],
    ['grant.expired', { at: at(5_000) }, 'expired', ''],
  ])('closes a request on %s', async (type, data, phase, decision_reason) => {
    await given(
      approvals(REQUEST, 1, [requested(REQUEST, 's', 1)]),
      approvals(REQUEST, 2, [{ type, version: 1, data: { requestId: REQUEST, ...data } }]),
    )
    expect(await only('approvals')).toMatchObject({ phase, decision_reason, closed_at: '2026-11-22 10:00:05.000' })
    await done()
  })

  it('keeps votes that did not count, of requests that never were too', async () => {
    const refused = { voter: 'ana', vote: 'grant', channel: 'slack', at: at(3_000) }
    await given(
      approvals(REQUEST, 1, [requested(REQUEST, 's', 1)]),
      approvals(REQUEST, 2, [
        {
          type: 'approval.vote-refused',
          version: 1,
          data: { requestId: REQUEST, person: 'ana', because: 'own-request', ...refused },
        },
      ]),
      approvals('rq_nosuchone0', 1, [
        {
          type: 'approval.vote-refused',
          version: 1,
          data: { requestId: 'rq_nxsvchxne0', because: 'unknown-request', ...refused },
        },
      ]),
    )
    expect(await rowsOf('votes', 'log_offset')).toEqual([
      expect.objectContaining({
        counted: false,
        refused_because: 'own-request',
        requester_id: 'ana',
        channel: 'slack',
      }),
      expect.objectContaining({ counted: false, refused_because: 'unknown-request', requester_id: '', person: '' }),
    ])
    expect(await rowsOf('approvals')).toHaveLength(1)
    await done()
  })
})

describe('coverage', () => {
  it('has an entry for each sign of life, and each outage', async () => {
    await given(
      access(W, 1, [event('node.started', { worker: W, version: '0.1.0', host: 'h', processId: 7, at: at(0) })]),
      access(W, 2, [event('node.heartbeat', { worker: W, sessions: 2, statements: 9, policyVersion: 'p', at: at(1) })]),
      access(W, 3, [event('audit.degraded', { worker: W, reason: 'disk full', at: at(2) })]),
      access(W, 4, [event('audit.recovered', { worker: W, degradedAt: at(2), recoveredAt: at(3), refused: 4 })]),
      access(W, 5, [event('node.reloaded', { worker: W, changed: ['node.tls', 'holds.inlineSeconds'], at: at(4) })]),
      access(W, 6, [event('node.stopped', { worker: W, because: 'asked', at: at(5) })]),
    )
    expect(await rowsOf('coverage', 'log_offset')).toEqual([
      expect.objectContaining({
        what: 'started',
        version: '0.1.0',
        host: 'h',
        process_id: 7,
        sessions: null,
        node: 'node-1',
      }),
      expect.objectContaining({ what: 'heartbeat', sessions: 2, statements: 9, policy_version: 'p' }),
      expect.objectContaining({ what: 'degraded', because: 'disk full' }),
      expect.objectContaining({ what: 'recovered', degraded_at: '2026-11-22 10:00:00.002', refused: 4 }),
      expect.objectContaining({ what: 'reloaded', because: 'node.tls, holds.inlineSeconds' }),
      expect.objectContaining({ what: 'stopped', because: 'asked' }),
    ])
    expect(await rowsOf('integrity')).toEqual([])
    await done()
  })
})

describe('the log as it is', () => {
  it('flags void commits and counts them nowhere else', async () => {
    const twice = access(W, 2, [intended('s', 1), settled('s', 1)])
    await given(
      access(W, 1, [opened('s', W)]),
      twice,
      twice,
      access(W, 2, [intended('s', 2), settled('s', 2)]),
      access(W, 4, [intended('s', 3), settled('s', 3)]),
      access(W, 3, [intended('s', 4), settled('s', 4)]),
    )
    expect((await rowsOf('events', 'offset, event_index')).map((row) => row['void'])).toEqual([
      false, // opened
      false, // the first of two
      false,
      true, // the second
      true,
      true, // another with its revision
      true,
      true, // one that skips a revision
      true,
      false, // the one that does not
      false,
    ])
    expect((await rowsOf('statements', 'sequence')).map(({ sequence }) => sequence)).toEqual([1, 4])
    expect(await rowsOf('touches')).toHaveLength(4)
    await done()
  })

  it('quarantines what nobody knows, byte for byte, and goes on', async () => {
    const garbage = Buffer.from([0xff, 0x00, 0xfe, 0x7b])
    const { topic, key, headers } = access(W, 1, [opened('s', W)])
    const newer = { type: 'statement.intended', version: 99, data: { text: 'from the future' } }
    const broken = { type: 'session.closed', version: 1, data: { sessionId: 'not one', secret: 'hunter2' } }
    await given(
      { topic, key, headers, value: garbage },
      { topic, key, headers: {}, value: new Uint8Array() },
      access(W, 1, [{ type: 'moon.landed', version: 1, data: { at: 'noon' } }, opened('s', W), newer, broken]),
      access(W, 2, [intended('s', 1), settled('s', 1)]),
      record(TOPICS.governance, 'policy', 1, [{ type: 'statement.intended', version: 1, data: {} }]),
    )
    const quarantined = await select(
      database,
      'SELECT topic, offset, event_index, type, version, because, hex(value) AS hex, bytes, digest FROM quarantine ORDER BY topic, offset, event_index',
    )
    expect(quarantined).toEqual([
      expect.objectContaining({ offset: 0, event_index: -1, type: '', hex: 'FF00FE7B', bytes: 4, because: 'not JSON' }),
      expect.objectContaining({ offset: 1, event_index: -1, hex: '', bytes: 0 }),
      expect.objectContaining({
        offset: 2,
        event_index: 0,
        type: 'moon.landed',
        because: 'no contract for moon.landed@1',
      }),
      expect.objectContaining({ offset: 2, event_index: 2, type: 'statement.intended', version: 99 }),
      expect.objectContaining({ offset: 2, event_index: 3, type: 'session.closed' }),
      expect.objectContaining({ topic: TOPICS.governance, offset: 0, event_index: 0, type: 'statement.intended' }),
    ])
    expect(JSON.stringify(quarantined.map(({ because }) => because))).not.toContain('hunter2')
    expect(quarantined[0]?.['digest']).toBe(digestOf(garbage))
    expect(await only('statements')).toMatchObject({ outcome: 'completed', principal_id: 'ana' })
    expect(
      await select(
        database,
        "SELECT DISTINCT offset, quarantined FROM events WHERE topic = 'cs.access.v1' ORDER BY ALL",
      ),
    ).toEqual([
      { offset: 0, quarantined: true },
      { offset: 1, quarantined: true },
      { offset: 2, quarantined: false },
      { offset: 2, quarantined: true },
      { offset: 3, quarantined: false },
    ])
    expect(projection.status.counted.quarantined).toBe(6)
    await done()
  })

  it('has every event with its data', async () => {
    const published = event('policy.published', { version: 'v', files: [], by: bo.id, at: at(0) })
    await given(record(TOPICS.governance, 'policy', 1, [published], at(77)))
    expect(await only('events')).toMatchObject({
      topic: TOPICS.governance,
      type: 'policy.published',
      version: 2,
      stream: 'policy',
      revision: 1,
      source: 'spec',
      time: '2026-11-22 10:00:00.077',
      data: JSON.stringify(published.data),
      void: false,
      quarantined: false,
    })
    await done()
  })
})

describe('statements_by_minute', () => {
  it('counts settled statements by the minute in which they started, and no more', async () => {
    await given(
      access(W, 1, [opened('s', W)]),
      access(W, 2, [intended('s', 1), settled('s', 1), intended('s', 2), settled('s', 2), intended('s', 3)]),
      access(W, 3, [intended('s', 61), settled('s', 61, { command: 'DELETE 12', rowsAffected: 12, rowsReturned: 0 })]),
    )
    const minutes = () => rowsOf('statements_by_minute', 'minute')
    await eventually(async () => expect(await minutes()).toHaveLength(2))
    expect(await minutes()).toEqual([
      expect.objectContaining({
        minute: '2026-11-22 10:00:00',
        environment: shop.environment,
        statements: 2,
        masked_statements: 2,
        returned_rows: 10,
        total_us: 4_800,
        total_us_max: 2_400,
        total_us_p50: 2_400,
      }),
      expect.objectContaining({ minute: '2026-11-22 10:01:00', db_operation_name: 'DELETE', rows_affected: 12 }),
    ])
    await append(access(W, 4, [settled('s', 3)]))
    await eventually(async () => expect((await minutes())[0]).toMatchObject({ statements: 3 }))
    await done()
  })
})

const digestOf = (bytes: Uint8Array) => digest(bytes as never)
