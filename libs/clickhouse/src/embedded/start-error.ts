/** Why an embedded server did not start. The message names the remedy. */
export type StartFailure =
  | 'CLICKHOUSE_UNSUPPORTED_PLATFORM'
  | 'CLICKHOUSE_PORT_IN_USE'
  | 'CLICKHOUSE_DIRECTORY_IN_USE'
  | 'CLICKHOUSE_BAD_NAME'
  | 'CLICKHOUSE_NOT_READY'

export class ClickhouseStartError extends Error {
  readonly code: StartFailure

  constructor(code: StartFailure, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'ClickhouseStartError'
    this.code = code
  }
}
