import { createConnection, isIP, type Socket } from 'node:net'
import { connect as connectTls, type ConnectionOptions } from 'node:tls'
import type { DatabaseConfig, ServerAddress } from '@countersign/platform'
import { cancelRequest } from '@countersign/pgwire'
import { tlsFor } from './server-login.ts'

type Upstream = DatabaseConfig['upstream']

export interface ServerKey {
  readonly processId: number
  readonly secretKey: number
}

/** The very machine that a session is on: its name may lead to another one next time. */
export interface Machine extends ServerAddress {
  /** Its network address. */
  readonly machine: string
}

const TIMEOUT_MS = 8_000
const SSL_REQUEST = Buffer.from('0000000804d2162f', 'hex')
const YES = 'S'.charCodeAt(0)

/**
 * Asks the server to cancel what the session with this key runs: on a connection of its own, as the protocol asks, and
 * through TLS where that is spoken, because whoever overhears the key can cancel as well. Resolves when the server has
 * closed that connection, as it does when it has sent its signal. That it fails, because the server is not there or the
 * files for TLS are gone, is the client's to notice, and to repeat: it never rejects.
 */
export const sendCancel = (upstream: Upstream, to: Machine, { processId, secretKey }: ServerKey): Promise<void> => {
  const secret = Buffer.alloc(4)
  secret.writeInt32BE(secretKey)
  try {
    return send(to, tlsFor(upstream, to.host), cancelRequest(processId, secret))
  } catch {
    return Promise.resolve()
  }
}

const send = ({ port, machine }: Machine, tls: ReturnType<typeof tlsFor>, request: Buffer): Promise<void> => {
  const socket = createConnection({ host: machine, port }, () => {
    if (tls === false) socket.resume().end(request)
    else askForTls(socket, tls, request)
  })
  socket.on('error', () => socket.destroy())
  socket.setTimeout(TIMEOUT_MS, () => socket.destroy())
  return new Promise((resolve) => socket.once('close', () => resolve()))
}

const askForTls = (socket: Socket, tls: ConnectionOptions, request: Buffer): void => {
  socket.once('data', (answer: Buffer) => {
    // More than the one byte would be somebody else's, in front of the handshake (CVE-2021-23222).
    if (answer.length !== 1 || answer[0] !== YES) socket.destroy()
    else endThroughTls(socket, tls, request)
  })
  socket.write(SSL_REQUEST)
}

const endThroughTls = (socket: Socket, tls: ConnectionOptions, request: Buffer): void => {
  const { host = '' } = tls
  const servername = isIP(host) === 0 ? { servername: host } : {}
  const secured = connectTls({ ...tls, ...servername, socket }, () => secured.resume().end(request))
  secured.on('error', () => socket.destroy())
}
