import { appendFileSync, copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Client, DatabaseError } from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { corpus, everyday } from '../corpus/corpus.ts'
import { Product } from '../support/product.ts'
import { until } from '../support/until.ts'

/*
 * One set of policies from the idea to the database: what it would have done, who has to sign for it, and what it
 * does then. A product of its own, because everybody else's statements depend on its policies.
 */

let product: Product
let folder: string

const SHIPPED = fileURLToPath(new URL('../../libs/policy/policies/', import.meta.url))

const HOLD_ORDERS = `@id("hold-order-changes")
@effect("hold")
@approvers("owners")
@because("orders are closed for the year")
forbid (principal, action == Action::"write", resource == Relation::"demo/shop.public.orders");
`

const UPDATE = "update orders set status = 'shipped' where id = 7"
const asEtl = () => product.psql('etl', '-v', 'VERBOSITY=verbose', '-c', UPDATE)

/** Whatever becomes of them: refused, held or run. What waits for input of the client is left out. */
const sendCorpus = async (as: string) => {
  const texts = [...corpus.map(({ sql }) => sql), ...everyday].filter((sql) => !/stdin/i.test(sql))
  let client: Client | undefined
  for (const sql of texts) {
    client ??= await connected(as)
    const broken = await client.query(sql).then(
      () => false,
      (error: unknown) => !(error instanceof DatabaseError) || error.severity === 'FATAL',
    )
    if (broken) client = void client.end().catch(() => {})
    else await client.query('rollback')
  }
  await client?.end()
}

const connected = async (as: string): Promise<Client> => {
  const client = new Client({ connectionString: product.dsn(as, { sslmode: 'no-verify' }), query_timeout: 5_000 })
  client.on('error', () => {})
  await client.connect()
  return client
}

beforeAll(async () => {
  product = await Product.start()
  folder = mkdtempSync(join(tmpdir(), 'countersign-policies-'))
  for (const name of readdirSync(SHIPPED)) copyFileSync(join(SHIPPED, name), join(folder, name))
  writeFileSync(join(folder, '50-orders.cedar'), HOLD_ORDERS)
})

afterAll(async () => {
  await product?.dispose()
  rmSync(folder, { recursive: true, force: true })
})

describe('the policies in force', () => {
  it('would have said of the record what they said: nothing that they rested on is missing in it', async () => {
    await sendCorpus('etl')
    const { stdout } = await product.cli('whatif', SHIPPED, '--since', '1h', '--as', 'eve', '--json')
    const lines = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>)
    expect(lines).toMatchObject([{ type: 'summary', complete: true, stricter: 0, looser: 0, untold: 0 }])
    expect(lines[0]?.['statements']).toBeGreaterThan(200)
  })
})

describe('a stricter policy', () => {
  let requestId: string

  it('is checked and compared before anybody is asked', async () => {
    expect((await product.cli('policy', 'check', folder)).status).toBe(0)
    const { status, stdout } = await product.cli('policy', 'diff', folder, '--as', 'dee', '--exit-status')
    expect([status, stdout]).toEqual([1, expect.stringContaining('+ hold-order-changes  (50-orders.cedar)')])
    expect((await product.cli('policy', 'diff', folder, '--as', 'ana')).status).toBe(4)
  })

  it('tells from the record what it would have held', async () => {
    expect((await asEtl()).stdout).toBe('UPDATE 1\n')
    const { stdout, status } = await product.cli('whatif', folder, '--since', '1h', '--as', 'eve')
    expect(status).toBe(0)
    expect(stdout).toMatch(
      /^stricter .* etl {2}demo\/shop {2}allow → hold {2}hold-order-changes {2}update orders set status/m,
    )
    expect(stdout).toMatch(/^\d+ stricter, 0 looser, .* 0 cannot be told/m)
    expect(stdout).toMatch(/hold-order-changes: \d+ stricter/)
    expect((await product.cli('whatif', folder, '--as', 'ana')).status).toBe(4)
  })

  it('is proposed by ana, who cannot sign for it herself', async () => {
    const proposed = await product.cli('policy', 'publish', folder, '--reason', 'year end', '--as', 'ana')
    expect(proposed.stderr).toBe('')
    requestId = /^(rq_\w+) waits to be signed/m.exec(proposed.stdout)?.[1] ?? ''
    expect(proposed.stdout).toMatch(/^what if +\d+ stricter, 0 looser/m)
    const own = await product.cli('requests', 'approve', requestId, '--as', 'ana')
    expect([own.status, own.stderr]).toEqual([4, expect.stringContaining('nobody signs for their own request')])
    const stranger = await product.cli('requests', 'approve', requestId, '--as', 'bo')
    expect([stranger.status, stranger.stderr]).toEqual([4, expect.stringContaining('none of the groups')])
    expect((await asEtl()).stdout).toBe('UPDATE 1\n')
  })

  it('holds the statement as soon as cy has signed', async () => {
    const { stdout } = await product.cli('requests', 'approve', requestId, '--as', 'cy')
    expect(stdout).toContain('+ hold-order-changes  (50-orders.cedar)')
    expect(stdout).toContain('granted: the policies are in force')
    const held = await until(async () => {
      const { stderr } = await asEtl()
      return stderr.includes('ZA001') ? stderr : undefined
    })
    expect(held).toContain('orders are closed for the year')
    expect((await product.cli('policy', 'diff', folder, '--as', 'cy')).stdout).toContain('they are the same')
  })

  it('stays in force when control starts again, whatever is written into its files', async () => {
    appendFileSync(join(product.home, 'DATAOWNERS'), 'demo/shop.public.orders @developers\n')
    const pid = product.pid('control')
    process.kill(pid, 'SIGKILL')
    await until(() => (product.pid('control') === pid ? undefined : true))
    const owners = await until(async () => {
      const answer = await product.api<{ text: string }>('ana', 'owners').catch(() => undefined)
      return answer?.status === 200 ? answer.body.text : undefined
    })
    expect(owners).not.toContain('@developers')
    expect((await asEtl()).stderr).toContain('ZA001')
    const said = readFileSync(join(product.home, 'logs', 'control.log'), 'utf8')
    expect(said).toContain('the files have no effect')
  })

  it('is on record with who proposed it and who signed', async () => {
    const rows = await until(async () => {
      const found = await product.clickhouse(
        `select kind, phase, principal_id, people_for, reason from approvals where request_id = '${requestId}'`,
      )
      return found.some((row) => row['phase'] === 'claimed') ? found : undefined
    })
    expect(rows).toEqual([
      { kind: 'policy', phase: 'claimed', principal_id: 'ana', people_for: ['cy'], reason: 'year end' },
    ])
  })
})
