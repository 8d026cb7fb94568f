import { spawn, type ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { setPriority } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { openClickhouse } from '../client.ts'
import { engineConfig, engineUsers, type Account, type EngineSettings } from './engine-config.ts'
import { engineLibrary } from './engine-library.ts'
import { demandFreePort, portInUse } from './free-port.ts'
import { ClickhouseStartError } from './start-error.ts'

export interface ClickhouseOptions {
  /** Holds the data, the log and the configuration of this server. Made when it is not there. */
  readonly directory: string
  readonly httpPort: number
  readonly user: string
  readonly password: string
  /** May select from `database`, may not change a setting, and see nothing else. */
  readonly readers?: readonly Account[]
  /** What readers may read. */
  readonly database?: string
  readonly memoryBytesMax?: number
  readonly readyTimeoutMs?: number
  /** Called when the server ends without having been asked to. */
  readonly onExit?: (exit: { readonly code: number | null; readonly signal: NodeJS.Signals | null }) => void
}

export interface RunningClickhouse {
  readonly url: string
  readonly pid: number
  /** Gives queries under way a moment to end. Resolves when the process is gone. */
  stop(): Promise<void>
}

const MEMORY_BYTES_MAX = 1_500_000_000
const READY_TIMEOUT_MS = 60_000
// The engine waits five seconds for connections that clients merely keep open. Killing it loses nothing.
const STOP_PATIENCE_MS = 1_500
const STOP_TIMEOUT_MS = 5_000
const DATABASE = 'countersign'
/** The least of all: it takes what nobody else wants, and catches up when there is time. */
const NICENESS = 19

/**
 * Starts a real ClickHouse server (the engine that npm brings along) as a child process that listens on 127.0.0.1,
 * and resolves once it answers the given user. It ends with this process, however this process ends.
 *
 * Throws `ClickhouseStartError`.
 */
export const startClickhouse = async (options: ClickhouseOptions): Promise<RunningClickhouse> => {
  const library = engineLibrary()
  const settings = settingsOf(options)
  const users = engineUsers(settings)
  await demandFreePort(options.httpPort)

  const conf = writeConfig(settings, users)
  const engine = launch(library, options, settings.directory, conf)
  try {
    await untilReady(engine, options)
  } catch (error) {
    await engine.stop()
    rmSync(conf, { recursive: true, force: true })
    throw error
  }
  removeOtherConfigs(conf)
  engine.onUnaskedExit(options.onExit)
  return { url: urlOf(options), pid: engine.pid, stop: engine.stop }
}

const settingsOf = ({ directory, user, password, readers, database, memoryBytesMax }: ClickhouseOptions) => ({
  directory: resolve(directory),
  owner: { user, password },
  readers: readers ?? [],
  database: database ?? DATABASE,
  memoryBytesMax: memoryBytesMax ?? MEMORY_BYTES_MAX,
})

const urlOf = ({ httpPort }: ClickhouseOptions) => `http://127.0.0.1:${httpPort}`

/** Each start writes a folder of its own: one that will be refused must not touch what the running server reads. */
const writeConfig = (settings: EngineSettings, users: string): string => {
  const conf = join(settings.directory, 'conf', randomBytes(6).toString('hex'))
  mkdirSync(conf, { recursive: true, mode: 0o700 })
  writeFileSync(join(conf, 'config.xml'), engineConfig(settings, join(conf, 'users.xml')), { mode: 0o600 })
  writeFileSync(join(conf, 'users.xml'), users, { mode: 0o600 })
  return conf
}

/** What earlier starts left behind, if they were killed. */
const removeOtherConfigs = (conf: string): void => {
  const folder = join(conf, '..')
  for (const name of readdirSync(folder)) {
    const other = join(folder, name)
    if (other !== conf) rmSync(other, { recursive: true, force: true })
  }
}

interface Engine {
  readonly pid: number
  /** What it said on standard error, for the message when it does not start. */
  readonly said: () => string
  readonly hasEnded: () => boolean
  readonly onUnaskedExit: (listener: ClickhouseOptions['onExit']) => void
  readonly stop: () => Promise<void>
}

const launch = (library: string, options: ClickhouseOptions, directory: string, conf: string): Engine => {
  const child = spawn(
    process.execPath,
    [program(), library, join(directory, 'data'), `${options.httpPort}`, join(conf, 'config.xml')],
    // A group of its own: Ctrl-C in a terminal goes to whoever started us, who then stops us in order.
    { stdio: ['pipe', 'ignore', 'pipe'], detached: true, cwd: directory, env: {} },
  )
  // On a machine that it shares with a node, people's statements come first.
  if (child.pid !== undefined) setPriority(child.pid, NICENESS)
  return supervise(child)
}

const supervise = (child: ChildProcess): Engine => {
  const said: string[] = []
  let asked = false
  let listener: ClickhouseOptions['onExit']
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => keep(said, chunk))
  child.stdin?.on('error', () => {}) // It may be gone already, which its exit tells.
  const ended = new Promise<void>((done) => {
    child.once('error', (error) => (keep(said, error.message), done()))
    child.once('exit', (code, signal) => {
      done()
      if (!asked) listener?.({ code, signal })
    })
  })
  const stop = async (): Promise<void> => {
    asked = true
    child.stdin?.end()
    const late = [
      setTimeout(() => child.kill('SIGTERM'), STOP_PATIENCE_MS),
      setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS),
    ]
    await ended
    for (const timer of late) clearTimeout(timer)
  }
  return {
    pid: child.pid ?? 0,
    said: () => said.join(''),
    hasEnded: () => child.pid === undefined || child.exitCode !== null || child.signalCode !== null,
    onUnaskedExit: (given) => {
      listener = given
      if (child.exitCode !== null || child.signalCode !== null)
        given?.({ code: child.exitCode, signal: child.signalCode })
    },
    stop,
  }
}

