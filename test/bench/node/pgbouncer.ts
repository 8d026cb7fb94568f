import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, chownSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePorts } from '@countersign/testing'
import { until } from '../../support/until.ts'
import { run } from '../../support/run.ts'

export interface PgBouncer {
  readonly dsn: string
  readonly pid: number
  stop(): Promise<void>
}

/** PgBouncer in session mode in front of one database: what people put there today, and it does far less. */
export const startPgBouncer = async (upstream: URL): Promise<PgBouncer> => {
  const [port = 0] = await freePorts(1)
  const home = mkdtempSync(join(tmpdir(), 'countersign-pgbouncer-'))
  const user = decodeURIComponent(upstream.username)
  const password = decodeURIComponent(upstream.password)
  const config = join(home, 'pgbouncer.ini')
  const users = join(home, 'users.txt')
  writeFileSync(users, `"${user}" "${password}"\n`)
  writeFileSync(
    config,
    `[databases]
* = host=${upstream.hostname} port=${upstream.port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = ${users}
pool_mode = session
max_client_conn = 200
default_pool_size = 100
ignore_startup_parameters = extra_float_digits
log_connections = 0
log_disconnections = 0
`,
  )
  const account = unprivileged()
  for (const file of [home, config, users]) if (account) chownSync(file, account.uid, account.gid)
  chmodSync(home, 0o700)
  const child = spawn('pgbouncer', ['-q', config], { ...account, stdio: 'ignore' })
  const failed = once(child, 'error').then(([error]) => {
    throw new Error(`pgbouncer could not be run (apt-get install pgbouncer): ${(error as Error).message}`)
  })
  const dsn = new URL(upstream)
  dsn.port = String(port)
  dsn.hostname = '127.0.0.1'
  const answers = until(async () =>
    (await run('psql', [dsn.href, '-Xc', 'select 1'])).status === 0 ? true : undefined,
  )
  await Promise.race([answers, failed])
  return {
    dsn: dsn.href,
    pid: child.pid ?? 0,
    stop: async () => {
      child.kill('SIGTERM')
      await once(child, 'exit')
      rmSync(home, { recursive: true, force: true })
    },
  }
}

/** It refuses to run as root, as PostgreSQL does. */
const unprivileged = (): { uid: number; gid: number } | undefined => {
  if (process.getuid?.() !== 0) return undefined
  const idOf = (flag: string) => Number(spawnSync('id', [flag, 'nobody'], { encoding: 'utf8' }).stdout)
  return { uid: idOf('-u'), gid: idOf('-g') }
}
