import type { DatabaseConfig } from '@countersign/platform'
import type { Client } from 'pg'
import { clientOf } from './server-login.ts'

export interface Row {
  readonly [column: string]: unknown
}

/** One notice or log line that the server sent while a statement was looked at. */
export interface ServerNotice {
  readonly message: string
  readonly detail: string | undefined
}

const STATEMENT_TIMEOUT_MS = 5_000

/**
 * The node's own connection to a database, under the guard role: for the catalogue, for the server's analysis of a
 * statement, for counting rows. It never runs anything of a client's: it parses it, or counts in a READ ONLY
 * transaction. Reconnects by itself.
 */
export class SideConnection {
  readonly #config: DatabaseConfig['upstream']
  #client: Promise<Client> | undefined
  #turn: Promise<unknown> = Promise.resolve()

  constructor(config: DatabaseConfig['upstream']) {
    this.#config = config
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
    const client = await this.#client?.catch(() => undefined)
    this.#client = undefined
    await client?.end().catch(() => {})
  }

  #exclusively<T>(work: (client: Client) => Promise<T>): Promise<T> {
    const result = this.#turn.then(async () => work(await this.#connected()))
    this.#turn = result.catch(() => {})
    return result
  }

  #connected(): Promise<Client> {
    this.#client ??= this.#connect()
    return this.#client
  }

  /** Not `async`: what it returns must be the very promise that is forgotten when the connection is lost. */
  #connect(): Promise<Client> {
    const { role, password } = this.#config.guard
    const client = clientOf(
      this.#config,
      { user: role, password },
      {
        application_name: 'countersign side connection',
        statement_timeout: STATEMENT_TIMEOUT_MS,
        connectionTimeoutMillis: STATEMENT_TIMEOUT_MS,
      },
    )
    const forget = () => {
      if (this.#client === connecting) this.#client = undefined
    }
    const connecting = client.connect().then(() => client)
    connecting.catch(forget)
    client.on('error', forget)
    client.on('end', forget)
    return connecting
  }
}
