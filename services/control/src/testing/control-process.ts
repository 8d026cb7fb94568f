import { spawn, type ChildProcess } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import type { ConfigFolder } from './running-control.ts'

const MAIN = fileURLToPath(new URL('../../dist/main.js', import.meta.url))

/** countersign.yaml for control as a process of its own, on an embedded log. */
export const writeConfig = (folder: ConfigFolder): { file: string; directory: string } => {
  const file = folder.at('countersign.yaml')
  const directory = folder.at('log')
  const upstream = {
    host: 'localhost',
    port: 1,
    database: 'shop',
    tls: 'disable',
    roles: {},
    guard: { role: 'g', password: 'g' },
  }
  const config = {
    log: { kind: 'embedded', directory },
    databases: [{ name: 'shop', environment: 'demo', upstream }],
    node: { listen: { port: 1 }, admin: { port: 1 }, state: folder.at('node') },
    control: { listen: { port: 1 }, owners: folder.owners, identities: folder.identities },
    audit: { listen: { port: 1 }, clickhouse: { url: 'http://localhost:1', user: 'a', password: 'a' } },
  }
  // JSON is YAML.
  writeFileSync(file, JSON.stringify(config))
  return { file, directory }
}

export const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo
      server.close(() => resolve(port))
    })
  })

export interface ControlProcess {
  readonly child: ChildProcess
  /** Resolves when it can be used; never, when it is killed before. */
  readonly ready: Promise<void>
  readonly ended: Promise<number | null>
  /** All that it wrote. */
  output(): string
}

/** Ends with this process, however this one ends: its supervisor's channel closes. */
export const spawnControl = (file: string, port: number): ControlProcess => {
  if (!existsSync(MAIN)) throw new Error(`${MAIN} is missing; run \`npm run build\` first`)
  const child = spawn(process.execPath, [MAIN, '--config', file], {
    env: { PATH: process.env['PATH'], COUNTERSIGN_CONTROL_LISTEN_PORT: String(port) },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  })
  let output = ''
  child.stdout?.on('data', (data: Buffer) => (output += data.toString()))
  child.stderr?.on('data', (data: Buffer) => (output += data.toString()))
  return {
    child,
    ready: new Promise((resolve) => child.once('message', () => resolve())),
    ended: new Promise((resolve) => child.once('exit', (code) => resolve(code))),
    output: () => output,
  }
}
