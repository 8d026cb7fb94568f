import type { Client } from 'pg'
import { innerOf } from './server-login.ts'
import type { ServerTold } from './session-attrs.ts'

interface ParameterStatus {
  readonly parameterName: string
  readonly parameterValue: string
}

/** Collects what the server says of its settings, from before the login on. */
export const parametersOf = (client: Client): ReadonlyMap<string, string> => {
  const parameters = new Map<string, string>()
  innerOf(client).connection.on('parameterStatus', ({ parameterName, parameterValue }: ParameterStatus) =>
    parameters.set(parameterName, parameterValue),
  )
  return parameters
}

/**
 * Whether it is a standby, and read-only. From PostgreSQL 14 on it says so by itself; before that it is asked where it
 * matters (`asks`). A client that wants its own session read-only says nothing about the server by that (`own`).
 */
export const toldBy = async (
  client: Client,
  parameters: ReadonlyMap<string, string>,
  asks: boolean,
  own = false,
): Promise<ServerTold> => {
  const hot = parameters.get('in_hot_standby')
  if (hot !== undefined) {
    const standby = hot === 'on'
    return { standby, readOnly: standby || (!own && parameters.get('default_transaction_read_only') === 'on') }
  }
  if (!asks) return { standby: undefined, readOnly: undefined }
  const { rows } = await client.query<[boolean, boolean]>({ text: RECOVERY_QUERY, rowMode: 'array' })
  const [standby, readOnly] = rows[0] ?? []
  return { standby, readOnly: own ? standby : readOnly }
}

const RECOVERY_QUERY = `SELECT pg_catalog.pg_is_in_recovery(),
  pg_catalog.pg_is_in_recovery() OR pg_catalog.current_setting('default_transaction_read_only') = 'on'`

export const closeQuietly = (client: Client): void => {
  client.on('error', () => {})
  client.end().catch(() => {})
}
