import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import {
  Digest,
  Instant,
  SessionId,
  StatementId,
  TOPICS,
  writeAccessEvent,
  type AccessEvent,
} from '@countersign/contracts'
import { openEventLog, type EventLog } from '@countersign/eventlog'
import { compilePolicies } from '@countersign/policy'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { OpenSessions } from '../access/open-sessions.ts'
import { later } from '../clock.ts'
import { nodeOn, opened, PEOPLE, recordOf } from '../testing/running-control.ts'
import { cursorAt } from './cursor-at.ts'
import { WhatIf, type Changed } from './what-if.ts'

/*
 * Replaying a long record, on the embedded log. With WHATIF_STATEMENTS=1000000 it says what a million cost.
 */

const STATEMENTS = Number(process.env['WHATIF_STATEMENTS'] ?? 100_000)
const PER_RECORD = 50
const PER_SESSION = 500
const START = Instant.parse('2026-11-01T00:00:00.000Z')
const STEP_MS = 1_000

setFlagsFromString('--expose-gc')
const gc = runInNewContext('gc') as () => void

const timeOf = (n: number) => later(START, n * STEP_MS)

let folder: string
let log: EventLog

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'cs-whatif-'))
  log = await openEventLog({ kind: 'embedded', directory: join(folder, 'log') })
  await fill()
}, 600_000)

afterAll(async () => {
  await log?.close()
  rmSync(folder, { recursive: true })
})

/** One worker, session after session, in group commits. */
const fill = async () => {
  const { worker } = nodeOn(log, () => START)
  let session = SessionId.parse(randomUUID())
  let [revision, flying]: [number, Promise<unknown>[]] = [0, []]
  for (let n = 0; n < STATEMENTS; n += PER_RECORD) {
    const events: AccessEvent[] = []
    if (n % PER_SESSION === 0) {
      if (n > 0)
        events.push({
          type: 'session.closed',
          data: { sessionId: session, because: 'client-gone', statements: 0, at: timeOf(n) },
        })
      session = SessionId.parse(randomUUID())
      events.push(opened(session, worker, PEOPLE[(n / PER_SESSION) % PEOPLE.length]?.id ?? 'ana', timeOf(n)))
    }
    for (let k = n; k < n + PER_RECORD; k++) events.push(statement(session, k))
    revision += 1
    const record = recordOf(worker, revision, events.map(writeAccessEvent))
    flying.push(
      log.append(TOPICS.access, { ...record, headers: { ...record.headers, ce_time: timeOf(n + PER_RECORD) } }),
    )
    if (flying.length < 50) continue
    await Promise.all(flying)
    flying = []
  }
  await Promise.all(flying)
}

/** Every tenth deletes, from one of a hundred tables; every hundredth has no facts. */
const statement = (sessionId: SessionId, n: number): AccessEvent => {
  const resource = { kind: 'relation', schema: 'public', name: `t${n % 97}` }
  const deletes = n % 10 === 0
  return {
    type: 'statement.intended',
    data: {
      statementId: StatementId.parse(`${sessionId}.${n + 1}`),
      sessionId,
      sequence: n + 1,
      protocol: 'extended',
      text: `statement ${n} of some length, as statements have: select a, b, c from t where id = $1`,
      textBytes: 80,
      digest: Digest.parse('a'.repeat(64)),
      shape: Digest.parse('b'.repeat(64)),
      actions: [deletes ? 'delete' : 'read'],
      relations: [{ name: `public.t${n % 97}`, actions: [deletes ? 'delete' : 'read'] }],
      readOnly: !deletes,
      transaction: 'idle',
      verdict: 'allow',
      policies: ['all'],
      policyVersion: 'p1',
      catalogueVersion: 'c1',
      ...(n % 100 !== 99 && {
        facts: deletes
          ? { statement: 'DELETE', uses: [{ action: 'delete', ...resource, change: 'delete', rows: n % 7 }] }
          : { statement: 'SELECT', uses: [{ action: 'read', ...resource }] },
      }),
      at: timeOf(n),
    },
  }
}

