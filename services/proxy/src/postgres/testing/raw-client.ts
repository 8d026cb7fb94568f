import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { connect as connectTls, type ConnectionOptions, type TLSSocket } from 'node:tls'
import { cstring, FRONTEND, message } from '@countersign/pgwire'

export const SSL_REQUEST = Buffer.from('0000000804d2162f', 'hex')
export const GSSENC_REQUEST = Buffer.from('0000000804d21630', 'hex')

export const startup = (parameters: Readonly<Record<string, string>>, minor = 0): Buffer => {
  const texts = Object.entries(parameters).flat().map(cstring)
  const body = Buffer.concat([Buffer.from([0, 3, 0, minor]), ...texts, Buffer.from([0])])
  const length = Buffer.alloc(4)
  length.writeInt32BE(4 + body.length)
  return Buffer.concat([length, body])
}

export const password = (token: string): Buffer => message(FRONTEND.password, cstring(token))

/** The end of what says that the server is ready, outside any transaction. */
export const IDLE = /Z\0{3}.I$/s

/** A client that says exactly what it is told to, and nothing that PostgreSQL would expect. */
export class RawClient {
  readonly socket: Socket
  #duplex: Duplex
  #received = Buffer.alloc(0)
  closed = false

  private constructor(socket: Socket) {
    this.socket = socket
    this.#duplex = socket
    this.#listen(socket)
    socket.on('close', () => (this.closed = true))
    socket.on('error', () => {})
  }

  static async open(port: number, localAddress?: string): Promise<RawClient> {
    const socket = connect({ port, host: '127.0.0.1', ...(localAddress !== undefined && { localAddress }) })
    socket.on('error', () => {})
    await once(socket, 'connect')
    return new RawClient(socket)
  }

  /** Logged in, and idle. */
  static async loggedIn(port: number, user: string, token: string, localAddress?: string): Promise<RawClient> {
    const client = await RawClient.open(port, localAddress)
    client.send(startup({ user, database: 'shop' }))
    await client.until(/^R/)
    client.send(password(token))
    await client.until(IDLE)
    return client
  }

  get text(): string {
    return this.#received.toString('latin1')
  }

  forget(): void {
    this.#received = Buffer.alloc(0)
  }

  send(...bytes: readonly Buffer[]): void {
    this.#duplex.write(Buffer.concat(bytes))
  }

  /** Speaks through TLS from now on. */
  async secure(options: ConnectionOptions = {}): Promise<TLSSocket> {
    this.socket.removeAllListeners('data')
    const secured = connectTls({ socket: this.socket, rejectUnauthorized: false, ...options })
    secured.on('error', () => {})
    secured.on('close', () => (this.closed = true))
    await Promise.race([once(secured, 'secureConnect'), once(secured, 'close').then(() => this.#refused())])
    this.#duplex = secured
    this.#listen(secured)
    return secured
  }

  async until(what: RegExp, timeoutMs = 30_000): Promise<string> {
    const deadline = Date.now() + timeoutMs
    while (!what.test(this.text)) {
      if (this.closed) throw new Error(`closed after: ${this.text}`)
      if (Date.now() > deadline) throw new Error(`no ${what} after ${timeoutMs} ms: ${this.text.slice(0, 500)}`)
      await sleep(5)
    }
    return this.text
  }

  /** What it has been told by the time that the node closes. */
  async untilClosed(timeoutMs = 30_000): Promise<string> {
    const deadline = Date.now() + timeoutMs
    while (!this.closed) {
      if (Date.now() > deadline) throw new Error(`still open: ${this.text.slice(0, 500)}`)
      await sleep(5)
    }
    return this.text
  }

  pause(): void {
    this.#duplex.pause()
  }

  resume(): void {
    this.#duplex.resume()
  }

  /** As a client that crashes: no goodbye, and what is on its way is lost. */
  reset(): void {
    this.socket.resetAndDestroy()
  }

  close(): void {
    this.#duplex.destroy()
    this.socket.destroy()
  }

  #listen(duplex: Duplex): void {
    duplex.on('data', (bytes: Buffer) => (this.#received = Buffer.concat([this.#received, bytes])))
  }

  #refused(): never {
    throw new Error('the TLS handshake was refused')
  }
}
