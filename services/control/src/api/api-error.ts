import type { Objection } from '@countersign/contracts'

const STATUS = {
  'invalid-input': 400,
  unauthenticated: 401,
  'token-expired': 401,
  restricted: 403,
  forbidden: 403,
  'not-found': 404,
  'invalid-policy': 422,
  'nothing-changes': 409,
  'too-large': 413,
  'too-many-refusals': 429,
  'too-many-proposals': 429,
  internal: 500,
  'log-unavailable': 503,
  busy: 503,
  // Why a vote does not count.
  'unknown-request': 404,
  'not-open': 409,
  expired: 410,
  'own-request': 403,
  'not-an-owner': 403,
  'already-voted': 409,
  'not-a-person': 403,
  'other-statement': 409,
} as const satisfies Record<Objection, number> & Record<string, number>

export type ApiErrorCode = keyof typeof STATUS

export const API_ERROR_CODES = Object.keys(STATUS) as [ApiErrorCode, ...ApiErrorCode[]]

/** Something a caller of the API is told: what is wrong, and what to do about it. */
export class ApiError extends Error {
  readonly code: ApiErrorCode
  readonly remedy: string | undefined

  constructor(code: ApiErrorCode, message: string, remedy?: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'ApiError'
    this.code = code
    this.remedy = remedy
  }

  get status(): number {
    return STATUS[this.code]
  }
}
