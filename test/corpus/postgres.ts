import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { existsSync, mkdtempSync, chownSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { embeddedBinaries, placeBinaries, postgresAccount } from '@countersign/platform'
import { Client } from 'pg'

/*
 * Throw-away PostgreSQL servers for the corpus: a new cluster on a free port of 127.0.0.1, ended by its own pid.
 * Some statements of the corpus touch the host (COPY PROGRAM, server files), so they run nowhere else.
 */

export interface Binaries {
  readonly label: string
  readonly folder: string
}

export interface Postgres {
  readonly label: string
  readonly port: number
  /** As `postgres`, who may do anything, or as another role. */
  readonly connect: (database: string, user?: string) => Promise<Client>
  readonly stop: () => Promise<void>
}

const root = join(dirname(fileURLToPath(import.meta.url)), '../..')

/** Where the server's account can execute them, wherever this project lies. */
const reachable = (directory: string, version: string): string =>
  join(placeBinaries({ directory, version }, postgresAccount()), 'bin')

const embedded = (): string => {
  const { directory, version } = embeddedBinaries()
  return reachable(directory, version)
}

/** Those that `versions.setup.ts` fetches, for the project `versions`. */
export const OTHERS = join(root, '.cache/clients/postgres-versions')
export const OTHER_VERSIONS = ['13.23.0-beta.16', '14.23.0-beta.17', '16.14.0-beta.17', '17.10.0-beta.17']

/** The servers to try: those that this machine has, or the other versions. */
export const installed = (): readonly Binaries[] =>
  process.env['COUNTERSIGN_TEST_POSTGRES'] === 'others'
    ? OTHER_VERSIONS.map((version) => ({
        label: `embedded ${version.split('.')[0]}`,
        folder: reachable(join(OTHERS, version, 'package/native'), version),
      }))
    : [
        { label: 'embedded 18', folder: embedded() },
        { label: 'debian 15', folder: '/usr/lib/postgresql/15/bin' },
      ].filter(({ folder }) => existsSync(join(folder, 'postgres')))

export interface More {
  /** Files of the data folder, `pg_hba.conf` perhaps. `postgres` must be let in from this machine without a password. */
  readonly files?: Readonly<Record<string, string>>
  readonly settings?: Readonly<Record<string, string | number>>
}

export const startPostgres = async ({ label, folder }: Binaries, more: More = {}): Promise<Postgres> => {
  const owner = serverOwner()
  const home = mkdtempSync(join(tmpdir(), 'corpus-'))
  if (owner) chownSync(home, owner.uid, owner.gid)
  const data = join(home, 'data')
  const initdb = spawnSync(
    join(folder, 'initdb'),
    ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync'],
    { ...owner, cwd: home, encoding: 'utf8' },
  )
  if (initdb.status !== 0) throw new Error(`initdb of ${label} failed: ${initdb.stderr}`)

  for (const [name, text] of Object.entries(more.files ?? {})) {
    writeFileSync(join(data, name), text, { mode: 0o600 })
    if (owner) chownSync(join(data, name), owner.uid, owner.gid)
  }
  const port = await freePort()
  const server = spawn(join(folder, 'postgres'), ['-D', data, ...settings({ port, ...more.settings })], { ...owner, cwd: home, stdio: 'ignore' })
  const atExit = () => server.kill('SIGINT') // A test run that breaks off leaves no server behind.
  process.once('exit', atExit)
  const connect = (database: string, user = 'postgres') => connection(port, database, user)
  const stop = async () => {
    await ended(server)
    process.off('exit', atExit)
    rmSync(home, { recursive: true, force: true })
  }
  await untilReady(connect, server).catch(async (error: unknown) => {
    await stop()
    throw error
  })
  return { label, port, connect, stop }
}

export const settings = (own: More['settings']) =>
  Object.entries({
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    fsync: 'off',
    full_page_writes: 'off',
    shared_buffers: '32MB',
    max_connections: 40,
    autovacuum: 'off',
    log_min_messages: 'fatal',
    ...own,
  }).flatMap(([name, value]) => ['-c', `${name}=${value}`])

export const connection = async (port: number, database: string, user: string) => {
  const client = new Client({ host: '127.0.0.1', port, user, database })
  await client.connect()
  return client
}

export const untilReady = async (connect: Postgres['connect'], server: ChildProcess) => {
  for (let attempt = 0; attempt < 200; attempt++) {
    if (server.exitCode !== null) throw new Error(`postgres ended at once with ${server.exitCode}`)
    const client = await connect('postgres').catch(() => undefined)
    if (client) return client.end()
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error('postgres did not get ready')
}

export const ended = (server: ChildProcess, signal: NodeJS.Signals = 'SIGINT') =>
  new Promise<void>((resolve) => {
    if (server.exitCode !== null || server.signalCode !== null) return resolve()
    server.once('exit', () => resolve())
    server.kill(signal) // SIGINT: fast shutdown.
  })

/** PostgreSQL refuses to run as root: then it runs as the user that Debian made for it, or as nobody. */
export const serverOwner = (): { uid: number; gid: number } | undefined => {
  if (process.getuid?.() !== 0) return undefined
  const users = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'))
  const user = users.find(([name]) => name === 'postgres') ?? users.find(([name]) => name === 'nobody')
  return { uid: Number(user?.[2] ?? 65_534), gid: Number(user?.[3] ?? 65_534) }
}

export const freePort = () =>
  new Promise<number>((resolve, reject) => {
    const probe = createServer()
    probe.once('error', reject)
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address()
      probe.close(() => (typeof address === 'object' && address ? resolve(address.port) : reject(new Error('no port'))))
    })
  })
