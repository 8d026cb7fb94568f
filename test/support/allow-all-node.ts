import { spawn } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { setTimeout as sleep } from 'node:timers/promises'
import { decodeCommit, TOPICS, writeDecisionEvent, type DecisionEvent } from '@countersign/contracts'
import { openEventLog } from '@countersign/eventlog'

/*
 * A node by itself, as its own program, with nothing of control beside it: what it obeys is written to its log first.
 */

export interface AllowAllNode {
  readonly port: number
  /** Of the one principal, who has the name of the role that it works as. */
  readonly token: string
  readonly pid: number
  /** Every event that is recorded by now, in order. */
  readonly recorded: () => Promise<readonly { readonly type: string; readonly data: unknown }[]>
  /** What the node has logged. */
  readonly said: () => string
  readonly stop: () => Promise<void>
}

export interface Behind {
  readonly port: number
  readonly database: string
  /** A superuser, for whom the server asks for no password. */
  readonly role: string
  /** Cedar policies in the place of `allow-all.cedar`. */
  readonly policy?: string
  /** Processes that serve clients; without, as many as the node thinks right. */
  readonly workers?: number
}

const MAIN = fileURLToPath(new URL('../../services/proxy/dist/main.js', import.meta.url))
const POLICY = readFileSync(new URL('./allow-all.cedar', import.meta.url), 'utf8')
const READY_TIMEOUT_MS = 60_000

export const startAllowAllNode = async (behind: Behind): Promise<AllowAllNode> => {
  const home = mkdtempSync(join(tmpdir(), 'allow-all-node-'))
  const token = randomBytes(24).toString('base64url')
  await decide(join(home, 'log'), behind, token)
  const [port, admin] = await freePorts(2)
  const config = join(home, 'countersign.yaml')
  writeFileSync(config, JSON.stringify(configOf(home, behind, port ?? 0, admin ?? 0)))
  const log = join(home, 'node.log')
  const out = openSync(log, 'a')
  const child = spawn(process.execPath, ['--liftoff-only', MAIN, '--config', config], { stdio: ['ignore', out, out] })
  const said = () => readFileSync(log, 'utf8')
  const atExit = () => child.kill('SIGKILL')
  process.once('exit', atExit)
  const stop = async () => {
    process.off('exit', atExit)
    if (child.exitCode === null && child.signalCode === null) {
      const ended = once(child, 'exit')
      child.kill('SIGTERM')
      await ended
    }
    rmSync(home, { recursive: true, force: true })
  }
  const deadline = Date.now() + READY_TIMEOUT_MS
  while (!(await isReady(admin ?? 0))) {
    if (child.exitCode === null && Date.now() < deadline) {
      await sleep(50)
      continue
    }
    const words = said()
    await stop()
    throw new Error(`the node did not start:\n${words}`)
  }
  return { port: port ?? 0, token, pid: child.pid ?? 0, recorded: () => recordedIn(join(home, 'log')), said, stop }
}

const recordedIn = async (directory: string) => {
  const log = await openEventLog({ kind: 'embedded', directory })
  const events: { readonly type: string; readonly data: unknown }[] = []
  const cursor: Record<number, number> = {}
  try {
    for (;;) {
      const records = await log.read(TOPICS.access, cursor, RECORDS_MAX)
      if (records.length === 0) return events
      for (const { partition, offset, value } of records) {
        cursor[partition] = offset + 1
        events.push(...decodeCommit(value).events)
      }
    }
  } finally {
    await log.close()
  }
}

const RECORDS_MAX = 10_000

const isReady = async (admin: number): Promise<boolean> => {
  const answer = await fetch(`http://127.0.0.1:${admin}/readyz`).catch(() => undefined)
  return answer?.ok ?? false
}

const configOf = (home: string, { port, database, role, workers }: Behind, listen: number, admin: number) => ({
  log: { kind: 'embedded', directory: join(home, 'log') },
  databases: [
    {
      name: database,
      environment: 'test',
      upstream: {
        host: '127.0.0.1',
        port,
        database,
        tls: 'disable',
        roles: { [role]: 'not asked for' },
        guard: { role, password: 'not asked for' },
      },
    },
  ],
  node: {
    listen: { host: '127.0.0.1', port: listen },
    admin: { host: '127.0.0.1', port: admin },
    state: join(home, 'state'),
    ...(workers !== undefined && { workers }),
  },
  // Parts of the file that are other services': a node reads past them.
  control: { listen: { port: 1 }, owners: 'DATAOWNERS', identities: 'identities.yaml' },
  audit: {
    listen: { port: 1 },
    clickhouse: { url: 'http://127.0.0.1:1', user: 'nobody', password: '', database: 'none' },
  },
})

/** What control would have decided: one policy, one person. */
const decide = async (directory: string, { role, policy = POLICY }: Behind, token: string): Promise<void> => {
  mkdirSync(directory, { recursive: true })
  const log = await openEventLog({ kind: 'embedded', directory })
  const at = new Date().toISOString()
  const files = [{ name: 'allow-all.cedar', text: policy }]
  const decisions = [
    ['policy', { type: 'policy.in-force', data: { version: 'allow-all', files, owners: '', at } }],
    [
      'credential',
      {
        type: 'credential.in-force',
        data: {
          credentialId: 'allow-all',
          principal: { id: role, kind: 'person', groups: [] },
          tokenDigest: createHash('sha256').update(token).digest('hex'),
          roles: { '*': role },
          expiresAt: '2999-01-01T00:00:00.000Z',
          revoked: false,
          at,
        },
      },
    ],
  ] as const
  for (const [stream, event] of decisions) {
    const commit = {
      stream,
      revision: 1,
      commitId: `0192f7a0-0000-7000-8000-${randomBytes(6).toString('hex')}`,
      events: [writeDecisionEvent(event as unknown as DecisionEvent)],
    }
    await log.append(TOPICS.decisions, { key: stream, headers: {}, value: Buffer.from(JSON.stringify(commit)) })
  }
  await log.close()
}

const freePorts = async (count: number): Promise<readonly number[]> => {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer().listen(0, '127.0.0.1')
      await once(server, 'listening')
      return server
    }),
  )
  const ports = servers.map((server) => (server.address() as AddressInfo).port)
  await Promise.all(
    servers.map(async (server) => {
      server.close()
      await once(server, 'close')
    }),
  )
  return ports
}
