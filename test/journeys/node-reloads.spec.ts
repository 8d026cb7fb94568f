import { X509Certificate } from 'node:crypto'
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TLSSocket } from 'node:tls'
import { ensureSelfSigned } from '@countersign/platform'
import { Client } from 'pg'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { accessEvents, ofType } from '../support/access-events.ts'
import { failureOf, ownClient, type Own, type OwnOptions } from '../support/own-client.ts'
import { Product } from '../support/product.ts'
import { until } from '../support/until.ts'

let product: Product
let config: string
const opened: Own[] = []

interface Line {
  readonly level: string
  readonly message: string
  readonly error?: string
  readonly code?: string
  readonly changed?: string
  readonly fixed?: string
}

/** One worker in the node's own process, or two in processes of theirs: it must make no difference. */
describe.each([1, 2])('a node of %i reads its configuration again', (workers) => {
  beforeAll(async () => {
    product = await Product.start([], { env: { COUNTERSIGN_NODE_WORKERS: `${workers}` } })
    config = readFileSync(file(), 'utf8')
  })
  afterEach(async () => {
    for (const { client } of opened.splice(0)) await client.end().catch(() => {})
  })
  afterAll(() => product.dispose())

  it('and lets clients into a database that is new, in every worker, while sessions go on', async () => {
    const before = await Promise.all(Array.from({ length: workers }, () => open()))
    expect(await failureOf(open({ database: 'shop_too' }))).toMatchObject({ code: '3D000' })
    const [, entry = ''] = /^databases:\n((?: .*\n)+)/m.exec(config) ?? []
    const told = await reload(config.replace(entry, entry + entry.replace('name: "shop"', 'name: "shop_too"')))
    expect(told).toMatchObject({ level: 'info', changed: 'databases.demo/shop_too' })
    const news = await Promise.all(Array.from({ length: workers * 2 }, () => open({ database: 'shop_too' })))
    for (const { client } of [...before, ...news]) {
      expect((await client.query('select count(*)::int as n from customers')).rows[0]).toMatchObject({ n: 2_400 })
    }
    const events = await accessEvents(product)
    expect(ofType(events, 'node.reloaded').map(({ changed }) => changed)).toEqual(
      Array.from({ length: workers }, () => ['databases.demo/shop_too']),
    )

    expect(await reload(config)).toMatchObject({ level: 'info', changed: 'databases.demo/shop_too' })
    expect(await failureOf(open({ database: 'shop_too' }))).toMatchObject({ code: '3D000' })
    for (const { client } of news) expect((await client.query('select 1 as one')).rows).toEqual([{ one: 1 }])
  })

  it('and logs in with a password that is new, while sessions go on', async () => {
    const before = await open()
    const [, password = ''] = /shop_app: "([^"]+)"/.exec(config) ?? []
    await setPassword('changed on the way')
    try {
      expect(await failureOf(open())).toMatchObject({ code: '08004' })
      const told = await reload(config.replace(`shop_app: "${password}"`, 'shop_app: "changed on the way"'))
      expect(told).toMatchObject({ level: 'info', changed: 'databases.demo/shop.upstream.roles.shop_app' })
      expect(JSON.stringify(told)).not.toContain('on the way')
      for (let each = 0; each < workers; each++) {
        expect((await (await open()).client.query('select 1 as one')).rows).toEqual([{ one: 1 }])
      }
      expect((await before.client.query('select 1 as one')).rows).toEqual([{ one: 1 }])
    } finally {
      await setPassword(password, 'changed on the way')
      await reload(config)
    }
  })

  it('and shows a certificate that is new, under the same name, while sessions go on', async () => {
    const before = await open({ tls: true })
    const kept = { certificate: at('tls', 'node.crt'), key: at('tls', 'node.key') }
    const folder = mkdtempSync(join(tmpdir(), 'countersign-tls-'))
    const other = { certificate: join(folder, 'node.crt'), key: join(folder, 'node.key') }
    const old = { certificate: readFileSync(kept.certificate), key: readFileSync(kept.key) }
    await ensureSelfSigned(other, new Date())
    try {
      // A key that does not belong to the certificate, as in the middle of a renewal.
      copyFileSync(other.key, kept.key)
      expect(await reload(config)).toMatchObject({ level: 'error', message: REFUSED })
      expect(shownBy(await open({ tls: true }))).toBe(printOf(old.certificate))

      copyFileSync(other.certificate, kept.certificate)
      expect(await reload(config)).toMatchObject({ level: 'info', message: 'the configuration was reloaded' })
      for (let each = 0; each < workers; each++) {
        const own = await open({ tls: true })
        expect(shownBy(own)).toBe(printOf(readFileSync(other.certificate)))
      }
      expect((await before.client.query('select 1 as one')).rows).toEqual([{ one: 1 }])
    } finally {
      writeFileSync(kept.certificate, old.certificate)
      writeFileSync(kept.key, old.key)
      await reload(config)
      rmSync(folder, { recursive: true })
    }
  })

  it('and keeps to limits that are new', async () => {
    const limited = config.replace(/^node:\n/m, 'node:\n  limits: { statementBytesMax: 100 }\n')
    const before = await open()
    expect(await reload(limited)).toMatchObject({ level: 'info', changed: 'node.limits.statementBytesMax' })
    const long = `select 1 as one /* ${'x'.repeat(200)} */`
    expect(await failureOf((await open()).client.query(long))).toMatchObject({ code: '54000' })
    expect((await before.client.query(long)).rows).toEqual([{ one: 1 }])
    await reload(config)
    expect((await (await open()).client.query(long)).rows).toEqual([{ one: 1 }])
  })

  it('and counts the connections of one principal over all of its workers', async () => {
    const limited = config.replace(/^node:\n/m, 'node:\n  limits: { connectionsPerPrincipalMax: 3 }\n')
    await reload(limited)
    for (let each = 0; each < 3; each++) await open()
    for (let each = 0; each < workers; each++) expect(await failureOf(open())).toMatchObject({ code: '53300' })
    await opened[0]?.client.end()
    await until(() => open().catch(() => undefined))
    expect(await failureOf(open())).toMatchObject({ code: '53300' })
    await reload(config)
    await open()
  })

  it('and stays as it was when something can only be changed by a restart, which it names', async () => {
    const moved = config
      .replace(/( {2}listen: \{ host: [\d.]+, port: )(\d+)/, '$116432')
      .replace('  name: node-1', '  name: node-2')
      .replace('shop_agent: "', 'shop_agent: "x')
    const before = ofType(await accessEvents(product), 'node.reloaded').length
    expect(await reload(moved)).toMatchObject({
      level: 'error',
      message: REFUSED,
      code: 'CONFIG_FIXED',
      fixed: 'node.listen.port, node.name',
    })
    expect((await product.psql('copilot', '-c', 'select 1')).status).toBe(0)
    expect(ofType(await accessEvents(product), 'node.reloaded')).toHaveLength(before)
    await reload(config)
  })

  it.each([
    ['is no YAML', (text: string) => text.replace('databases:', 'databases: [')],
    ['has a value that nobody knows', (text: string) => text.replace('node:\n', 'node:\n  nmae: node-1\n')],
    ['has a value that is wrong', (text: string) => text.replace('tls: disable', 'tls: perhaps')],
    ['names a certificate that is not there', (text: string) => text.replace('node.crt', 'no-such.crt')],
    ['is empty', () => ''],
  ])('and stays as it was when the file %s', async (what, broken) => {
    const told = await reload(broken(config))
    expect(told).toMatchObject({ level: 'error', message: REFUSED })
    if (!what.includes('certificate')) expect(told.error).toMatch(/countersign\.yaml:\d+: /)
    for (const secret of secrets()) expect(JSON.stringify(told)).not.toContain(secret)
    expect((await (await open()).client.query('select 1 as one')).rows).toEqual([{ one: 1 }])
    await reload(config)
  })

  it('and a worker that is started later goes by what is in force, not by a file that is broken', async () => {
    if (workers === 1) return expect(product.ready.processes.map(({ name }) => name)).not.toContain('proxy/w0')
    writeFileSync(file(), 'nonsense')
    const former = product.pid('proxy/w0')
    process.kill(former, 'SIGKILL')
    await until(() => (product.pid('proxy/w0') === former ? undefined : true))
    for (let each = 0; each < workers * 2; each++) {
      expect((await (await open()).client.query('select 1 as one')).rows).toEqual([{ one: 1 }])
    }
    return reload(config)
  })
})

