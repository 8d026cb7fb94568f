import type { LoneNode } from '../support/lone-node.ts'
import { until } from '../support/until.ts'
import { LoadClient } from './load-client.ts'
import { readAtRest, readBytes, residentMiB, watched } from './memory.ts'

/** What one stream of data through a node has cost it. */
export interface Streamed {
  readonly name: string
  readonly mib: number
  readonly seconds: number
  readonly growthMiB: number
}

const MIB = 2 ** 20
const ROW_BYTES = 4_096

/** The tables that these want to find. */
export const LOAD_TABLES = 'create unlogged table sink (line text)'

const rowsOf = (mib: number) =>
  `select repeat('x', ${ROW_BYTES}) from generate_series(1, ${Math.ceil((mib * MIB) / ROW_BYTES)})`

export const result = (node: LoneNode, mib: number): Promise<Streamed> =>
  streamed(node, 'result', mib, (client) => client.query(rowsOf(mib)))

export const copyOut = (node: LoneNode, mib: number): Promise<Streamed> =>
  streamed(node, 'COPY out', mib, (client) => client.query(`copy (${rowsOf(mib)}) to stdout`))

export const copyIn = async (node: LoneNode, mib: number): Promise<Streamed> => {
  const done = await streamed(node, 'COPY in', mib, (client) => client.copyIn('copy sink from stdin', mib * MIB))
  const admin = await node.postgres.connect('shop')
  const { rows } = await admin.query<{ bytes: string }>('select sum(length(line) + 1) as bytes from sink')
  await admin.query('truncate sink')
  await admin.end()
  if (Number(rows[0]?.bytes) < mib * MIB) throw new Error(`only ${rows[0]?.bytes} bytes have arrived`)
  return done
}

const streamed = async (
  node: LoneNode,
  name: string,
  mib: number,
  work: (client: LoadClient) => Promise<void>,
): Promise<Streamed> => {
  const client = await LoadClient.open(node)
  const { seconds, beforeMiB, peakMiB } = await watched(node, () => work(client))
  if (name !== 'COPY in' && client.dataBytes < mib * MIB) throw new Error(`only ${client.dataBytes} bytes have come`)
  client.close()
  return { name, mib, seconds, growthMiB: peakMiB - beforeMiB }
}

export interface Pressed {
  readonly name: string
  /** Who waits for whom, as the server says it. */
  readonly serverWaitsFor: string
  /** What had left its source when everything had come to rest. */
  readonly mibUnderWay: number
  readonly growthMiB: number
}

/** A client that does not read: the server must come to wait for it, and go on when it reads again. */
export const slowReader = async (node: LoneNode, mib: number): Promise<Pressed> => {
  const client = await LoadClient.open(node)
  const before = residentMiB(node)
  const read = readBytes(node)
  client.socket.pause()
  client.ask(rowsOf(mib))
  const underWay = await readAtRest(node, read)
  const serverWaitsFor = await waitEvent(node, 'ClientWrite')
  const growthMiB = residentMiB(node) - before
  client.socket.resume()
  await until(() => (client.dataBytes >= mib * MIB ? true : undefined), 300_000)
  client.close()
  return { name: 'slow reader', serverWaitsFor, mibUnderWay: underWay / MIB, growthMiB }
}

/** A server that does not read, because the table is locked: the client must come to wait for it. */
export const slowServer = async (node: LoneNode, mib: number): Promise<Pressed> => {
  const admin = await node.postgres.connect('shop')
  await admin.query('begin; lock table sink in access exclusive mode')
  const client = await LoadClient.open(node)
  const before = residentMiB(node)
  client.ask('copy sink from stdin')
  const serverWaitsFor = await waitEvent(node, 'relation')
  // The data is sent without waiting for the server, as drivers do that send everything in one go.
  const sent = sendAhead(client, mib * MIB)
  await readAtRest(node, 0)
  const growthMiB = residentMiB(node) - before
  const underWay = sent()
  await admin.query('rollback')
  await admin.end()
  client.close()
  return { name: 'slow server', serverWaitsFor, mibUnderWay: underWay / MIB, growthMiB }
}

/** Writes as fast as it is taken. Gives how many bytes have left. */
const sendAhead = ({ socket }: LoadClient, bytes: number): (() => number) => {
  const piece = Buffer.alloc(64 * 1024, 'x\n')
  const head = Buffer.from([0x64, 0, 0, 0, 0])
  head.writeInt32BE(4 + piece.length, 1)
  const before = socket.bytesWritten - socket.writableLength
  let sent = 0
  const go = () => {
    while (sent < bytes && !socket.destroyed) {
      sent += piece.length
      if (!socket.write(Buffer.concat([head, piece]))) return void socket.once('drain', go)
    }
  }
  go()
  return () => socket.bytesWritten - socket.writableLength - before
}

/** Waits until a session that came through the node waits for this; PostgreSQL says so in pg_stat_activity. */
const waitEvent = async (node: LoneNode, event: string): Promise<string> => {
  const admin = await node.postgres.connect('shop')
  try {
    return await until(async () => {
      const { rows } = await admin.query<{ wait_event: string }>(
        "select wait_event from pg_stat_activity where application_name like 'countersign %' and wait_event = $1",
        [event],
      )
      return rows[0]?.wait_event
    }, 60_000)
  } finally {
    await admin.end()
  }
}
