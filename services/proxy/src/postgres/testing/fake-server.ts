import { once } from 'node:events'
import { createConnection, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { connect as connectTls, createSecureContext, TLSSocket } from 'node:tls'
import { authenticationOk, backendKeyData, BACKEND, int32, message, readyForQuery } from '@countersign/pgwire'

/** What a server says to what it hears; undefined: nothing. */
export type Answers = (heard: Buffer) => Buffer | undefined

type Serve = (socket: Socket, hear: (bytes: Buffer) => void) => void

export const SSL_REQUEST = Buffer.from('0000000804d2162f', 'hex')

export interface Pem {
  readonly certificate: string
  readonly key: string
}

/** A server that is none: it says what a spec makes it say, and remembers what it has heard. */
export class FakeServer {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  /** What came, one text for each connection: encrypted or not, as it was meant. */
  readonly heard: Buffer[] = []

  private constructor(serve: Serve) {
    this.#server = createServer((socket) => {
      const index = this.heard.push(Buffer.alloc(0)) - 1
      this.#sockets.add(socket)
      socket.on('error', () => socket.destroy())
      serve(socket, (bytes) => (this.heard[index] = Buffer.concat([this.heard[index] ?? Buffer.alloc(0), bytes])))
    })
  }

  /** Without TLS. */
  static plain(answers: Answers): Promise<FakeServer> {
    return FakeServer.#listening((socket, hear) => converse(socket, hear, answers))
  }

  /** Agrees to TLS, and then speaks through that. */
  static secured(pem: Pem, answers: Answers): Promise<FakeServer> {
    return FakeServer.#listening((socket, hear) => {
      void upgraded(socket, pem).then((secured) => converse(secured, hear, answers))
    })
  }

  /** Speaks TLS in both directions, and hands over what it reads: the man in the middle. */
  static between(pem: Pem, port: number): Promise<FakeServer> {
    return FakeServer.#listening((socket, hear) => {
      void upgraded(socket, pem).then(async (secured) => {
        const server = await behind(port)
        secured.on('data', hear)
        secured.pipe(server).pipe(secured)
        server.on('error', () => secured.destroy())
        secured.on('error', () => server.destroy())
      })
    })
  }

  static async #listening(serve: Serve): Promise<FakeServer> {
    const server = new FakeServer(serve)
    server.#server.listen(0, '127.0.0.1')
    await once(server.#server, 'listening')
    return server
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  stop(): void {
    this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
  }
}

const converse = (socket: Socket, hear: (bytes: Buffer) => void, answers: Answers) => {
  socket.on('error', () => socket.destroy())
  socket.on('data', (bytes: Buffer) => {
    hear(bytes)
    const answer = answers(bytes)
    if (answer) socket.write(answer)
  })
}

const upgraded = async (socket: Socket, { certificate, key }: Pem): Promise<TLSSocket> => {
  await once(socket, 'data') // SSLRequest.
  socket.pause()
  socket.write('S')
  const secureContext = createSecureContext({ cert: certificate, key })
  const secured = new TLSSocket(socket, { isServer: true, secureContext })
  secured.on('error', () => socket.destroy())
  return secured
}

const behind = async (port: number): Promise<TLSSocket> => {
  const socket = createConnection({ host: '127.0.0.1', port })
  await once(socket, 'connect')
  socket.write(SSL_REQUEST)
  await once(socket, 'data')
  return connectTls({ socket, rejectUnauthorized: false })
}

// -- what a server says while somebody logs in -----------------------------------------------------------------------

const authentication = (kind: number, rest = Buffer.alloc(0)): Buffer =>
  message(BACKEND.authentication, int32(kind), rest)

export const asksCleartext = (): Buffer => authentication(3)
export const asksMd5 = (): Buffer => authentication(5, Buffer.from('salt'))
export const asksGssapi = (): Buffer => authentication(7)
export const asksSasl = (...mechanisms: readonly string[]): Buffer =>
  authentication(10, Buffer.from(`${mechanisms.map((name) => `${name}\0`).join('')}\0`))
export const saslContinue = (text: string): Buffer => authentication(11, Buffer.from(text))
export const saslFinal = (text: string): Buffer => authentication(12, Buffer.from(text))
export const loggedIn = (): Buffer =>
  Buffer.concat([authenticationOk(), backendKeyData(4711, Buffer.from('2a2a2a2a', 'hex')), readyForQuery('idle')])
