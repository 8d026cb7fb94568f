import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Job, Said } from './jobs.ts'

/** A job in a process of its own. */
export interface RunningJob {
  readonly pid: number
  /** What it has said so far. */
  readonly said: readonly Said[]
  /** Resolves when it has said something for the first time. */
  readonly begun: Promise<void>
  /** Resolves when it has ended and everything that it said has been read. Rejects when it failed by itself. */
  readonly ended: Promise<void>
  /** kill -9. */
  kill(): void
}

const TYPESCRIPT = import.meta.url.endsWith('.ts')
const PROGRAM = fileURLToPath(new URL(TYPESCRIPT ? './job-process.ts' : './job-process.js', import.meta.url))
/** From sources a process runs as it does from the build: packages are then found by their sources too. */
const FLAGS = TYPESCRIPT ? ['--conditions=source'] : []

export const runJob = (job: Job): RunningJob => {
  const child = spawn(process.execPath, [...FLAGS, PROGRAM, JSON.stringify(job)], { stdio: ['ignore', 'pipe', 'pipe'] })
  const said: Said[] = []
  let errors = ''
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()))
  const lines = createInterface({ input: child.stdout })

  const begun = new Promise<void>((resolve) => {
    lines.on('line', (line) => {
      said.push(JSON.parse(line) as Said)
      resolve()
    })
    child.once('exit', () => resolve())
  })

  const ended = new Promise<void>((resolve, reject) => {
    child.once('close', (code, signal) => {
      if (code === 0 || signal === 'SIGKILL') resolve()
      else reject(new Error(`the job ended with ${code ?? signal}:\n${errors}`))
    })
  })
  ended.catch(() => {}) // Whoever does not wait for the end need not be told of it.

  return { pid: child.pid ?? 0, said, begun, ended, kill: () => void child.kill('SIGKILL') }
}
