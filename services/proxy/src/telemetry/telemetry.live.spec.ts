import { createServer, type Server } from 'node:http'
import { memoryLog } from '@countersign/testing'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { installed, startPostgres, type Postgres } from '../../../../test/corpus/postgres.ts'
import { readScrape } from '../../../../test/support/prometheus.ts'
import { mergeHealth, type NodeHealth } from '../health.ts'
import { NodeWorld } from '../postgres/testing/node-world.ts'
import { noStages, type Execution } from '../statement/execution.ts'
import { metricsTextOf } from './node-metrics.ts'
import { openTracer } from './open-tracer.ts'
import { parseTraceParent } from './traceparent.ts'

/*
 * What operators see of a node: scraped as Prometheus does, and traced to a receiver that speaks OTLP over HTTP.
 */

const [binaries] = installed()

interface OtlpSpan {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly name: string
  readonly kind: number
  readonly startTimeUnixNano: string
  readonly endTimeUnixNano: string
  readonly attributes: readonly { readonly key: string; readonly value: Readonly<Record<string, unknown>> }[]
  readonly status: { readonly code?: number }
}

interface OtlpTraces {
  readonly resourceSpans: readonly { readonly scopeSpans: readonly { readonly spans: readonly OtlpSpan[] }[] }[]
}

/** Takes spans, as OTLP's JSON. */
class Collector {
  readonly bodies: string[] = []
  readonly #server: Server

  private constructor(server: Server) {
    this.#server = server
  }

  static async start(): Promise<Collector> {
    const server = createServer((request, response) => {
      const chunks: Buffer[] = []
      request.on('data', (chunk: Buffer) => chunks.push(chunk))
      request.on('end', () => {
        collector.bodies.push(Buffer.concat(chunks).toString('utf8'))
        response.writeHead(200, { 'content-type': 'application/json' }).end('{}')
      })
    })
    const collector = new Collector(server)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return collector
  }

  get url(): string {
    const address = this.#server.address()
    if (typeof address !== 'object' || !address) throw new Error('it does not listen')
    return `http://127.0.0.1:${address.port}/v1/traces`
  }

  spansOf(traceId: string): readonly OtlpSpan[] {
    return this.bodies
      .flatMap((body) => (JSON.parse(body) as OtlpTraces).resourceSpans)
      .flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans))
      .filter((span) => span.traceId === traceId)
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }
}

