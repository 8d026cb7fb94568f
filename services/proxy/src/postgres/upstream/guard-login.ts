import type { UpstreamConfig } from '@countersign/platform'
import type { Client } from 'pg'
import { clientOf } from './server-login.ts'
import { closeQuietly, parametersOf, toldBy } from './server-told.ts'
import type { Open } from './servers.ts'

const STATEMENT_TIMEOUT_MS = 5_000

/** A catalogue is read by a few queries that look expensive, and each of them would be compiled anew. */
const SETTINGS = { jit: 'off' }

/** A login of the node itself, under the guard role. */
export const guardLogin =
  (upstream: UpstreamConfig, applicationName: string): Open<Client> =>
  async (address, timeoutMs, asks) => {
    const { role: user, password } = upstream.guard
    const more = {
      application_name: applicationName,
      statement_timeout: STATEMENT_TIMEOUT_MS,
      connectionTimeoutMillis: timeoutMs,
    }
    const client = clientOf(upstream, address, { user, password }, more, SETTINGS)
    const parameters = parametersOf(client)
    client.on('error', () => {})
    try {
      await client.connect()
      return { connection: client, told: await toldBy(client, parameters, asks), close: () => closeQuietly(client) }
    } catch (error) {
      closeQuietly(client)
      throw error
    }
  }
