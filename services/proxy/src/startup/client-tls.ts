import { constants, type X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { Socket } from 'node:net'
import { createServer, type Server, type TLSSocket } from 'node:tls'
import { ConfigError, type NodeConfig } from '@countersign/platform'

type TlsConfig = NonNullable<NodeConfig['tls']>

export type CertificateUse = TlsConfig['clientCertificates'] | 'never'

/** A connection that is encrypted now, and what the client has shown of itself on the way. */
export interface Secured {
  readonly duplex: TLSSocket
  readonly version: string
  /** The client has agreed to the protocol of this node by name (ALPN). */
  readonly alpn: boolean
  readonly certificate: ShownCertificate | undefined
  /** The name under which the client came to this node (SNI). */
  readonly serverName: string | undefined
}

export interface ShownCertificate {
  readonly x509: X509Certificate
  /** Why it is not to be believed; undefined: an authority of `clientCa` has signed it, and it is valid now. */
  readonly fault: string | undefined
}

/** TLS for clients, of one configuration. */
export interface ClientTls {
  readonly certificates: CertificateUse
  /** Shakes hands on a socket nothing of which was read, or was put back. Throws `TlsFailedError` when that fails. */
  secure(socket: Socket): Promise<Secured>
}

/** The handshake came to nothing, or to an end. */
export class TlsFailedError extends Error {
  readonly code = 'PROXY_TLS_FAILED'

  constructor() {
    super('the TLS handshake failed')
    this.name = 'TlsFailedError'
  }
}

/** `alpn`: what TLS calls the protocol that is spoken within. Throws `ConfigError` when a file cannot be used. */
export const clientTlsOf = (config: TlsConfig, alpn: string | undefined): ClientTls => new TlsServer(config, alpn)

/**
 * Connections are handed to a TLS server that listens nowhere (`tls.Server` documents its `connection` event for that),
 * so that Node.js does all that has to be done about certificates.
 */
class TlsServer implements ClientTls {
  readonly certificates: CertificateUse
  readonly #server: Server
  readonly #alpn: string | undefined
  /** Handshakes under way, by the client's address and port: `secureConnection` does not tell which socket it was. */
  readonly #waiting = new Map<string, (secured: TLSSocket) => void>()

  constructor(config: TlsConfig, alpn: string | undefined) {
    this.#alpn = alpn
    this.certificates = config.clientCa === undefined ? 'never' : config.clientCertificates
    this.#server = serverOf(config, alpn)
    this.#server.on('secureConnection', (secured) => {
      const done = this.#waiting.get(placeOf(secured))
      if (done) done(secured)
      else secured.destroy()
    })
  }

  secure(socket: Socket): Promise<Secured> {
    const place = placeOf(socket)
    return new Promise((resolve, reject) => {
      if (socket.destroyed || this.#waiting.has(place)) return reject(new TlsFailedError())
      const closed = () => {
        this.#waiting.delete(place)
        reject(new TlsFailedError())
      }
      this.#waiting.set(place, (secured) => {
        this.#waiting.delete(place)
        socket.off('close', closed)
        // For good: an error that comes while nobody reads from it would end the node.
        secured.on('error', () => secured.destroy())
        resolve(securedOf(secured, this.certificates, this.#alpn))
      })
      socket.once('close', closed)
      this.#server.emit('connection', socket)
    })
  }
}

const placeOf = ({ remoteAddress, remotePort }: Socket): string => `${remoteAddress} ${remotePort}`

const securedOf = (duplex: TLSSocket, certificates: CertificateUse, alpn: string | undefined): Secured => {
  const x509 = certificates === 'never' ? undefined : duplex.getPeerX509Certificate()
  return {
    duplex,
    version: duplex.getProtocol() ?? 'TLS',
    alpn: alpn !== undefined && duplex.alpnProtocol === alpn,
    certificate: x509 && { x509, fault: faultOf(duplex) },
    serverName: serverNameOf(duplex),
  }
}

/** Node.js tells it on the server's side as well, but declares it for the client's only. */
const serverNameOf = (duplex: TLSSocket): string | undefined => {
  const { servername } = duplex as { servername?: unknown }
  return typeof servername === 'string' && servername !== '' ? servername : undefined
}

const faultOf = ({ authorized, authorizationError }: TLSSocket): string | undefined =>
  authorized ? undefined : String(authorizationError ?? 'not verified')

const serverOf = ({ certificate, key, clientCa }: TlsConfig, alpn: string | undefined): Server => {
  const files = {
    cert: read('certificate', certificate),
    key: read('key', key),
    ...(clientCa !== undefined && { ca: read('clientCa', clientCa) }),
  }
  try {
    return createServer({
      ...files,
      minVersion: 'TLSv1.2',
      ...(alpn !== undefined && { ALPNProtocols: [alpn] }),
      requestCert: clientCa !== undefined,
      // A certificate that is not trusted is refused behind the handshake, where it can be said why, and recorded.
      rejectUnauthorized: false,
      // As PostgreSQL: nothing is resumed, so whoever connects shows what it has each time; nothing is renegotiated.
      secureOptions: constants.SSL_OP_NO_TICKET | constants.SSL_OP_NO_RENEGOTIATION,
    })
  } catch (cause) {
    throw new ConfigError(`node.tls: ${certificate} and ${key} are no certificate and key that belong together`, {
      cause,
    })
  }
}

const read = (name: string, file: string): Buffer => {
  try {
    return readFileSync(file)
  } catch (cause) {
    throw new ConfigError(`node.tls.${name}: ${file} cannot be read`, { cause })
  }
}
