import { parseArgs, type ParseArgsConfig, type ParseArgsOptionsConfig } from 'node:util'
import { CliError } from './cli-error.ts'
import type { ExitCode } from './exit-code.ts'

/** What a command may use of the world. */
export interface Io {
  /** Standard output: what was asked for. */
  readonly out: (line: string) => void
  /** Standard error: what people should know besides. */
  readonly err: (line: string) => void
  readonly env: NodeJS.ProcessEnv
  readonly cwd: string
  readonly now: () => Date
  /** Given when the command is told to end: Ctrl-C, SIGTERM, or whoever started it going away. */
  readonly stopping: AbortSignal
}

export interface Command {
  /** One line for the list of commands. */
  readonly summary: string
  readonly help: string
  readonly run: (args: readonly string[], io: Io) => Promise<ExitCode>
}

/** Every command has these. `--help` never reaches one: main.ts answers it. */
const COMMON = { json: { type: 'boolean' } } as const

/** Reads a command's arguments by what it declares. Throws `CLI_USAGE` with the parser's own reason. */
export const readArguments = <const Options extends ParseArgsOptionsConfig>(
  args: readonly string[],
  options: Options,
  allowPositionals = false,
) => {
  const config = {
    args: [...args],
    options: { ...COMMON, ...options },
    allowPositionals,
    strict: true,
  } satisfies ParseArgsConfig
  try {
    return parseArgs(config)
  } catch (cause) {
    throw new CliError('CLI_USAGE', reasonOf(cause), { cause })
  }
}

// The parser's messages are sentences that begin with a capital and may go on with advice for programmers.
const reasonOf = (cause: unknown): string => {
  const [sentence = ''] = (cause instanceof Error ? cause.message : String(cause)).split('. ')
  return sentence.charAt(0).toLowerCase() + sentence.slice(1).replace(/\.$/, '')
}
