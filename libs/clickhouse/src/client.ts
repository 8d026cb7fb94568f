import { createClient, type ClickHouseClient } from '@clickhouse/client'

/** Where a ClickHouse server is, and as whom to speak to it. The `audit.clickhouse` part of countersign.yaml fits. */
export interface ClickhouseServer {
  readonly url: string
  readonly user: string
  readonly password: string
}

const REQUEST_TIMEOUT_MS = 60_000

/**
 * A client for one server and, unless told otherwise, its default database. It connects when it is first used.
 *
 * 64-bit integers come back as numbers: what we count stays far below 2^53, and a number is what went in.
 */
export const openClickhouse = ({ url, user, password }: ClickhouseServer, database?: string): ClickHouseClient =>
  createClient({
    url,
    username: user,
    password,
    ...(database !== undefined && { database }),
    application: 'countersign',
    request_timeout: REQUEST_TIMEOUT_MS,
    clickhouse_settings: { output_format_json_quote_64bit_integers: 0 },
    log: { level: SILENT },
  })

/** For `await using`: the client is closed at the end of the block. */
export const closing = (client: ClickHouseClient) => ({ client, [Symbol.asyncDispose]: () => client.close() })

/** Above every level of the client's own logger: what went wrong reaches us as an error, and is told once. */
const SILENT = 127

export type { ClickHouseClient } from '@clickhouse/client'
