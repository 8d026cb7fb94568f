import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  closing,
  openClickhouse,
  startClickhouse,
  type Account,
  type ClickhouseOptions,
  type RunningClickhouse,
} from '@countersign/clickhouse'
import type { AuditDatabase } from '../store/generations.ts'

/** A ClickHouse of its own for a test, which can be killed, stopped and started again. */
export class TestServer {
  readonly #options: ClickhouseOptions
  #running: RunningClickhouse | undefined

  private constructor(options: ClickhouseOptions) {
    this.#options = options
  }

  static async start(readers: readonly Account[] = []): Promise<TestServer> {
    const directory = mkdtempSync(join(tmpdir(), 'audit-clickhouse-'))
    const server = new TestServer({
      directory,
      httpPort: await freePort(),
      user: 'countersign',
      password: 'secret',
      readers,
    })
    await server.startAgain()
    return server
  }

  /** Each test takes a database of its own. */
  database(name: string): AuditDatabase {
    const { httpPort, user, password } = this.#options
    return { url: `http://127.0.0.1:${httpPort}`, user, password, database: name }
  }

  async startAgain(): Promise<void> {
    this.#running = await startClickhouse(this.#options)
  }

  async stop(): Promise<void> {
    await this.#running?.stop()
  }

  kill(signal: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT'): void {
    if (this.#running) process.kill(this.#running.pid, signal)
  }

  async end(): Promise<void> {
    await this.stop()
    rmSync(this.#options.directory, { recursive: true, force: true })
  }
}

export const freePort = () =>
  new Promise<number>((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo
      server.close(() => resolve(port))
    })
  })

export type Row = Readonly<Record<string, unknown>>

export const select = async (server: AuditDatabase, query: string): Promise<readonly Row[]> => {
  await using inside = closing(openClickhouse(server, server.database))
  return await (await inside.client.query({ query, format: 'JSONEachRow' })).json<Row>()
}

export const command = async (server: AuditDatabase, query: string): Promise<void> => {
  await using inside = closing(openClickhouse(server, server.database))
  await inside.client.command({ query })
}

/** The public tables. */
export const TABLES = [
  'approvals',
  'coverage',
  'events',
  'integrity',
  'quarantine',
  'sessions',
  'statements',
  'statements_by_minute',
  'touches',
  'votes',
] as const

/** Everything that people can read, each table in a fixed order. */
export const contents = async (server: AuditDatabase): Promise<Readonly<Record<string, readonly Row[]>>> => {
  const tables = TABLES.map(
    async (table) => [table, await select(server, `SELECT * FROM ${table} ORDER BY ALL`)] as const,
  )
  return Object.fromEntries(await Promise.all(tables))
}
