import { spawn, type ChildProcess } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { lastWords, withLogFile } from './log-file.ts'
import { StartError, type Running } from './running.ts'

export interface NodeService {
  readonly name: string
  /** The module to run, and what to give it. */
  readonly entry: string
  readonly args: readonly string[]
  /** For Node.js itself. */
  readonly nodeArgs?: readonly string[]
  readonly env: NodeJS.ProcessEnv
  readonly logFile: string
  readonly readyTimeoutMs: number
  /** Told of the process as soon as it exists. */
  readonly onSpawn?: (pid: number) => void
  /** Told of the processes that the service has started itself, whenever they change (`announceProcesses`). */
  readonly onProcesses?: (processes: readonly StartedProcess[]) => void
}

export interface StartedProcess {
  readonly name: string
  readonly pid: number
}

/**
 * Starts a service of ours as a process of its own, and resolves when it has announced that it is ready
 * (`announceReady`). It is the leader of its own group, so that Ctrl-C in a terminal reaches the supervisor alone,
 * which then stops everything in order; it notices the supervisor's end by the channel between them.
 *
 * Throws `StartError` when it ends or the signal is given before it is ready, or when it takes too long.
 */
export const startNodeService = async (service: NodeService, stopping: AbortSignal): Promise<Running> => {
  const { child, from } = launch(service)
  if (child.pid !== undefined) service.onSpawn?.(child.pid)
  child.on('message', (message) => {
    const processes = processesIn(message)
    if (processes) service.onProcesses?.(processes)
  })
  const ended = endOf(child)
  const stop = (graceMs: number) => stopChild(child, ended, graceMs)
  const outcome = await firstOf(readiness(child), ended, service.readyTimeoutMs, stopping)
  if (outcome === READY && child.pid !== undefined) return { pid: child.pid, ended, stop }
  await stop(STOP_MS)
  throw new StartError(complaint(service, outcome, from))
}

const STOP_MS = 2_000
const READY = Symbol('ready')
const LATE = Symbol('late')

const launch = ({ entry, args, nodeArgs = [], env, logFile }: NodeService) =>
  withLogFile(logFile, (descriptor, from) => {
    const child = spawn(process.execPath, [...nodeArgs, '--import', ORPHAN_GUARD, entry, ...args], {
      detached: true,
      env,
      stdio: ['ignore', descriptor, descriptor, 'ipc'],
    })
    return { child, from }
  })

// The suffix is that of this very file: TypeScript when run from the sources, JavaScript when built.
const ORPHAN_GUARD = new URL(`./orphan-guard${import.meta.url.slice(-3)}`, import.meta.url).href

const readiness = (child: ChildProcess): Promise<typeof READY> =>
  new Promise((resolve) => {
    child.on('message', (message) => {
      if (typeof message === 'object' && message !== null && 'ready' in message) resolve(READY)
    })
  })

const processesIn = (message: unknown): readonly StartedProcess[] | undefined =>
  typeof message === 'object' && message !== null && 'processes' in message && Array.isArray(message.processes)
    ? (message.processes as readonly StartedProcess[])
    : undefined

/** How a child ended. Never rejects: a program that cannot be run at all has ended too. */
const endOf = (child: ChildProcess): Promise<string> =>
  new Promise((resolve) => {
    child.once('error', (error) => resolve(error.message))
    child.once('exit', (code, signal) => resolve(signal ?? `exit code ${code}`))
  })

type FirstOutcome = typeof READY | typeof LATE | string

const firstOf = async (
  ready: Promise<typeof READY>,
  ended: Promise<string>,
  timeoutMs: number,
  stopping: AbortSignal,
): Promise<FirstOutcome> => {
  const over = new AbortController()
  const signal = AbortSignal.any([over.signal, stopping])
  const late = sleep(timeoutMs, LATE, { signal }).catch(() => 'stopped')
  try {
    return await Promise.race([ready, ended, late])
  } finally {
    over.abort()
  }
}

const stopChild = async (child: ChildProcess, ended: Promise<string>, graceMs: number): Promise<void> => {
  child.kill('SIGTERM')
  const impatience = setTimeout(() => child.kill('SIGKILL'), graceMs)
  await ended
  clearTimeout(impatience)
}

const complaint = ({ name, logFile, readyTimeoutMs }: NodeService, outcome: FirstOutcome, from: number): string => {
  const what =
    outcome === LATE ? `was not ready within ${readyTimeoutMs / 1000} s` : `did not start (${String(outcome)})`
  return `${name} ${what}: ${lastWords(logFile, from)}; all of it is in ${logFile}`
}
