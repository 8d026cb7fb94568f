/** The peer broke the protocol. The connection cannot be trusted any further and is closed. */
export class ProtocolError extends Error {
  readonly code:
    | 'PGWIRE_BAD_LENGTH'
    | 'PGWIRE_TOO_LONG'
    | 'PGWIRE_SHORT_BODY'
    | 'PGWIRE_TRAILING_BYTES'
    | 'PGWIRE_UNEXPECTED'

  constructor(code: ProtocolError['code'], detail: string) {
    super(detail)
    this.name = 'ProtocolError'
    this.code = code
  }
}
