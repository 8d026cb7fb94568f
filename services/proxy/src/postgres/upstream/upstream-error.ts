/** Why there is no connection to the database. */
export type UpstreamFault =
  | 'unreachable'
  | 'timeout'
  | 'closed'
  | 'tls-not-offered'
  | 'tls-failed'
  | 'certificate-untrusted'
  | 'certificate-expired'
  | 'certificate-of-another'
  | 'password-in-clear'
  | 'channel-binding-missing'
  | 'server-not-proven'
  | 'authentication-unsupported'
  | 'authentication-failed'
  | 'not-postgresql'
  | 'refused'
  | 'misconfigured'

/**
 * The server refused, could not be reached, or is not the one that it must be. `fields` is what it said, when it said
 * something. Never a password, nor anything that is sent in the place of one.
 */
export class UpstreamError extends Error {
  readonly code = 'PROXY_UPSTREAM'
  readonly fault: UpstreamFault
  readonly fields: { readonly code: string; readonly message: string } | undefined

  constructor(fault: UpstreamFault, message: string, fields?: UpstreamError['fields'], options?: ErrorOptions) {
    super(message, options)
    this.name = 'UpstreamError'
    this.fault = fault
    this.fields = fields
  }
}

/** What went wrong, from whatever `pg`, TLS or the network has thrown. */
export const upstreamErrorOf = (error: unknown): UpstreamError => {
  if (error instanceof UpstreamError) return error
  const { code, message } = error as { readonly code?: unknown; readonly message?: unknown }
  const text = typeof message === 'string' ? message : ''
  const name = typeof code === 'string' ? code : ''
  const options = { cause: error }
  if (/^[0-9A-Z]{5}$/.test(name) && !SYSTEM_CODES.has(name)) return fromServer(name, text, options)
  const fault = faultOfCode(name) ?? (name.startsWith('PGWIRE_') ? faultOfProtocol(text) : faultOfText(text))
  return new UpstreamError(fault, fault === 'unreachable' ? text || name : SAID[fault], undefined, options)
}

const fromServer = (code: string, message: string, options: ErrorOptions) =>
  new UpstreamError(code.startsWith('28') ? 'authentication-failed' : 'refused', message, { code, message }, options)

/** Five capital letters, like an SQLSTATE, and yet the operating system's. */
const SYSTEM_CODES: ReadonlySet<string> = new Set(['EPIPE', 'EPERM', 'EBUSY', 'EINTR', 'EMFILE'])

const UNTRUSTED = /^(SELF_SIGNED_CERT|DEPTH_ZERO_SELF|UNABLE_TO|CERT_UNTRUSTED|CERT_REJECTED|CERT_CHAIN|INVALID_|PATH_)/

const faultOfCode = (code: string): UpstreamFault | undefined => {
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID' || code === 'HOSTNAME_MISMATCH') return 'certificate-of-another'
  if (code === 'CERT_HAS_EXPIRED' || code === 'CERT_NOT_YET_VALID') return 'certificate-expired'
  if (UNTRUSTED.test(code) || code.startsWith('CERT_') || code.startsWith('CRL_')) return 'certificate-untrusted'
  if (code.startsWith('ERR_SSL_') || code.startsWith('ERR_TLS_') || code === 'EPROTO') return 'tls-failed'
  if (code === 'ETIMEDOUT') return 'timeout'
  if (code === 'ECONNRESET' || code === 'EPIPE') return 'closed'
  if (code === 'CONFIG_INVALID') return 'misconfigured'
  return code === '' || code.startsWith('PGWIRE_') ? undefined : 'unreachable'
}

/** Of `checked-messages`, which looks at what the server says before `pg` does. */
const faultOfProtocol = (text: string): UpstreamFault =>
  text.startsWith('a login of kind') ? 'authentication-unsupported' : 'not-postgresql'

/** `pg` has no codes of its own. */
const faultOfText = (text: string): UpstreamFault => {
  if (text === 'timeout expired') return 'timeout'
  if (text === 'The server does not support SSL connections') return 'tls-not-offered'
  if (text === 'There was an error establishing an SSL connection') return 'tls-failed'
  if (/^SASL: (Only m|M)echanism/.test(text)) return 'authentication-unsupported'
  if (text.startsWith('SASL channel binding')) return 'channel-binding-missing'
  if (text.startsWith('SASL')) return 'server-not-proven'
  return text.startsWith('Connection terminated') ? 'closed' : 'unreachable'
}

/** Names no host and no file: clients read it too. What it was in detail is the `cause`, for the operator's log. */
const SAID: Readonly<Record<UpstreamFault, string>> = {
  unreachable: 'it does not answer',
  timeout: 'it did not answer in time',
  closed: 'it closed the connection before the login was done',
  'tls-not-offered': 'it does not offer TLS; `tls: disable` is for servers in a trusted network only',
  'tls-failed': 'TLS with it could not be set up',
  'certificate-untrusted': 'its certificate is not signed by an authority that is trusted; see `ca`',
  'certificate-expired': 'its certificate has expired, or is not valid yet',
  'certificate-of-another': 'its certificate is for another host than the configuration names',
  'password-in-clear': 'it asks for a password in clear text, on a connection without TLS',
  'channel-binding-missing':
    'it does not bind its login to its certificate, and `channelBinding: require` asks for that',
  'server-not-proven': 'it did not prove that it knows the password',
  'authentication-unsupported': 'it asks for a kind of authentication that this node does not know',
  'authentication-failed': 'it does not accept the role that this node logs in with',
  'not-postgresql': 'what it says is not PostgreSQL’s protocol',
  refused: 'it refused the connection',
  misconfigured: 'the files of its TLS configuration cannot be used',
}

export const upstreamFault = (fault: UpstreamFault): UpstreamError => new UpstreamError(fault, SAID[fault])
