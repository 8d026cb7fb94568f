import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { isAlive } from '../supervisor/process-identity.ts'
import { PostgresError } from './postgres-error.ts'

export interface Postmaster {
  readonly pid: number
  /** `starting`, `stopping`, `ready` or `standby`. */
  readonly status: string
}

/** What the server writes of itself into its data folder: line 1 is its process, line 8 its status. */
export const readPostmaster = (directory: string): Postmaster | undefined => {
  const file = join(directory, 'postmaster.pid')
  if (!existsSync(file)) return undefined
  const lines = readFileSync(file, 'utf8').split('\n')
  const pid = Number(lines[0])
  return Number.isInteger(pid) && pid > 1 ? { pid, status: (lines[7] ?? '').trim() } : undefined
}

/** Stops a server that a killed start left behind in this folder, and only that one. */
export const stopLeftover = async (directory: string): Promise<void> => {
  const found = readPostmaster(directory)
  if (found && servesFrom(found.pid, directory)) await stopPostmaster(found.pid, 5_000)
  // Else the number belongs to somebody else by now, and PostgreSQL would refuse to start because of it.
  rmSync(join(directory, 'postmaster.pid'), { force: true })
}

const servesFrom = (pid: number, directory: string): boolean => {
  const words = commandOf(pid)
  return words.includes('postgres') && words.includes(directory)
}

const commandOf = (pid: number): string => {
  try {
    if (process.platform === 'linux') return readFileSync(`/proc/${pid}/cmdline`, 'utf8')
    return execFileSync('ps', ['-o', 'command=', '-p', String(pid)], { encoding: 'utf8' })
  } catch {
    return ''
  }
}

/** SIGINT ends sessions and writes everything out; SIGQUIT only stops, and the next start recovers from the WAL. */
export const stopPostmaster = async (pid: number, graceMs: number): Promise<void> => {
  for (const signal of ['SIGINT', 'SIGQUIT', 'SIGKILL'] as const) {
    if (!tell(pid, signal)) return
    if (await ends(pid, signal === 'SIGINT' ? graceMs : 1_500)) return
  }
  throw new PostgresError('POSTGRES_LEFTOVER', `the PostgreSQL process ${pid} does not stop: end it by hand`)
}

const tell = (pid: number, signal: NodeJS.Signals): boolean => {
  try {
    return process.kill(pid, signal)
  } catch {
    return false
  }
}

const POLL_MS = 20

const ends = async (pid: number, withinMs: number): Promise<boolean> => {
  for (let waited = 0; waited < withinMs; waited += POLL_MS) {
    if (!isAlive(pid)) return true
    await sleep(POLL_MS)
  }
  return !isAlive(pid)
}
