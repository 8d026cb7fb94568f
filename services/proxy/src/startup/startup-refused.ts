/** What a client is told that is not let in: an SQLSTATE, which every protocol of databases has a place for, and words. */
export type RefusalText = readonly [sqlstate: string, message: string, hint?: string]

/** The client asked for something that is refused. `sqlstate` and `message` are for the client to read. */
export class StartupRefusedError extends Error {
  readonly code: string = 'PROXY_STARTUP_REFUSED'
  readonly sqlstate: string
  readonly hint: string | undefined

  constructor(sqlstate: string, message: string, hint?: string) {
    super(message)
    this.name = 'StartupRefusedError'
    this.sqlstate = sqlstate
    this.hint = hint
  }
}

/** Nothing is wrong with what the client asked for: no server of its database would do. */
export class DatabaseUnavailableError extends StartupRefusedError {
  override readonly code = 'PROXY_DATABASE_UNAVAILABLE'

  constructor(...text: RefusalText) {
    super(...text)
    this.name = 'DatabaseUnavailableError'
  }
}

/** The peer closed the connection before it had finished saying what it wanted. */
export class PeerGoneError extends Error {
  readonly code = 'PROXY_PEER_GONE'

  constructor() {
    super('the client closed the connection during start-up')
    this.name = 'PeerGoneError'
  }
}
