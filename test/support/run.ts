import { spawn } from 'node:child_process'
import { once } from 'node:events'

export interface Ran {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface Running {
  /** What it has printed so far, both streams in one. */
  readonly said: () => string
  /** Resolves when it has printed something that matches; rejects when it ends without. */
  readonly says: (what: RegExp) => Promise<void>
  readonly kill: (signal: NodeJS.Signals) => void
  readonly ended: Promise<Ran>
}

/** Runs a program to its end. A program that is not installed is an error that says so. */
export const run = async (program: string, args: readonly string[], options: RunOptions = {}): Promise<Ran> =>
  start(program, args, options).ended

export interface RunOptions {
  readonly env?: NodeJS.ProcessEnv
  readonly cwd?: string
  readonly input?: string
}

/** Runs a program beside what else goes on. */
export const start = (program: string, args: readonly string[], { env, cwd, input }: RunOptions = {}): Running => {
  const child = spawn(program, args, { cwd, env: { ...process.env, PGCONNECT_TIMEOUT: '10', ...env } })
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text
    child.emit('said')
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
    child.emit('said')
  })
  child.stdin.on('error', () => {})
  child.stdin.end(input ?? '')
  const failed = once(child, 'error').then(([error]) => {
    throw new Error(`${program} could not be run: ${(error as Error).message}`)
  })
  const closed = once(child, 'close').then(([status]) => ({ status: status as number | null, stdout, stderr }))
  const ended = Promise.race([closed, failed]) as Promise<Ran>
  const said = () => stdout + stderr
  return {
    said,
    says: (what) =>
      new Promise((resolve, reject) => {
        const look = () => what.test(said()) && resolve()
        child.on('said', look)
        child.once('close', () => reject(new Error(`${program} ended without saying ${what}:\n${said()}`)))
        look()
      }),
    kill: (signal) => child.kill(signal),
    ended,
  }
}
