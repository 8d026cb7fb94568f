import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { chmodSync, chownSync, cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createConnection, type Connection } from 'mysql2/promise'
import { installed, step } from '../clients/installed.ts'
import { sourceOptions } from '../regress/debian-sources.ts'
import { run } from '../support/run.ts'
import { ended, freePort, serverOwner } from './postgres.ts'

/*
 * A throw-away MariaDB server, from Debian's packages, unpacked and not installed: a new data folder on a free port of
 * 127.0.0.1, ended by its own pid, never as root. MySQL itself is in no registry that these tests may use.
 */

const SERVER = 'mariadb-server-core'
/** What it needs and few machines have; under the names of one Debian or of the next. */
const LIBRARIES = ['libaio1', 'libaio1t64', 'liburing2']
const REMEDY = "Debian's archive must be reachable, and apt-get there: the tests of MySQL fetch MariaDB from it"
const PINS = fileURLToPath(import.meta.url)

const fetched = (): Promise<string> => installed('mariadb', [PINS], fetchAll)

const fetchAll = async (folder: string): Promise<void> => {
  const first = await download(folder, [], SERVER)
  const options = first ? [] : await ownLists(folder)
  if (!first && !(await download(folder, options, SERVER))) throw new Error(`apt-get download ${SERVER} failed: ${REMEDY}`)
  for (const library of LIBRARIES) await download(folder, options, library)
  for (const archive of readdirSync(folder).filter((name) => name.endsWith('.deb'))) {
    await step(REMEDY, 'dpkg', ['-x', archive, 'root'], { cwd: folder })
    rmSync(join(folder, archive))
  }
  const { stdout } = await run('ldd', [serverIn(folder)], { env: { ...process.env, ...environment(folder) } })
  if (stdout.includes('not found')) throw new Error(`MariaDB lacks libraries: ${stdout.match(/\S+ => not found/g)?.join(', ')}`)
}

const download = async (folder: string, options: readonly string[], name: string): Promise<boolean> =>
  (await run('apt-get', [...options, 'download', name], { cwd: folder })).status === 0

/** The machine has no lists of packages: then some of our own, which takes no rights. */
const ownLists = async (folder: string): Promise<readonly string[]> => {
  const apt = join(folder, 'apt')
  mkdirSync(join(apt, 'lists', 'partial'), { recursive: true })
  const options = sourceOptions(apt)
  await step(REMEDY, 'apt-get', [...options, 'update'])
  return options
}

const serverIn = (folder: string): string => join(folder, 'root/usr/sbin/mariadbd')

const environment = (folder: string) => {
  const places = [join(folder, 'root/usr/lib'), join(folder, 'root/lib')].flatMap(foldersIn)
  return { LD_LIBRARY_PATH: places.join(':') }
}

/** `x86_64-linux-gnu`, or another machine's. */
const foldersIn = (folder: string): readonly string[] => {
  try {
    return readdirSync(folder).map((name) => join(folder, name))
  } catch {
    return []
  }
}

export interface Mariadb {
  readonly port: number
  /** Its data folder. */
  readonly data: string
  /** As `root`, who may do anything; as a node would, without what changes how texts are read. */
  readonly connect: (database?: string) => Promise<Connection>
  readonly stop: () => Promise<void>
}

export const startMariadb = async (): Promise<Mariadb> => {
  const owner = serverOwner()
  const home = mkdtempSync(join(tmpdir(), 'mariadb-'))
  chmodSync(home, 0o755)
  mkdirSync(join(home, 'data'))
  if (owner) for (const folder of [home, join(home, 'data')]) chownSync(folder, owner.uid, owner.gid)
  // Where its account can execute it, wherever this project lies.
  cpSync(join(await fetched(), 'root'), join(home, 'root'), { recursive: true, verbatimSymlinks: true })
  const port = await freePort()
  const options = { ...owner, cwd: home, env: { ...process.env, ...environment(home) } }
  bootstrap(home, options)
  const server = spawn(serverIn(home), [...settings(home), `--port=${port}`, '--bind-address=127.0.0.1'], { ...options, stdio: 'ignore' })
  const atExit = () => server.kill('SIGKILL') // A test run that breaks off leaves no server behind.
  process.once('exit', atExit)
  const stop = async () => {
    await ended(server, 'SIGTERM')
    process.off('exit', atExit)
    rmSync(home, { recursive: true, force: true })
  }
  const connect = (database?: string) => connection(port, database)
  await untilReady(connect, server).catch(async (error: unknown) => {
    await stop()
    throw error
  })
  return { port, data: join(home, 'data'), connect, stop }
}

const settings = (home: string): readonly string[] => [
  '--no-defaults',
  `--datadir=${join(home, 'data')}`,
  `--basedir=${join(home, 'root/usr')}`,
  `--lc-messages-dir=${join(home, 'root/usr/share/mysql')}`,
  `--socket=${join(home, 'socket')}`,
  `--pid-file=${join(home, 'pid')}`,
  `--secure-file-priv=${join(home, 'data')}`,
  '--character-set-server=utf8mb4',
  '--innodb-buffer-pool-size=16M',
  '--innodb-log-file-size=8M',
  '--innodb-flush-log-at-trx-commit=0',
  '--innodb-flush-method=nosync',
  '--aria-pagecache-buffer-size=8M',
  '--key-buffer-size=1M',
  '--skip-log-bin',
  '--skip-name-resolve',
  '--event-scheduler=OFF',
]

/** What `mariadb-install-db` does: the server's own tables, and `root` without a password. */
const bootstrap = (home: string, options: object): void => {
  const scripts = ['mysql_system_tables.sql', 'mysql_performance_tables.sql', 'mysql_system_tables_data.sql']
  const texts = scripts.map((name) => readFileSync(join(home, 'root/usr/share/mysql', name), 'utf8'))
  const first = 'create database mysql;\nuse mysql;\nSET @auth_root_socket=NULL;\nSET @skip_auth_anonymous=1;\n'
  const { status, stderr } = spawnSync(serverIn(home), [...settings(home), '--bootstrap'], {
    ...options,
    input: first + texts.join('\n'),
    encoding: 'utf8',
  })
  if (status !== 0) throw new Error(`MariaDB could not make its tables: ${stderr}`)
}

/** A client may ask for IGNORE_SPACE, as this one does; no node lets it. */
export const connection = async (port: number, database: string | undefined): Promise<Connection> =>
  createConnection({
    host: '127.0.0.1',
    port,
    user: 'root',
    ...(database === undefined ? {} : { database }),
    flags: ['-IGNORE_SPACE'],
    charset: 'utf8mb4_general_ci',
    rowsAsArray: true,
  })

const untilReady = async (connect: Mariadb['connect'], server: ChildProcess): Promise<void> => {
  for (let attempt = 0; attempt < 200; attempt++) {
    if (server.exitCode !== null) throw new Error(`mariadbd ended at once with ${server.exitCode}`)
    const client = await connect().catch(() => undefined)
    if (client) return client.end()
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error('mariadbd did not get ready')
}
