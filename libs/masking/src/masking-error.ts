export type MaskingErrorCode =
  /** A message or a stream is not what its own lengths and counts say. Nothing more of it may be sent. */
  | 'MASKING_MALFORMED'
  /** The columns that came are not the columns that were planned. */
  | 'MASKING_PLAN_MISMATCH'
  /** One field that has to be read is larger than the bound. */
  | 'MASKING_FIELD_TOO_LARGE'
  /** A pseudonym was asked for and there is no key to make it with. */
  | 'MASKING_NO_KEY'

/** What cannot be masked with certainty is not sent: every error here means that the result stops. */
export class MaskingError extends Error {
  readonly code: MaskingErrorCode

  constructor(code: MaskingErrorCode, message: string) {
    super(message)
    this.name = 'MaskingError'
    this.code = code
  }
}
