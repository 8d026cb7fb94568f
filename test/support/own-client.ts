import { connect, type Socket } from 'node:net'
import { Client, type DatabaseError } from 'pg'
import { accessEvents, ofType } from './access-events.ts'
import type { Product } from './product.ts'
import { until } from './until.ts'

/** A node-postgres client, with what it heard while nobody asked and how its connection ended. */
export interface Own {
  readonly client: Client
  readonly errors: DatabaseError[]
  readonly ended: Promise<void>
  /** The number of the server's process behind it. */
  readonly processId: number
  /** Which worker of the node serves it, by the record. */
  readonly worker: number
  /** Asks the node on another connection to cancel, as libpq does; or with a key that is wrong in these bits. */
  cancel(wrongBits?: number): Promise<void>
}

/** Cancel keys of a client, which the types of `pg` keep to themselves. */
interface WithKey {
  readonly processID: number
  readonly secretKey: number
}

export interface OwnOptions {
  readonly database?: string
  readonly tls?: boolean
}

export const ownClient = async (product: Product, as: string, options: OwnOptions = {}): Promise<Own> => {
  const url = new URL(product.dsn(as, { sslmode: options.tls === true ? 'no-verify' : 'disable' }))
  if (options.database !== undefined) url.pathname = options.database
  const client = new Client(url.href)
  const errors: DatabaseError[] = []
  client.on('error', (error) => errors.push(error as DatabaseError))
  const ended = new Promise<void>((resolve) => client.once('end', () => resolve()))
  await client.connect()
  const { processID: processId, secretKey } = client as unknown as WithKey
  return {
    client,
    errors,
    ended,
    processId,
    worker: await workerBehind(product, processId),
    cancel: (wrongBits = 0) => sendCancel(product, processId, secretKey ^ wrongBits),
  }
}

export const workerOf = ({ worker }: Own): number => worker

/** Process numbers come again: it is the last session that has it. */
const workerBehind = (product: Product, processId: number): Promise<number> =>
  until(async () => {
    const opened = ofType(await accessEvents(product), 'session.opened')
    const name = opened.findLast(({ upstream }) => upstream.processId === processId)?.worker
    return name === undefined ? undefined : Number(/\/w(\d+)\//.exec(name)?.[1])
  })

export const failureOf = async (asked: Promise<unknown>): Promise<DatabaseError> => {
  try {
    await asked
  } catch (error) {
    return error as DatabaseError
  }
  throw new Error('it did not fail')
}

const CANCEL_REQUEST = 80_877_102

const sendCancel = (product: Product, processId: number, secretKey: number): Promise<void> =>
  new Promise((resolve, reject) => {
    const packet = Buffer.alloc(16)
    for (const [index, value] of [16, CANCEL_REQUEST, processId, secretKey].entries())
      packet.writeInt32BE(value, index * 4)
    const { host, port } = product.ready.proxy
    const socket: Socket = connect(port, host, () => socket.end(packet))
    socket.once('error', reject)
    socket.once('close', () => resolve())
    socket.resume()
  })
