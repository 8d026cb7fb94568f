import { Socket, type SocketConstructorOpts } from 'node:net'
import type { Duplex } from 'node:stream'
import { DEAF, type ByteListener, type ByteStream } from './byte-stream.ts'

const READ_BYTES = 64 * 1024

/**
 * A stream over a socket that another owner has used until now (to shake hands). Whatever has been read and not
 * consumed is delivered first.
 */
export const byteStreamOf = (socket: Duplex): ByteStream => {
  if (socket instanceof Socket) {
    const handle = takeHandle(socket)
    if (handle !== undefined) return new SocketStream(handle.handle, handle.unread)
  }
  return new DuplexStream(socket)
}

/**
 * Takes the operating system's socket out of a Node socket. `_handle` is not a documented property; where it is not
 * there (a TLS socket, another runtime) the slower path serves.
 */
const takeHandle = (socket: Socket): { handle: object; unread: Buffer | null } | undefined => {
  const holder = socket as unknown as { _handle: { reading?: boolean; readStop?: () => void } | null }
  const handle = holder._handle
  if (!handle || socket.constructor !== Socket || typeof handle.readStop !== 'function') return undefined
  socket.pause()
  const unread = socket.read() as Buffer | null
  handle.readStop()
  handle.reading = false
  holder._handle = null
  socket.removeAllListeners()
  socket.on('error', () => {})
  socket.destroy()
  return { handle, unread }
}

const LINGER_MS = 30_000

/** A peer that does not take its last words, or does not close when we have, keeps nothing of ours for ever. */
const closeLater = (duplex: Duplex): void => {
  const late = setTimeout(() => duplex.destroy(), LINGER_MS)
  late.unref()
  duplex.once('close', () => clearTimeout(late))
}

/** A plain socket that reads into one buffer of its own, again and again. */
class SocketStream implements ByteStream {
  listener: ByteListener = DEAF
  readonly #socket: Socket
  #buffer: Buffer = Buffer.allocUnsafeSlow(READ_BYTES)
  #closed = false

  constructor(handle: object, unread: Buffer | null) {
    const options = {
      handle,
      onread: {
        buffer: () => this.#buffer,
        callback: (length: number, buffer: Buffer) => {
          this.listener.received(buffer, length)
          return true
        },
      },
    }
    this.#socket = new Socket(options as SocketConstructorOpts)
    this.#socket.setNoDelay(true)
    this.#socket.on('drain', () => this.listener.drained())
    this.#socket.on('error', () => this.#close())
    this.#socket.on('end', () => this.#close())
    this.#socket.on('close', () => this.#close())
    if (unread) setImmediate(() => this.listener.received(unread, unread.length))
    setImmediate(() => this.#start())
  }

  #start(): void {
    if (this.#closed) return
    this.#socket.resume()
    this.#socket.read(0)
  }

  #close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#socket.destroy()
    this.listener.closed()
  }

  get backlog(): number {
    return this.#socket.writableLength
  }

  write(bytes: Buffer): void {
    if (!this.#closed) this.#socket.write(bytes)
  }

  keep(): void {
    this.#buffer = Buffer.allocUnsafeSlow(READ_BYTES)
  }

  pause(): void {
    this.#socket.pause()
  }

  resume(): void {
    this.#socket.resume()
  }

  end(): void {
    this.#socket.end()
    closeLater(this.#socket)
  }

  destroy(): void {
    this.#close()
  }
}

/** Any other duplex: TLS in both directions. Each read brings a buffer of its own, so nothing need be kept. */
class DuplexStream implements ByteStream {
  listener: ByteListener = DEAF
  readonly #duplex: Duplex
  #closed = false

  constructor(duplex: Duplex) {
    this.#duplex = duplex
    duplex.removeAllListeners('data')
    duplex.on('data', (bytes: Buffer) => this.listener.received(bytes, bytes.length))
    duplex.on('drain', () => this.listener.drained())
    duplex.on('error', () => this.#close())
    duplex.on('end', () => this.#close())
    duplex.on('close', () => this.#close())
    setImmediate(() => duplex.resume())
  }

  #close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#duplex.destroy()
    this.listener.closed()
  }

  get backlog(): number {
    return this.#duplex.writableLength
  }

  write(bytes: Buffer): void {
    if (!this.#closed) this.#duplex.write(bytes)
  }

  keep(): void {}

  pause(): void {
    this.#duplex.pause()
  }

  resume(): void {
    this.#duplex.resume()
  }

  end(): void {
    this.#duplex.end()
    closeLater(this.#duplex)
  }

  destroy(): void {
    this.#close()
  }
}