const SAID_CHUNKS_MAX = 50

const keep = (said: string[], chunk: string): void => {
  said.push(chunk)
  if (said.length > SAID_CHUNKS_MAX) said.shift()
}

/** The launcher lies beside this file: as JavaScript when built, as TypeScript, which Node.js reads too, in tests. */
const program = (): string =>
  fileURLToPath(new URL(`./engine-process${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url))

const POLL_MS = 25

const untilReady = async (engine: Engine, options: ClickhouseOptions): Promise<void> => {
  const deadline = Date.now() + (options.readyTimeoutMs ?? READY_TIMEOUT_MS)
  const client = openClickhouse({ url: urlOf(options), user: options.user, password: options.password })
  try {
    while (Date.now() < deadline) {
      if (engine.hasEnded()) throw whyItEnded(engine.said(), options)
      if (await answers(options, client)) return
      await delay(POLL_MS)
    }
  } finally {
    await client.close()
  }
  throw new ClickhouseStartError(
    'CLICKHOUSE_NOT_READY',
    `ClickHouse did not answer in time: ${lastLine(engine.said())}`,
  )
}

const answers = async (options: ClickhouseOptions, client: ReturnType<typeof openClickhouse>): Promise<boolean> => {
  try {
    if (!(await fetch(`${urlOf(options)}/ping`)).ok) return false
  } catch {
    return false // It does not listen yet.
  }
  return (await client.ping({ select: true })).success
}

const whyItEnded = (said: string, { directory, httpPort }: ClickhouseOptions): ClickhouseStartError => {
  if (/Cannot lock file|Another server instance/i.test(said)) {
    return new ClickhouseStartError(
      'CLICKHOUSE_DIRECTORY_IN_USE',
      `another ClickHouse runs on ${resolve(directory)}: stop it, or choose another directory`,
    )
  }
  if (/Address already in use/i.test(said)) return portInUse(httpPort)
  return new ClickhouseStartError('CLICKHOUSE_NOT_READY', `ClickHouse ended while it started: ${lastLine(said)}`)
}

const lastLine = (said: string): string =>
  said
    .trim()
    .split('\n')
    .findLast((line) => line.includes('Exception')) ??
  (said.trim().split('\n').at(-1) || 'it said nothing')
