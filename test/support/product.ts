import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { setTimeout as sleep } from 'node:timers/promises'
import { run, type Ran } from './run.ts'

/** ready.json, as DESIGN.md §13 gives it to outsiders: these tests know no more than they do. */
export interface Ready {
  readonly proxy: { readonly host: string; readonly port: number }
  readonly api: string
  readonly console: string
  readonly clickhouse: Readonly<Record<'url' | 'user' | 'password' | 'database', string>>
  readonly upstream: string
  readonly processes: readonly { readonly name: string; readonly pid: number }[]
  readonly principals: readonly {
    readonly id: string
    readonly kind: string
    readonly groups: readonly string[]
    readonly dsn: string
    readonly token: string
  }[]
}

const CLI = fileURLToPath(new URL('../../services/cli/bin/countersign.mjs', import.meta.url))
const READY_TIMEOUT_MS = 120_000
const STOP_TIMEOUT_MS = 15_000

/** The whole product as a user starts it, in a home of its own. */
export class Product {
  readonly home: string
  readonly #child: ChildProcess | undefined
  readonly #said: string[]

  private constructor(home: string, child: ChildProcess | undefined, said: string[]) {
    this.home = home
    this.#child = child
    this.#said = said
  }

  /** `args`: further arguments of `countersign up`. `home`: one that is there already, or a new one. */
  static async start(
    args: readonly string[] = [],
    { home = mkdtempSync(join(tmpdir(), 'countersign-')), env = {} }: { home?: string; env?: NodeJS.ProcessEnv } = {},
  ): Promise<Product> {
    const portBase = await freePortBase()
    const child = spawn(process.execPath, [CLI, 'up', '--home', home, '--port-base', `${portBase}`, ...args], {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const said: string[] = []
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => said.push(text))
    const product = new Product(home, child, said)
    await product.#untilReady()
    return product
  }

  /** One that another process has started and will stop. */
  static at(home: string): Product {
    return new Product(home, undefined, [])
  }

  get ready(): Ready {
    return JSON.parse(readFileSync(join(this.home, 'ready.json'), 'utf8')) as Ready
  }

  get said(): string {
    return this.#said.join('')
  }

  principal(id: string): Ready['principals'][number] {
    const found = this.ready.principals.find((principal) => principal.id === id)
    if (!found) throw new Error(`ready.json names no ${id}`)
    return found
  }

  /** The connection string of a principal, with further parameters of libpq. */
  dsn(id: string, parameters: Readonly<Record<string, string>> = {}): string {
    const url = new URL(this.principal(id).dsn)
    for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value)
    return url.href.replaceAll('+', '%20') // libpq reads a plus sign as a plus sign.
  }

  pid(name: string): number {
    const found = this.ready.processes.find((process) => process.name === name)
    if (!found) throw new Error(`ready.json names no process ${name}`)
    return found.pid
  }

  /** Real psql, with no start-up file. Options behind the connection string. */
  psql(id: string, ...args: readonly string[]): Promise<Ran> {
    return run('psql', [this.dsn(id), '-X', ...args])
  }

  cli(...args: readonly string[]): Promise<Ran> {
    return run(process.execPath, [CLI, ...args, '--home', this.home])
  }

  /** Rows of a query to the public tables, as the read-only account sees them. */
  async clickhouse<Row = Record<string, unknown>>(sql: string): Promise<Row[]> {
    const { url, user, password, database } = this.ready.clickhouse
    const response = await fetch(`${url}/?database=${database}&default_format=JSON`, {
      method: 'POST',
      headers: { 'X-ClickHouse-User': user, 'X-ClickHouse-Key': password },
      body: sql,
    })
    const text = await response.text()
    if (!response.ok) throw new Error(text)
    return (JSON.parse(text) as { data: Row[] }).data
  }

  async api<T = unknown>(as: string, path: string, init: RequestInit = {}): Promise<{ status: number; body: T }> {
    const headers = { authorization: `Bearer ${this.principal(as).token}`, 'content-type': 'application/json' }
    const response = await fetch(`${this.ready.api}/api/v1/${path}`, { ...init, headers })
    return { status: response.status, body: (await response.json()) as T }
  }

  /** SIGTERM, and what became of it. */
  async stop(): Promise<{ code: number | null; milliseconds: number }> {
    const child = this.#child
    if (!child) throw new Error('somebody else has started it')
    const started = performance.now()
    const ended = once(child, 'close')
    child.kill('SIGTERM')
    const late = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS)
    const [code] = (await ended) as [number | null]
    clearTimeout(late)
    return { code, milliseconds: performance.now() - started }
  }

  /** SIGKILL, to the one that has started all the others. */
  async kill(): Promise<void> {
    const child = this.#child
    if (!child) throw new Error('somebody else has started it')
    const ended = once(child, 'close')
    child.kill('SIGKILL')
    await ended
    rmSync(join(this.home, 'ready.json'), { force: true }) // It says what is not so any more.
  }

  async dispose(): Promise<void> {
    if (this.#child?.exitCode === null && this.#child.signalCode === null) await this.stop()
    rmSync(this.home, { recursive: true, force: true })
  }

  async #untilReady(): Promise<void> {
    const deadline = Date.now() + READY_TIMEOUT_MS
    for (;;) {
      if (this.#child?.exitCode !== null) throw new Error(`it did not start:\n${this.said}`)
      if (Date.now() > deadline) throw new Error(`it is not ready after ${READY_TIMEOUT_MS} ms:\n${this.said}`)
      try {
        void this.ready
        return
      } catch {
        await sleep(50)
      }
    }
  }
}

const PORTS = 8

const freePortBase = async (): Promise<number> => {
  for (;;) {
    const base = 20_000 + Math.floor(Math.random() * 10_000)
    const free = await Promise.all(Array.from({ length: PORTS }, (_, index) => isFree(base + index)))
    if (free.every(Boolean)) return base
  }
}

const isFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
