import { EXIT, type ExitCode } from './exit-code.ts'

/** A command cannot do what it was asked. `message` names the thing and the remedy; it is all that people see. */
export class CliError extends Error {
  readonly code: CliFault
  readonly exitCode: ExitCode

  constructor(code: CliFault, message: string, options?: ErrorOptions & { readonly exitCode?: ExitCode }) {
    super(message, options)
    this.name = 'CliError'
    this.code = code
    this.exitCode = options?.exitCode ?? (code === 'CLI_USAGE' ? EXIT.usage : EXIT.failed)
  }
}

export type CliFault =
  | 'CLI_USAGE'
  | 'CLI_PORT_IN_USE'
  | 'CLI_HOME_IN_USE'
  | 'CLI_HOME_INCOMPLETE'
  | 'CLI_NOT_RUNNING'
  | 'CLI_UNKNOWN_PRINCIPAL'
  | 'CLI_API_UNREACHABLE'
  | 'CLI_API_REFUSED'
  | 'CLI_API_UNAVAILABLE'
  | 'CLI_API_UNEXPECTED'
  | 'CLI_REQUEST_UNKNOWN'
  | 'CLI_POLICY_INVALID'
  | 'CLI_NODE_UNREACHABLE'
  | 'CLI_UNDO_REFUSED'