describe('a node that is watched', () => {
  let server: Postgres
  let world: NodeWorld
  let collector: Collector

  beforeAll(async () => {
    if (!binaries) throw new Error('no PostgreSQL')
    server = await startPostgres(binaries)
    const admin = await server.connect('postgres')
    await admin.query('create role app login; create role guard login; grant pg_read_all_data to guard')
    await admin.query('create database shop')
    await admin.end()
    const shop = await server.connect('shop')
    await shop.query('create table notes (id int primary key, email text); grant all on notes to app')
    await shop.query("insert into notes select g, 'someone' || g || '@example.org' from generate_series(1, 50) g")
    await shop.end()
    collector = await Collector.start()
    world = await NodeWorld.start(memoryLog(), {
      databases: [database('shop', server.port), database('gone', 1)],
      telemetry: { otlp: { url: collector.url, sampleRatio: 0 } },
      policy: POLICY,
    })
    await world.knows('ana', { '*': 'app' })
  })
  afterAll(async () => {
    await world?.stop()
    await collector?.stop()
    await server?.stop()
  })

  const scrape = async () => {
    const { type, text } = await world.admin('/metrics')
    expect(type).toBe('text/plain; version=0.0.4; charset=utf-8')
    return readScrape(text)
  }
  const valueOf = async (name: string, labels: Readonly<Record<string, string>>): Promise<number> =>
    valueIn((await scrape()).get(`countersign_node_${name}`)?.samples ?? [], labels)

  it('is ready, and says that it is degraded, while one of its databases is gone', async () => {
    expect(await world.health()).toMatchObject({
      code: 200,
      ready: true,
      status: 'degraded',
      reasons: ['prod/gone: 127.0.0.1:1: connection refused'],
      databases: [
        { name: 'prod/shop', ok: true },
        { name: 'prod/gone', ok: false, servers: [{ server: '127.0.0.1:1', ok: false, reason: 'connection refused' }] },
      ],
    })
    await expect(world.connect('ana', { database: 'gone' })).rejects.toMatchObject({
      code: '08001',
      message: 'the database behind this node cannot be reached: 127.0.0.1:1: connection refused',
    })
  })

  it('counts statements by verdict and kind, refusals, failures, rows and logins', async () => {
    const before = {
      logins: await valueOf('logins_total', { result: 'ok' }),
      reads: await valueOf('statements_total', { database: 'prod/shop', kind: 'read' }),
    }
    const client = await world.connect('ana')
    await client.query('select id from notes order by id')
    await client.query('select email from notes where id < $1', [11])
    await client.query('insert into notes values (100, null)')
    for (const bad of ['insert into notes values (100, null)', 'truncate notes', 'selec', RAISE]) {
      await client.query(bad).catch(() => {})
    }
    await expect(world.connect('ana', { password: 'wrong' })).rejects.toMatchObject({ code: '28P01' })

    expect(await valueOf('sessions', { database: 'prod/shop' })).toBe(1)
    await client.end()
    const db = { database: 'prod/shop' }
    expect(await valueOf('statements_total', { ...db, kind: 'read' })).toBe(before.reads + 2)
    expect(await valueOf('statements_total', { ...db, verdict: 'allow', kind: 'write' })).toBe(2)
    expect(await valueOf('statements_total', { ...db, verdict: 'deny', kind: 'truncate' })).toBe(1)
    expect(await valueOf('statements_refused_total', { ...db, sqlstate: '42501' })).toBe(1)
    expect(await valueOf('statements_refused_total', { ...db, sqlstate: '42601' })).toBe(1)
    expect(await valueOf('statements_failed_total', { ...db, class: '23' })).toBe(1)
    expect(await valueOf('statements_failed_total', { ...db, class: 'other' })).toBe(1)
    expect(await valueOf('rows_total', { ...db, masked: 'true' })).toBe(10)
    expect(await valueOf('logins_total', { result: 'ok' })).toBe(before.logins + 1)
    expect(await valueOf('logins_total', { result: 'wrong-token' })).toBe(1)
    expect(await valueOf('logins_total', { result: 'upstream-unavailable' })).toBe(1)
    await expect.poll(() => valueOf('sessions_closed_total', { because: 'client-terminated' })).toBeGreaterThan(0)
  })

  it('measures stages, commits and logins to the server', async () => {
    const families = await scrape()
    for (const stage of ['understand', 'decide', 'record', 'first_byte', 'database', 'total']) {
      const stages = families.get('countersign_node_stage_seconds')?.samples ?? []
      const count = valueIn(
        stages.filter(({ name }) => name.endsWith('_count')),
        { stage },
      )
      const sum = valueIn(
        stages.filter(({ name }) => name.endsWith('_sum')),
        { stage },
      )
      expect([stage, count > 0, sum > 0 && sum < 60 * count]).toEqual([stage, true, true])
    }
    for (const name of ['log_commit_seconds', 'log_batch_events', 'upstream_connect_seconds']) {
      const samples = families.get(`countersign_node_${name}`)?.samples ?? []
      expect([
        name,
        valueIn(
          samples.filter((each) => each.name.endsWith('_count')),
          {},
        ) > 0,
      ]).toEqual([name, true])
    }
    expect(await valueOf('log_available', {})).toBe(1)
    expect(await valueOf('memory_bytes', { kind: 'resident' })).toBeGreaterThan(1e7)
    expect(await valueOf('understanding_total', { database: 'prod/shop', result: 'anew' })).toBeGreaterThan(0)
  })

  it('has no label that a client can choose', async () => {
    const client = await world.connect('ana', { application_name: 'chosen_by_client' })
    for (let at = 0; at < 20; at++) {
      await client.query(`select ${at} as chosen_by_client_${at}`)
      await client.query(`do $$ begin raise exception using errcode = 'Q${1000 + at}'; end $$`).catch(() => {})
    }
    await client.end()
    await expect(world.connect('nobody_else', { database: 'chosen_before' })).rejects.toThrow()
    const before = seriesIn(await scrape())
    const again = await world.connect('ana')
    await again.query(`do $$ begin raise exception using errcode = 'R9999'; end $$`).catch(() => {})
    await again.query('select 1 as other_choice')
    await again.end()
    await expect(world.connect('nobody_known', { database: 'chosen_by_client' })).rejects.toThrow()
    const { text } = await world.admin('/metrics')
    expect(seriesIn(readScrape(text))).toBe(before)
    expect(text).not.toMatch(/chosen_by_client|nobody_known|ana\b|Q10/)
  })

  it('hands over what it has counted, so that whoever supervises several can add it up', async () => {
    const one = world.node.metrics()
    const two = structuredClone(one)
    const families = readScrape(await metricsTextOf([one, two]))
    const single = readScrape(await metricsTextOf([one]))
    const counted = (scraped: typeof families, name: string, labels = {}) =>
      valueIn(scraped.get(`countersign_node_${name}`)?.samples ?? [], labels)
    expect(counted(families, 'statements_total')).toBe(2 * counted(single, 'statements_total'))
    expect(counted(families, 'log_available')).toBe(1)
    const health = world.node.health()
    const broken = { ...health, ready: false, status: 'not ready' as const, reasons: ['the event log is gone'] }
    const merged = (...all: readonly NodeHealth[]) => mergeHealth(new Map(all.map((each, at) => [`w${at}`, each])))
    expect(merged(health, broken)).toMatchObject({ ready: true, status: 'degraded' })
    expect(merged(health, health)).toEqual(health)
  })

  // -- traces ---------------------------------------------------------------------------------------------------------

  it('makes one trace of a statement whose client is traced, with a span for each stage, and writes it down', async () => {
    const trace = newTrace()
    const sql = `select email from notes where id = 7 and email <> 'a secret' /*traceparent='${trace.parent}'*/`
    await world.query('ana', sql)
    const spans = await expect
      .poll(() => collector.spansOf(trace.id).length, { timeout: 10_000 })
      .toBeGreaterThan(0)
      .then(() => collector.spansOf(trace.id))
    const [root] = spans.filter(({ parentSpanId }) => parentSpanId === trace.span)
    expect(root).toMatchObject({ name: 'SELECT shop', kind: 2 })
    expect(attributesOf(root)).toMatchObject({
      'db.system.name': 'postgresql',
      'db.namespace': 'shop',
      'deployment.environment.name': 'prod',
      'countersign.verdict': 'mask',
      'countersign.outcome': 'completed',
    })
    const below = spans.filter(({ parentSpanId }) => parentSpanId === root?.spanId)
    expect(below.map(({ name }) => name).toSorted()).toEqual(['decide', 'execute', 'record', 'understand'])
    for (const { startTimeUnixNano, endTimeUnixNano } of below) {
      expect(BigInt(startTimeUnixNano)).toBeGreaterThanOrEqual(BigInt(root?.startTimeUnixNano ?? 0) - 1_000_000n)
      expect(BigInt(endTimeUnixNano)).toBeLessThanOrEqual(BigInt(root?.endTimeUnixNano ?? 0) + 1_000_000n)
    }
    for (const body of collector.bodies) expect(body).not.toMatch(/secret|example\.org|\bana\b|notes where/)
    const intended = await world.events('statement.intended')
    expect(intended.at(-1)?.traceparent).toBe(trace.parent)
  })

  it('traces what is prepared, what is refused, and each command of a text', async () => {
    const [prepared, refused, several] = [newTrace(), newTrace(), newTrace()]
    const client = await world.connect('ana')
    await client.query(`select id from notes where id = $1 /*traceparent='${prepared.parent}'*/`, [3])
    await client.query(`/*traceparent='${refused.parent}'*/ truncate notes`).catch(() => {})
    await client.query(`select 1; select 2 /*traceparent='${several.parent}'*/`)
    await client.end()
    await expect.poll(() => collector.spansOf(several.id).length, { timeout: 10_000 }).toBeGreaterThan(0)
    const outcomes = (id: string, parent: string) =>
      collector
        .spansOf(id)
        .filter(({ parentSpanId }) => parentSpanId === parent)
        .map((span) => attributesOf(span)['countersign.outcome'])
    expect(outcomes(prepared.id, prepared.span)).toEqual(['completed'])
    expect(outcomes(refused.id, refused.span)).toEqual(['refused'])
    expect(outcomes(several.id, several.span)).toEqual(['completed', 'completed'])
  })

  it('makes none where the client says that its trace is not sampled, or says nothing that can be read', async () => {
    const [not, last] = [newTrace(), newTrace()]
    const begun = collector.bodies.length
    const client = await world.connect('ana')
    await client.query(`select 1 /*traceparent='${not.parent.replace(/01$/, '00')}'*/`)
    await client.query(`select 1 /*traceparent='00-xyz-01'*/`)
    await client.query('select 1')
    await client.query(`select 1 /*traceparent='${last.parent}'*/`)
    await client.end()
    await expect.poll(() => collector.spansOf(last.id).length, { timeout: 10_000 }).toBeGreaterThan(0)
    const spans = collector.bodies.slice(begun).flatMap((body) => body.match(/"traceId":"[0-9a-f]{32}"/g) ?? [])
    expect(new Set(spans)).toEqual(new Set([`"traceId":"${last.id}"`]))
  })

  it("sends them where OpenTelemetry's own variables say, and makes none where nothing says so", async () => {
    const about = { node: 'node-1', version: '1', system: 'postgresql', logger: SILENT }
    expect(await openTracer({}, about, {})).toBeUndefined()
    const trace = newTrace()
    vi.stubEnv('OTEL_EXPORTER_OTLP_ENDPOINT', collector.url.replace('/v1/traces', ''))
    const tracer = await openTracer({}, about)
    vi.unstubAllEnvs()
    const traceParent = parseTraceParent(trace.parent)
    const judgement = { tag: 'SELECT', verdict: 'allow', actions: ['read'], shape: 'x' }
    const execution = { judgement, stages: noStages(), received: 1, forwarded: 0, traceParent } as unknown as Execution
    tracer?.settled(execution, 'refused', '42501', 2, { environment: 'prod', database: 'shop' })
    await tracer?.close()
    expect(collector.spansOf(trace.id).map(({ name }) => name)).toEqual(['SELECT shop'])
  })

  it('goes on as before when the receiver is gone', async () => {
    await collector.stop()
    const client = await world.connect('ana')
    const { rows } = await client.query<{ n: number }>(`select 1 as n /*traceparent='${newTrace().parent}'*/`)
    expect(rows).toEqual([{ n: 1 }])
    for (let at = 0; at < 50; at++) await client.query(`select 1 /*traceparent='${newTrace().parent}'*/`)
    await client.end()
    expect((await world.health()).code).toBe(200)
  })
})

