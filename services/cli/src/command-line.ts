import { ConfigError, faultOf } from '@countersign/platform'
import { CliError } from './cli-error.ts'
import type { Command, Io } from './command.ts'
import { doctor } from './doctor/doctor.ts'
import { EXIT, type ExitCode } from './exit-code.ts'
import { policy } from './policy/policy-command.ts'
import { requests } from './requests/requests.ts'
import { restrictions } from './restrictions/restrictions.ts'
import { sessions } from './sessions.ts'
import { tail } from './tail/tail.ts'
import { undoCommand } from './undo.ts'
import { up } from './up/up-command.ts'
import { whatif } from './whatif/whatif.ts'

const COMMANDS: Readonly<Record<string, Command>> = {
  up,
  requests,
  restrictions,
  undo: undoCommand,
  sessions,
  tail,
  policy,
  whatif,
  doctor,
}

/** The whole command line: finds the command, answers `--help`, turns what is thrown into a message and a code. */
export const runCommandLine = async (args: readonly string[], io: Io): Promise<ExitCode> => {
  const [name, ...rest] = args
  if (name === undefined || name === 'help' || name === '--help' || name === '-h') {
    io.out(overview())
    return name === undefined ? EXIT.usage : EXIT.ok
  }
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined
  if (!command)
    return complain(new CliError('CLI_USAGE', `there is no command \`${name}\`; see countersign --help`), args, io)
  if (rest.includes('--help') || rest.includes('-h')) {
    io.out(command.help)
    return EXIT.ok
  }
  return command.run(rest, io).catch((error: unknown) => complain(error, args, io))
}

const complain = (error: unknown, args: readonly string[], io: Io): ExitCode => {
  const { code = 'CLI_FAILED', error: message = 'unknown' } = faultOf(error)
  const whole = error instanceof CliError || error instanceof ConfigError ? error.message : message
  io.err(args.includes('--json') ? JSON.stringify({ error: { code, message: whole } }) : `countersign: ${whole}`)
  if (code === 'CLI_USAGE' && !args.includes('--json')) io.err(`see: countersign ${args[0] ?? ''} --help`)
  return error instanceof CliError ? error.exitCode : EXIT.failed
}

const overview = (): string => {
  const width = Math.max(...Object.keys(COMMANDS).map((name) => name.length))
  return [
    'Usage: countersign <command> [options]',
    '',
    ...Object.entries(COMMANDS).map(([name, { summary }]) => `  ${name.padEnd(width)}  ${summary}`),
    '',
    'Every command takes --help, and --json for programs.',
    'Exit codes: 0 ok, 1 failed, 2 wrong usage, 3 approval required, 4 denied, 5 expired.',
  ].join('\n')
}
