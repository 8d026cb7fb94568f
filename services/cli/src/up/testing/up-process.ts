import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'

/** A built `countersign up` with fake services, as a process of its own. */
export interface UpProcess {
  readonly child: ChildProcess
  /** Everything that it has said. */
  readonly said: () => string
  /** Resolves when it has said something that matches; rejects when it ends before. */
  readonly says: (what: RegExp) => Promise<void>
  readonly exitCode: Promise<number | null>
}

const ENTRY = fileURLToPath(new URL('./up-with-fakes.mjs', import.meta.url))

export const spawnUp = (args: readonly string[], env: NodeJS.ProcessEnv = {}): UpProcess => {
  const child = spawn(process.execPath, [ENTRY, ...args], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const chunks: string[] = []
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      chunks.push(chunk)
      child.emit('said')
    })
  }
  const said = () => chunks.join('')
  const exitCode = once(child, 'close').then(([code]) => code as number | null)
  return { child, said, says: (what) => untilSaid(child, said, what), exitCode }
}

const untilSaid = (child: ChildProcess, said: () => string, what: RegExp): Promise<void> =>
  new Promise((resolve, reject) => {
    const look = () => what.test(said()) && resolve()
    child.on('said', look)
    child.once('close', () => reject(new Error(`it ended without saying ${what}:\n${said()}`)))
    look()
  })

const PORTS = 7

/** The first of seven ports that are free now. */
export const freePortBase = async (): Promise<number> => {
  for (;;) {
    const base = 20_000 + Math.floor(Math.random() * 20_000)
    const free = await Promise.all(Array.from({ length: PORTS }, (_, i) => isFree(base + i)))
    if (free.every(Boolean)) return base
  }
}

const isFree = async (port: number): Promise<boolean> => {
  const server = createServer()
  const outcome = Promise.race([once(server, 'listening').then(() => true), once(server, 'error').then(() => false)])
  server.listen(port, '127.0.0.1')
  const free = await outcome
  if (free) server.close()
  return free && (server.address() as AddressInfo | null) === null
}
