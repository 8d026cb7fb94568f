import { SCHEMA } from '@countersign/policy'
import { connect, CONNECTION_HELP, CONNECTION_OPTIONS } from '../api/connection.ts'
import { CliError } from '../cli-error.ts'
import { readArguments, type Command, type Io } from '../command.ts'
import { EXIT, type ExitCode } from '../exit-code.ts'
import { checkPolicies } from './check-policies.ts'
import { diffPolicies } from './diff-policies.ts'
import { publishPolicies } from './publish-policies.ts'
import { testPolicies } from './test-policies.ts'

const HELP = `Usage: countersign policy check [DIR]
       countersign policy test [DIR]
       countersign policy diff [DIR] [--texts] [--exit-status] [options]
       countersign policy publish [DIR] --reason TEXT [--wait] [options]
       countersign policy schema

Policies in DIR (default: the current folder): .cedar files, DATAOWNERS, and cases in *.test.yaml. What DIR does not
hold stays as it is in force. See also: countersign whatif.

  check    all that is wrong with them, with file and line; ends with 1 if anything is
  test     runs the cases; ends with 1 if one fails
  diff     against what is in force; --texts with the policies' texts, --exit-status ends with 1 if they differ
  publish  asks others to sign for them, and puts nothing in force by itself. --wait until it is decided: ends with 0
           when they are in force, 4 when denied, 5 when it expired
  schema   what policies can speak of, as a Cedar schema

${CONNECTION_HELP}`

const OPTIONS = {
  ...CONNECTION_OPTIONS,
  texts: { type: 'boolean' },
  'exit-status': { type: 'boolean' },
  reason: { type: 'string' },
  wait: { type: 'boolean' },
} as const

const run = async (args: readonly string[], io: Io): Promise<ExitCode> => {
  const { values, positionals } = readArguments(args, OPTIONS, true)
  const [verb, path = '.', ...rest] = positionals
  if (rest.length > 0) throw new CliError('CLI_USAGE', `too much: \`${rest.join(' ')}\``)
  const { json = false, texts = false, wait = false, reason } = values
  const common = { api: () => connect(values, io), io, json, path }
  switch (verb) {
    case 'check':
      return checkPolicies(path, io, json)
    case 'test':
      return testPolicies(path, io, json)
    case 'diff':
      return diffPolicies({ ...common, texts, exitStatus: values['exit-status'] ?? false })
    case 'publish':
      if (reason === undefined) throw new CliError('CLI_USAGE', 'publish needs a --reason: approvers read it')
      return publishPolicies({ ...common, reason, wait })
    case 'schema':
      io.out(json ? JSON.stringify({ schema: SCHEMA }) : SCHEMA.trimEnd())
      return EXIT.ok
    default:
      throw new CliError(
        'CLI_USAGE',
        verb === undefined ? 'say what to do with policies' : `there is no \`policy ${verb}\``,
      )
  }
}

export const policy: Command = { summary: 'policies: check, test, diff, publish', help: HELP, run }
