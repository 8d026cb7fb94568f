import { connect, type Socket } from 'node:net'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { product } from './shared-product.ts'
import { framed, startup } from './wire-bytes.ts'

export { framed, startup } from './wire-bytes.ts'

/** A client that says exactly what it is told to, and nothing that PostgreSQL would expect. */
export class RawClient {
  readonly socket: Socket
  #received = Buffer.alloc(0)
  closed = false

  private constructor(socket: Socket) {
    this.socket = socket
    socket.on('data', (bytes) => (this.#received = Buffer.concat([this.#received, bytes])))
    socket.on('close', () => (this.closed = true))
    socket.on('error', () => {})
  }

  static async open(): Promise<RawClient> {
    const { host, port } = product.ready.proxy
    const socket = connect(port, host)
    await once(socket, 'connect')
    return new RawClient(socket)
  }

  /** Logged in without TLS, and idle. */
  static async loggedIn(id: string): Promise<RawClient> {
    const client = await RawClient.open()
    client.send(startup({ user: id, database: 'shop' }))
    await client.until((bytes) => bytes.includes(Buffer.from('R')))
    client.send(framed('p', Buffer.from(`${product.principal(id).token}\0`)))
    await client.until((bytes) => bytes.subarray(-6).equals(framed('Z', Buffer.from('I'))))
    return client
  }

  get received(): Buffer {
    return this.#received
  }

  forget(): void {
    this.#received = Buffer.alloc(0)
  }

  send(bytes: Buffer): void {
    this.socket.write(bytes)
  }

  async until(arrived: (bytes: Buffer) => boolean, timeoutMs = 10_000): Promise<void> {
    const deadline = Date.now() + timeoutMs
    while (!arrived(this.#received)) {
      if (this.closed) throw new Error(`closed after: ${this.#received.toString('latin1')}`)
      if (Date.now() > deadline) throw new Error(`nothing after ${timeoutMs} ms: ${this.#received.toString('latin1')}`)
      await sleep(10)
    }
  }

  async untilClosed(timeoutMs = 15_000): Promise<void> {
    const deadline = Date.now() + timeoutMs
    while (!this.closed) {
      if (Date.now() > deadline) throw new Error('still open')
      await sleep(10)
    }
  }

  close(): void {
    this.socket.destroy()
  }
}