const SILENT = { info: () => {}, warn: () => {}, error: () => {} }

const valueIn = (
  samples: readonly { readonly labels: Readonly<Record<string, string>>; readonly value: number }[],
  labels: Readonly<Record<string, string>>,
): number =>
  samples
    .filter((sample) => Object.entries(labels).every(([key, value]) => sample.labels[key] === value))
    .reduce((sum, { value }) => sum + value, 0)

const seriesIn = (families: ReturnType<typeof readScrape>): number =>
  [...families.values()].reduce((sum, { samples }) => sum + samples.length, 0)

const attributesOf = (span: OtlpSpan | undefined): Readonly<Record<string, unknown>> =>
  Object.fromEntries((span?.attributes ?? []).map(({ key, value }) => [key, Object.values(value)[0]]))

let traces = 0
const newTrace = () => {
  const id = (++traces).toString(16).padStart(32, 'a')
  const span = traces.toString(16).padStart(16, 'b')
  return { id, span, parent: `00-${id}-${span}-01` }
}

const RAISE = `do $$ begin raise exception using errcode = 'Q0001'; end $$`

const database = (name: string, port: number) => ({
  name,
  environment: 'prod',
  upstream: {
    host: '127.0.0.1',
    port,
    database: name,
    tls: 'disable',
    roles: { app: 'p' },
    guard: { role: 'guard', password: 'p' },
  },
})

const POLICY = `
@id("all") permit (principal, action, resource);
@id("kept") forbid (principal, action == Action::"truncate", resource);
@id("email") @mask("partial") forbid (principal, action == Action::"unmask", resource)
  when { resource.class == "email" };
`
