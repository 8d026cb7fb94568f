import { spawn, type ChildProcess } from 'node:child_process'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { lastWords, withLogFile } from '../supervisor/log-file.ts'
import type { Running } from '../supervisor/running.ts'
import { postgresAccount, type Account } from './account.ts'
import { embeddedBinaries } from './binaries.ts'
import { deadMansSwitch } from './dead-mans-switch.ts'
import { initialise, PLAIN_ENVIRONMENT } from './initialise.ts'
import { dataAt, placeBinaries, placeData } from './places.ts'
import { PostgresError } from './postgres-error.ts'
import { readPostmaster, stopLeftover, stopPostmaster } from './postmaster.ts'

export interface PostgresOptions {
  /** Where the data is wanted; made at the first start. See `placeData` for when it lies elsewhere. */
  readonly directory: string
  readonly port: number
  /** Of the superuser `postgres`; taken at the first start. */
  readonly password: string
  readonly logFile: string
}

/**
 * Runs the PostgreSQL that npm brought, on 127.0.0.1 alone, and resolves when it accepts connections. A server that
 * a killed start left in the same folder is stopped first. It stops when we do, even when we are killed.
 *
 * Throws `PostgresError` when it cannot be started or the signal is given before it is ready.
 */
export const startPostgres = async (options: PostgresOptions, stopping?: AbortSignal): Promise<Running> => {
  const account = postgresAccount()
  const binaries = placeBinaries(embeddedBinaries(), account)
  const directory = placeData(options.directory, account)
  await stopLeftover(directory)
  await initialise({ binaries, directory, account, password: options.password })
  return launch({ ...options, directory }, join(binaries, 'bin', 'postgres'), account, stopping)
}

/** Stops the server that a killed start left running on the data that is wanted at `directory`, if there is one. */
export const stopLeftoverPostgres = (directory: string): Promise<void> => stopLeftover(dataAt(directory))

const launch = async (
  options: PostgresOptions,
  program: string,
  account: Account | undefined,
  stopping: AbortSignal | undefined,
): Promise<Running> => {
  const { server, from } = withLogFile(options.logFile, (descriptor, from) => {
    const stdio: ['ignore', number, number] = ['ignore', descriptor, descriptor]
    const env = PLAIN_ENVIRONMENT
    return { server: spawn(program, argumentsOf(options), { ...account, cwd: '/', detached: true, env, stdio }), from }
  })
  const ended = endOf(server, account)
  const { pid } = server
  const ready = pid !== undefined && (await becomesReady(pid, server, options.directory, stopping))
  const stop = async (graceMs: number) => {
    if (pid !== undefined) await stopPostmaster(pid, graceMs)
    await ended
  }
  if (ready) return { pid, ended, stop }
  await stop(1_000)
  const said = lastWords(options.logFile, from)
  throw new PostgresError('POSTGRES_START', `PostgreSQL did not start: ${said}; all of it is in ${options.logFile}`)
}

const endOf = (server: ChildProcess, account: Account | undefined): Promise<string> =>
  new Promise((resolve) => {
    const disarm = server.pid === undefined ? () => undefined : deadMansSwitch(server.pid, account)
    server.once('error', (error) => resolve(error.message))
    server.once('exit', (code, signal) => {
      disarm()
      resolve(signal ?? `exit code ${code}`)
    })
  })

const READY_TIMEOUT_MS = 60_000
const POLL_MS = 20

const becomesReady = async (
  pid: number,
  server: ChildProcess,
  directory: string,
  stopping: AbortSignal | undefined,
): Promise<boolean> => {
  const deadline = performance.now() + READY_TIMEOUT_MS
  const goesOn = () => server.exitCode === null && server.signalCode === null && !stopping?.aborted
  while (goesOn()) {
    const postmaster = readPostmaster(directory)
    if (postmaster?.pid === pid && postmaster.status === 'ready') return true
    if (performance.now() > deadline) return false
    await sleep(POLL_MS)
  }
  return false
}

const argumentsOf = ({ directory, port }: PostgresOptions): readonly string[] => [
  '-D',
  directory,
  ...Object.entries({ ...SETTINGS, port }).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
]

/*
 * Durability is not for sale: fsync, full_page_writes and synchronous_commit stay on. No socket file, so that two
 * servers never meet in /tmp, and no address but the loopback one. Nobody replicates from here, and without that a
 * table that is made and filled in one transaction goes to disk once, which halves the first start.
 */
const SETTINGS = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  password_encryption: 'scram-sha-256',
  max_connections: 200,
  shared_buffers: '128MB',
  max_wal_size: '2GB',
  wal_level: 'minimal',
  max_wal_senders: '0',
  jit: 'off',
  timezone: 'UTC',
  log_timezone: 'UTC',
  log_line_prefix: '%m [%p] %q%u@%d ',
} as const