const REFUSED = 'the configuration was not reloaded: the one before stays in force'

const at = (...path: readonly string[]): string => join(product.home, ...path)
const file = () => at('countersign.yaml')

const open = async (more: OwnOptions = {}): Promise<Own> => {
  const own = await ownClient(product, 'etl', more)
  opened.push(own)
  return own
}

/** Writes the file, tells the node, and returns the one line with which it answers. */
const reload = async (text: string): Promise<Line> => {
  const before = lines().length
  writeFileSync(file(), text)
  process.kill(product.pid('proxy'), 'SIGHUP')
  return until(
    () =>
      lines()
        .slice(before)
        .find(({ message }) => message.startsWith('the configuration was ')),
    20_000,
  )
}

const lines = (): readonly Line[] =>
  readFileSync(at('logs', 'proxy.log'), 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Line)

const secrets = (): readonly string[] =>
  [...config.matchAll(/(?:password|shop_\w+): "([^"]{8,})"/g)].map(([, secret = '']) => secret)

/** As the role itself, which may. */
const setPassword = async (password: string, now?: string): Promise<void> => {
  const url = new URL(product.ready.upstream)
  if (now !== undefined) url.password = encodeURIComponent(now)
  const client = new Client(url.href)
  await client.connect()
  await client.query(`alter role shop_app password '${password}'`)
  await client.end()
}

const shownBy = ({ client }: Own): string => {
  const { stream } = (client as unknown as { connection: { stream: TLSSocket } }).connection
  return stream.getPeerX509Certificate()?.fingerprint256 ?? 'none'
}

const printOf = (certificate: Buffer): string => new X509Certificate(certificate).fingerprint256
