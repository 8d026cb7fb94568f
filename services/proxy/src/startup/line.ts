import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'

/** A client's connection while it is being set up: the socket, and what is spoken through now, TLS perhaps. */
export interface Line {
  readonly socket: Socket
  duplex: Duplex
}
