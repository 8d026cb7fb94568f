import { connect, type Socket } from 'node:net'
import { Frames } from '@countersign/pgwire'
import { framed, startup } from '../support/wire-bytes.ts'

/** Where to connect, and as whom. */
export interface Door {
  readonly port: number
  readonly user: string
  readonly password: string
  readonly database: string
}

/** A client that costs next to nothing, so that thousands fit into one process: it counts what it is told. */
export class LoadClient {
  readonly socket: Socket
  /** Bytes of rows and of COPY data. */
  dataBytes = 0
  rows = 0
  closed = false
  #error: string | undefined
  #ready = 0
  #copying = false
  #passwordAsked = false
  #happened: () => void = () => {}

  private constructor(socket: Socket) {
    this.socket = socket
    const frames = new Frames({
      begin: (tag, length) => {
        if (tag !== 0x44 && tag !== 0x64) return 'whole'
        this.dataBytes += length
        this.rows += 1
        return 'skip'
      },
      piece: () => undefined,
      message: (tag, bytes, start, end) => this.#message(String.fromCharCode(tag), bytes.subarray(start, end)),
    })
    socket.on('data', (bytes) => void frames.read(bytes, 0, bytes.length))
    socket.on('error', (error) => (this.#error ??= error.message))
    socket.on('drain', () => this.#happened())
    socket.on('close', () => {
      this.closed = true
      this.#happened()
    })
  }

  static async open({ port, user, password, database }: Door): Promise<LoadClient> {
    const client = new LoadClient(connect({ port, host: '127.0.0.1', noDelay: true }))
    client.socket.write(startup({ user, database, application_name: 'load' }))
    await client.#until(() => client.#passwordAsked || client.#ready > 0)
    if (client.#passwordAsked) client.socket.write(framed('p', Buffer.from(`${password}\0`)))
    await client.#until(() => client.#ready > 0)
    return client
  }

  /** Runs it to its end. Rejects with what the server says against it. */
  async query(sql: string): Promise<void> {
    const ready = this.#ready
    this.#error = undefined
    this.ask(sql)
    await this.#until(() => this.#ready > ready)
  }

  /** Asks, and does not wait. */
  ask(sql: string): void {
    this.socket.write(framed('Q', Buffer.from(`${sql}\0`)))
  }

  /** Sends so many bytes of one line each into COPY, as fast as they are taken. */
  async copyIn(sql: string, bytes: number): Promise<void> {
    const ready = this.#ready
    this.ask(sql)
    await this.#until(() => this.#copying)
    const line = Buffer.from(`${'x'.repeat(64 * 1024 - 1)}\n`)
    const frame = framed('d', line)
    for (let sent = 0; sent < bytes; sent += line.length) {
      if (this.socket.write(frame)) continue
      await this.#until(() => this.socket.writableLength === 0)
    }
    this.socket.write(framed('c', Buffer.alloc(0)))
    await this.#until(() => this.#ready > ready)
  }

  close(): void {
    this.socket.end(framed('X', Buffer.alloc(0)))
  }

  #message(tag: string, bytes: Buffer): boolean {
    if (tag === 'R') this.#passwordAsked ||= bytes.readInt32BE(5) === 3
    if (tag === 'Z') this.#ready += 1
    if (tag === 'E') this.#error = bytes.toString('utf8', 5).replaceAll('\0', ' ')
    this.#copying = tag === 'G' || (this.#copying && tag !== 'Z')
    this.#happened()
    return true
  }

  async #until(happened: () => boolean): Promise<void> {
    while (!happened()) {
      if (this.closed) throw new Error(`closed: ${this.#error}`)
      await new Promise<void>((resolve) => (this.#happened = resolve))
    }
    if (this.#error !== undefined) throw new Error(this.#error)
  }
}
