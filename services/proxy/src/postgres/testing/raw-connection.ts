import { connect, type Socket } from 'node:net'
import { once } from 'node:events'
import {
  BACKEND,
  cancelRequest,
  cstring,
  FRONTEND,
  Frames,
  int32,
  message,
  readNotice,
  readNotification,
  readRowDescription,
} from '@countersign/pgwire'

export interface Address {
  readonly port: number
  readonly user: string
  readonly password: string
  readonly database: string
}

interface Told {
  readonly tag: string
  readonly words: string
}

/** Below this, relations are the server's own, and have the same number everywhere. */
const FIRST_OWN_OID = 16_384

/** A client that says whatever bytes it is told to, and tells every message that it hears, one line for each. */
export class RawConnection {
  readonly #socket: Socket
  readonly #told: Told[] = []
  readonly #frames: Frames
  readonly #relations = new Map<number, number>()
  #wake = () => {}
  #closed = false
  processId = 0
  secret: Buffer = Buffer.alloc(0)
  readonly parameters = new Map<string, string>()

  private constructor(socket: Socket) {
    this.#socket = socket
    this.#frames = new Frames({
      begin: () => 'whole',
      piece: () => {},
      message: (tag, bytes, start, end) => {
        this.#hear(tag, bytes.subarray(start, end))
        return true
      },
    })
    socket.on('data', (bytes) => {
      this.#frames.read(bytes, 0, bytes.length)
      this.#wake()
    })
    socket.on('close', () => {
      this.#closed = true
      this.#wake()
    })
    socket.on('error', () => {})
  }

  static async open({ port }: Pick<Address, 'port'>): Promise<RawConnection> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    await once(socket, 'connect')
    return new RawConnection(socket)
  }

  /** Logged in and idle. `minor`: of the protocol; further parameters of the start-up packet. */
  static async loggedIn(
    address: Address,
    { minor = 0, parameters = {} }: { minor?: number; parameters?: Readonly<Record<string, string>> } = {},
  ): Promise<RawConnection> {
    const connection = await RawConnection.open(address)
    const { user, database, password } = address
    connection.say(startupMessage(minor, { user, database, ...parameters }))
    await connection.until(({ tag, words }) => tag === 'R' || tag === 'E' || words === 'closed')
    if (connection.#told.some(({ tag, words }) => tag === 'R' && words === '00000003')) {
      connection.say(message(FRONTEND.password, cstring(password)))
    }
    await connection.until(({ tag }) => tag === 'Z' || tag === 'E')
    return connection
  }

  say(...messages: readonly Buffer[]): void {
    this.#socket.write(Buffer.concat(messages))
  }

  /** The same, one byte after the other, each in a packet of its own as far as the system does that. */
  async sayByteByByte(bytes: Buffer): Promise<void> {
    for (const byte of bytes) {
      this.#socket.write(Uint8Array.of(byte))
      await new Promise((resolve) => setImmediate(resolve))
    }
  }

  /** Waits until something has been heard since the last `news`, so many times. */
  async until(wanted: (told: Told) => boolean, times = 1): Promise<void> {
    const deadline = Date.now() + 20_000
    while (this.#told.filter(wanted).length < times) {
      if (this.#closed) return
      if (Date.now() > deadline) throw new Error(`waited in vain; heard: ${this.#told.map(lineOf).join('\n')}`)
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, 500)
        this.#wake = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
  }

  /** Everything that was heard up to so many ReadyForQuery since this was last asked, a line each. */
  async answers(readies: number): Promise<string[]> {
    await this.until(({ tag }) => tag === 'Z', readies)
    return this.news()
  }

  news(): string[] {
    const lines = this.#told.splice(0).map(lineOf)
    return this.#closed ? [...lines, 'closed'] : lines
  }

  async closed(): Promise<void> {
    await this.until(() => false)
  }

  end(): void {
    this.#socket.destroy()
  }

  #hear(tag: number, bytes: Buffer): void {
    const letter = String.fromCharCode(tag)
    if (tag === BACKEND.backendKeyData) {
      this.processId = bytes.readInt32BE(5)
      this.secret = Buffer.from(bytes.subarray(9))
    }
    if (tag === BACKEND.parameterStatus) {
      const [name = '', value = ''] = bytes.subarray(5).toString().split('\0')
      this.parameters.set(name, value)
    }
    this.#told.push({ tag: letter, words: this.#wordsOf(tag, bytes) })
  }

  /** What must be the same from whomever it comes. */
  #wordsOf(tag: number, bytes: Buffer): string {
    switch (tag) {
      case BACKEND.errorResponse:
      case BACKEND.noticeResponse:
        return [...readNotice(bytes, 0, bytes.length)]
          .filter(([letter]) => !WHERE_IN_THE_SERVER.has(letter))
          .map(([letter, value]) => `${letter}:${value}`)
          .join(' ')
      case BACKEND.notificationResponse: {
        const { processId, channel, payload } = readNotification(bytes, 0, bytes.length)
        return `${processId === this.processId ? 'self' : 'other'} ${channel} ${payload}`
      }
      case BACKEND.rowDescription:
        return JSON.stringify(
          readRowDescription(bytes, 0, bytes.length).map((column) => ({
            ...column,
            relation: this.#numberOf(column.relation),
          })),
        )
      case BACKEND.backendKeyData:
        return `${bytes.length - 9} bytes`
      case BACKEND.authentication:
        return bytes.subarray(5).toString('hex')
      default:
        return printable(bytes.subarray(5))
    }
  }

  /** Relations of one's own by the order in which they are met. */
  #numberOf(relation: number): number | string {
    if (relation < FIRST_OWN_OID) return relation
    const known = this.#relations.get(relation)
    if (known === undefined) this.#relations.set(relation, this.#relations.size + 1)
    return `own ${known ?? this.#relations.size}`
  }
}

const WHERE_IN_THE_SERVER = new Set(['F', 'L', 'R'])

const lineOf = ({ tag, words }: Told): string => (words === '' ? tag : `${tag} ${words}`)

const LONG = 400

const printable = (bytes: Buffer): string => {
  const text = bytes.toString('latin1').replaceAll(/[^ -~]/g, (char) => `\\${char.charCodeAt(0).toString(16)}`)
  return text.length > LONG ? `${text.slice(0, LONG)}… ${bytes.length} bytes` : text
}

export const startupMessage = (minor: number, parameters: Readonly<Record<string, string>>): Buffer => {
  const pairs = Object.entries(parameters).flat().map(cstring)
  const body = Buffer.concat([int32((3 << 16) | minor), ...pairs, Buffer.from([0])])
  return Buffer.concat([int32(4 + body.length), body])
}

/** Asks for a cancel as libpq does: and waits for the other side to close. */
export const cancel = async ({ port }: Pick<Address, 'port'>, processId: number, secret: Buffer): Promise<void> => {
  const socket = connect(port, '127.0.0.1')
  await once(socket, 'connect')
  socket.write(cancelRequest(processId, secret))
  socket.resume()
  await once(socket, 'close')
}
