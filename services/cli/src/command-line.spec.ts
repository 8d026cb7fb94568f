import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startFakeApi } from './testing/fake-api.ts'
import { runCli } from './testing/run-cli.ts'

describe('the command line', () => {
  it('lists its commands', async () => {
    const { out, code } = await runCli(['--help'])
    for (const name of ['up', 'requests', 'sessions', 'tail', 'doctor'])
      expect(out).toMatch(new RegExp(`^  ${name} `, 'm'))
    expect(code).toBe(0)
    expect((await runCli([])).code).toBe(2)
  })

  it.each(['up', 'requests', 'sessions', 'tail', 'doctor'])(
    '%s has help, and refuses what it does not know',
    async (name) => {
      const help = await runCli([name, '--help'])
      expect(help.out).toContain(`countersign ${name}`)
      expect(help.out).toContain('--json')
      expect(help.code).toBe(0)
      const wrong = await runCli([name, '--no-such-option'])
      expect(wrong.err.split('\n')[0]).toBe("countersign: unknown option '--no-such-option'")
      expect(wrong.code).toBe(2)
    },
  )

  it.each([
    [['nothing'], 'there is no command `nothing`; see countersign --help'],
    [['constructor'], 'there is no command `constructor`; see countersign --help'],
    [['requests', 'frobnicate'], 'there is no `requests frobnicate`'],
    [['requests', 'show'], 'requests show needs the id of a request'],
    [['requests', 'show', 'a', 'b'], 'too much: `b`'],
    [['requests', 'ls', '--limit', '0'], '--limit must be a number from 1 to 500'],
    [['up', '--port-base', 'many'], '--port-base must be a number from 1024 to 65530'],
    [['up', '--log', 'paper'], '--log must be embedded or kafka, not `paper`'],
    [['up', '--log', 'kafka'], '--log kafka needs --kafka-brokers host:port,host:port'],
    [['up', '--log', 'kafka', '--kafka-brokers', 'nowhere'], '--log kafka needs --kafka-brokers host:port,host:port'],
    [['up', '--kafka-brokers', 'a:1'], '--kafka-brokers goes with --log kafka'],
    [['sessions'], 'say who you are: --as NAME, or COUNTERSIGN_API and COUNTERSIGN_TOKEN in the environment'],
  ])('%j is wrong usage', async (args, message) => {
    const { err, code } = await runCli(args)
    expect([code, err.split('\n')[0]]).toEqual([2, `countersign: ${message}`])
    expect(JSON.parse((await runCli([...args, '--json'])).err)).toEqual({ error: { code: 'CLI_USAGE', message } })
  })
})

describe('who one is', () => {
  let home: string
  beforeAll(() => {
    home = mkdtempSync(join(tmpdir(), 'countersign-as-'))
  })
  afterAll(() => rmSync(home, { recursive: true }))

  it('comes from ready.json of the home', async () => {
    const api = await startFakeApi(() => ({ body: { sessions: [] } }))
    writeFileSync(join(home, 'ready.json'), JSON.stringify(readyWith(api.origin)))
    const { out, code } = await runCli(['sessions', '--as', 'bo', '--home', home])
    expect([code, out]).toEqual([0, 'nobody is connected'])
    expect(api.calls[0]?.token).toBe('Bearer cs_bo')
    await api.close()
  })

  it('must be somebody that it knows', async () => {
    writeFileSync(join(home, 'ready.json'), JSON.stringify(readyWith('http://127.0.0.1:1')))
    const { err, code } = await runCli(['sessions', '--as', 'mallory', '--home', home])
    expect(err).toMatch(/knows nobody called `mallory`; it knows ana, bo$/)
    expect(code).toBe(1)
  })

  it('needs a system that runs', async () => {
    expect((await runCli(['sessions', '--as', 'bo'])).err).toBe(
      'countersign: /nowhere/.countersign/ready.json is not there: start with npm start, or name the right --home',
    )
    writeFileSync(join(home, 'ready.json'), '{"proxy":')
    expect((await runCli(['sessions', '--as', 'bo', '--home', home])).err).toMatch(/ready.json cannot be understood/)
  })
})

const readyWith = (api: string) => ({
  proxy: { host: '127.0.0.1', port: 1 },
  api,
  console: `${api}/console`,
  clickhouse: { url: api, user: 'sre', password: 'p', database: 'd' },
  upstream: 'postgresql://',
  processes: [],
  principals: ['ana', 'bo'].map((id) => ({ id, kind: 'person', groups: [], dsn: 'postgresql://', token: `cs_${id}` })),
})
