/** PostgreSQL of the quick start cannot be run here. `message` names what is wrong and the remedy. */
export class PostgresError extends Error {
  readonly code: PostgresFault

  constructor(code: PostgresFault, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'PostgresError'
    this.code = code
  }
}

export type PostgresFault =
  | 'POSTGRES_PLATFORM'
  | 'POSTGRES_ACCOUNT'
  | 'POSTGRES_INIT'
  | 'POSTGRES_START'
  | 'POSTGRES_LEFTOVER'