const set = compilePolicies([
  {
    name: 'a.cedar',
    text: `@id("all") permit (principal, action, resource);
@id("hold-deletes") @effect("hold") @approvers("owners")
forbid (principal, action == Action::"delete", resource) when { context has rows && context.rows >= 3 };`,
  },
])

const heapNow = () => {
  gc()
  return process.memoryUsage().heapUsed
}

const expectedHolds = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, i) => from + i).filter((n) => n % 10 === 0 && n % 7 >= 3).length

describe('a long record', () => {
  it('is replayed in a constant amount of memory, and others get their turn meanwhile', async () => {
    let [changes, longestMs, last] = [0, 0, performance.now()]
    const heaps: number[] = []
    const ticks = setInterval(() => {
      longestMs = Math.max(longestMs, performance.now() - last)
      last = performance.now()
    }, 1)
    const changed = () => {
      changes += 1
      if (changes % Math.ceil(STATEMENTS / 90) === 0) heaps.push(heapNow())
    }
    const begun = performance.now()
    const cpu = process.cpuUsage()
    const summary = await new WhatIf(log, new OpenSessions()).run({
      set,
      since: START,
      until: timeOf(STATEMENTS),
      changed,
    })
    const { user, system } = process.cpuUsage(cpu)
    clearInterval(ticks)
    const holds = expectedHolds(0, STATEMENTS)
    expect(summary).toMatchObject({
      complete: true,
      statements: STATEMENTS,
      stricter: holds,
      looser: 0,
      untold: STATEMENTS / 100,
      policies: [{ policy: 'hold-deletes', stricter: holds }],
    })
    expect(changes).toBe(holds)
    const [first = 0, ...others] = heaps
    expect(others.length).toBeGreaterThan(3)
    const grownMb = (Math.max(...others) - first) / 1_048_576
    // To keep the statements themselves would be a kilobyte for each.
    expect(grownMb).toBeLessThan(25)
    process.stderr.write(
      `${STATEMENTS} statements: ${Math.round(performance.now() - begun)} ms, ` +
        `${((user + system) / STATEMENTS).toFixed(1)} µs of CPU each, heap +${grownMb.toFixed(1)} MB after the first tenth, ` +
        `longest turn ${Math.round(longestMs)} ms\n`,
    )
  }, 900_000)

  it('is looked for from where it matters, and ended where the time is up', async () => {
    const [from, to] = [STATEMENTS - 10_000, STATEMENTS - 5_000]
    const found: Changed[] = []
    const summary = await new WhatIf(log, new OpenSessions()).run({
      set,
      since: timeOf(from),
      until: timeOf(to),
      changed: (each) => void found.push(each),
    })
    expect(summary).toMatchObject({ complete: true, statements: 5_000, stricter: expectedHolds(from, to) })
    expect(found.every(({ statement: { at } }) => at >= timeOf(from) && at < timeOf(to))).toBe(true)
    const cursor = await cursorAt(log, TOPICS.access, timeOf(from))
    expect(cursor[0]).toBe(from / PER_RECORD - 1)
  })

  it('is left where one has seen enough, and the summary says how far it came', async () => {
    const enough = new AbortController()
    const summary = await new WhatIf(log, new OpenSessions()).run({
      set,
      since: START,
      until: timeOf(STATEMENTS),
      changed: () => enough.abort(),
      signal: enough.signal,
    })
    expect(summary.complete).toBe(false)
    expect(summary.statements).toBeLessThan(STATEMENTS)
    expect(summary.until < timeOf(STATEMENTS)).toBe(true)
  })

  it('is replayed for two at a time', async () => {
    const whatIf = new WhatIf(log, new OpenSessions())
    const stop = new AbortController()
    const run = () => whatIf.run({ set, since: START, until: timeOf(STATEMENTS), signal: stop.signal })
    const running = [run(), run()]
    await expect(run()).rejects.toMatchObject({ code: 'busy' })
    stop.abort()
    await Promise.all(running)
    expect((await run()).complete).toBe(false)
  })
})
