import { connect } from 'node:net'

/*
 * ApiVersions Request (Version: 0) => length apiKey apiVersion correlationId clientId
 *   length        => Int32
 *   apiKey        => Int16 (18)
 *   apiVersion    => Int16
 *   correlationId => Int32
 *   clientId      => Int16 bytes
 */
const REQUEST = Buffer.from([0, 0, 0, 14, 0, 18, 0, 0, 0, 0, 0, 1, 0, 4, ...Buffer.from('test')])

const TIMEOUT_MS = 1_000

/** Whether a broker answers at a port of this machine. It opens the port only once the cluster has let it in. */
export const answersAt = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(REQUEST))
    const end = (answered: boolean) => {
      socket.destroy()
      resolve(answered)
    }
    socket.setTimeout(TIMEOUT_MS, () => end(false))
    socket.once('data', () => end(true))
    socket.once('error', () => end(false))
    socket.once('close', () => end(false))
  })
