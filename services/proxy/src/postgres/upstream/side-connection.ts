import type { UpstreamConfig } from '@countersign/platform'
import type { Client } from 'pg'
import { BackOff } from './back-off.ts'
import { guardLogin } from './guard-login.ts'
import { closeQuietly } from './server-told.ts'
import type { Servers } from './servers.ts'
import { roundsOf } from './session-attrs.ts'

export interface Row {
  readonly [column: string]: unknown
}

/** One notice or log line that the server sent while a statement was looked at. */
export interface ServerNotice {
  readonly message: string
  readonly detail: string | undefined
}

/** After a login that failed, the next one is tried this much later, and then later each time. */
const RETRY_FIRST_MS = 100
const RETRY_MAX_MS = 10_000
/** On a server that is not what is wanted, because none that is was there: for so long, then one is looked for again. */
const MISFIT_MS = 5_000

/** What is connected, and until when it will do. */
interface Connected {
  readonly client: Client
  readonly until: number
}

/**
 * The node's own connection to a database, under the guard role: for the catalogue, for the server's analysis of a
 * statement, for counting rows. It never runs anything of a client's: it parses it, or counts in a READ ONLY
 * transaction. It is made anew when it is lost, with back-off: until then whoever asks is told at once.
 */
export class SideConnection {
  readonly #config: UpstreamConfig
  readonly #servers: Servers
  readonly #backOff = new BackOff(RETRY_FIRST_MS, RETRY_MAX_MS)
  #connected: Promise<Connected> | undefined
  #failed: { readonly error: unknown; readonly at: number; readonly until: number } | undefined
  #turn: Promise<unknown> = Promise.resolve()

  constructor(config: UpstreamConfig, servers: Servers) {
    this.#config = config
    this.#servers = servers
  }

  /** One statement, its rows as objects. One caller at a time. */
  query(sql: string, values: readonly unknown[] = []): Promise<readonly Row[]> {
    return this.#exclusively(async (client) => (await client.query<Row>(sql, [...values])).rows)
  }

  /** Several statements in one go on one connection, nothing in between. */
  run<T>(work: (client: Client) => Promise<T>): Promise<T> {
    return this.#exclusively(work)
  }

  async close(): Promise<void> {
    const connected = await this.#connected?.catch(() => undefined)
    this.#connected = undefined
    await connected?.client.end().catch(() => {})
  }

  #exclusively<T>(work: (client: Client) => Promise<T>): Promise<T> {
    const result = this.#turn.then(async () => work(await this.#client()))
    this.#turn = result.catch(() => {})
    return result
  }

  async #client(): Promise<Client> {
    const connected = await (this.#connected ??= this.#connect())
    if (performance.now() < connected.until) return connected.client
    closeQuietly(connected.client)
    this.#connected = this.#connect()
    return (await this.#connected).client
  }

  /** Not `async`: what it returns must be the very promise that is forgotten when the connection is lost. */
  #connect(): Promise<Connected> {
    const failed = this.#failed
    const wait = failed && failed.at >= this.#servers.reachedAt && performance.now() < failed.until
    if (wait) return this.#forgotten(Promise.reject(failed.error))
    const connecting: Promise<Connected> = this.#login((client) => {
      if (this.#connected === connecting) this.#connected = undefined
      client.removeAllListeners('end')
    })
    return this.#forgotten(connecting)
  }

  #forgotten(connecting: Promise<Connected>): Promise<Connected> {
    connecting.catch(() => {
      if (this.#connected === connecting) this.#connected = undefined
    })
    return connecting
  }

  /** Any server is better than none: what names mean is the same on all of them, or nearly. */
  async #login(ended: (client: Client) => void): Promise<Connected> {
    const wanted = roundsOf(this.#config.targetSessionAttrs)
    const rounds = wanted.includes('any') ? wanted : [...wanted, 'any' as const]
    try {
      const open = guardLogin(this.#config, 'countersign side connection')
      const { connection: client, address, round } = await this.#servers.reach(rounds, open)
      this.#failed = undefined
      this.#backOff.succeeded()
      client.once('end', () => {
        ended(client)
        this.#servers.lost(address)
      })
      return { client, until: round < wanted.length ? Number.POSITIVE_INFINITY : performance.now() + MISFIT_MS }
    } catch (error) {
      const at = performance.now()
      this.#failed = { error, at, until: at + this.#backOff.failed() }
      throw error
    }
  }
}
