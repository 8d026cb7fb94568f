import { createServer } from 'node:net'
import { ClickhouseStartError } from './start-error.ts'

/** Rejects with `CLICKHOUSE_PORT_IN_USE`, which names the port, unless it can be listened on now. */
export const demandFreePort = (port: number): Promise<void> =>
  new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', (cause) => reject(portInUse(port, { cause })))
    probe.listen({ port, host: '127.0.0.1', exclusive: true }, () => probe.close(() => resolve()))
  })

export const portInUse = (port: number, options?: ErrorOptions) =>
  new ClickhouseStartError(
    'CLICKHOUSE_PORT_IN_USE',
    `port ${port} on 127.0.0.1 cannot be used for ClickHouse: stop what listens there, or choose another one`,
    options,
  )
