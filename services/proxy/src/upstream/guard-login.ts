import type { UpstreamConfig } from '@countersign/platform'
import { Client } from 'pg'
import { closeQuietly, parametersOf, tlsOf, toldBy } from './connect.ts'
import type { Open } from './servers.ts'

const STATEMENT_TIMEOUT_MS = 5_000

/** A login of the node itself, under the guard role. */
export const guardLogin =
  (upstream: UpstreamConfig, applicationName: string): Open<Client> =>
  async ({ host, port }, timeoutMs) => {
    const { database, guard } = upstream
    const client = new Client({
      host,
      port,
      database,
      user: guard.role,
      password: guard.password,
      ssl: tlsOf(upstream, host),
      application_name: applicationName,
      statement_timeout: STATEMENT_TIMEOUT_MS,
      connectionTimeoutMillis: timeoutMs,
    })
    const parameters = parametersOf(client)
    client.on('error', () => {})
    try {
      await client.connect()
      return { connection: client, told: await toldBy(client, parameters), close: () => closeQuietly(client) }
    } catch (error) {
      closeQuietly(client)
      throw error
    }
  }
