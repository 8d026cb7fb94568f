import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { cstring, FRONTEND, message } from '@countersign/pgwire'

const READY = 0x5a

/** A client that sends bytes without waiting for answers. Messages of the server, as a letter and their bytes. */
export class RawSession {
  readonly #socket: Socket
  #received: Buffer = Buffer.alloc(0)
  #messages: Buffer[] = []
  #arrived: () => void = () => {}

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.on('data', (bytes: Buffer) => this.#take(bytes))
    socket.on('close', () => this.#arrived())
    socket.on('error', () => {})
  }

  static async login(port: number, { user, database, token }: { user: string; database: string; token: string }) {
    const socket = connect(port, '127.0.0.1')
    await once(socket, 'connect')
    const session = new RawSession(socket)
    const options = ['user', user, 'database', database, 'options', '-c countersign.hold=0'].map((text) =>
      cstring(text),
    )
    const body = Buffer.concat([Buffer.from([0, 3, 0, 0]), ...options, Buffer.from([0])])
    const length = Buffer.alloc(4)
    length.writeInt32BE(body.length + 4)
    session.#socket.write(Buffer.concat([length, body, message(FRONTEND.password, cstring(token))]))
    await session.until(1)
    return session
  }

  /** Sends this, waits for so many ReadyForQuery, and returns what came: `C` and `E` with their text, others bare. */
  async says(bytes: Buffer, readies: number): Promise<readonly string[]> {
    this.#messages = []
    this.#socket.write(bytes)
    await this.until(readies)
    return this.#messages.map(wordsOf)
  }

  close(): void {
    this.#socket.destroy()
  }

  private async until(readies: number): Promise<void> {
    const isThere = () => this.#messages.filter(([tag]) => tag === READY).length >= readies || this.#socket.destroyed
    while (!isThere()) await new Promise<void>((resolve) => (this.#arrived = resolve))
  }

  #take(bytes: Buffer): void {
    this.#received = Buffer.concat([this.#received, bytes])
    while (this.#received.length >= 5 && this.#received.length > this.#received.readInt32BE(1)) {
      const end = 1 + this.#received.readInt32BE(1)
      this.#messages.push(Buffer.from(this.#received.subarray(0, end)))
      this.#received = this.#received.subarray(end)
    }
    this.#arrived()
  }
}

const wordsOf = (bytes: Buffer): string => {
  const tag = String.fromCharCode(bytes[0] ?? 0)
  if (tag === 'C') return `C ${bytes.toString('utf8', 5, bytes.length - 1)}`
  return tag === 'E' ? `E ${/C([0-9A-Z]{5})\0/.exec(bytes.toString('latin1'))?.[1] ?? ''}` : tag
}
