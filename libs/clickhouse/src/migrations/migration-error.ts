/** What is wrong with the migrations, or with what a database says was applied to it. */
export type MigrationFault =
  | 'MIGRATION_MALFORMED'
  | 'MIGRATION_CHANGED'
  /** The database was made by a newer version of this software. */
  | 'MIGRATION_UNKNOWN'
  | 'MIGRATION_FAILED'

export class MigrationError extends Error {
  readonly code: MigrationFault

  constructor(code: MigrationFault, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'MigrationError'
    this.code = code
  }
}
