import { connect, CONNECTION_HELP, CONNECTION_OPTIONS } from '../api/connection.ts'
import { CliError } from '../cli-error.ts'
import { readArguments, type Command, type Io } from '../command.ts'
import type { ExitCode } from '../exit-code.ts'
import { cancelRequest } from './cancel-request.ts'
import { castVote } from './cast-vote.ts'
import { listRequests } from './list-requests.ts'
import { showRequest } from './show-request.ts'

const HELP = `Usage: countersign requests ls [--all] [--limit N] [options]
       countersign requests show ID [--exit-status] [options]
       countersign requests approve ID [--reason TEXT] [options]
       countersign requests deny ID --reason TEXT [options]
       countersign requests cancel ID [options]

What waits for a countersignature. ID may be the beginning of one, as long as only one begins so.

  --all          also those that are decided
  --limit N      at most so many (default: 50)
  --reason TEXT  kept with the signature
  --exit-status  end with 3 while it waits, 4 when it was denied, 5 when it expired
${CONNECTION_HELP}

approve shows the statement and signs that statement, bound to its digest; a refused signature ends with 4.`

const OPTIONS = {
  ...CONNECTION_OPTIONS,
  all: { type: 'boolean' },
  limit: { type: 'string' },
  reason: { type: 'string' },
  'exit-status': { type: 'boolean' },
} as const

const run = async (args: readonly string[], io: Io): Promise<ExitCode> => {
  const { values, positionals } = readArguments(args, OPTIONS, true)
  const [verb = 'ls', id, ...rest] = positionals
  if (rest.length > 0) throw new CliError('CLI_USAGE', `too much: \`${rest.join(' ')}\``)
  const { json = false, reason } = values
  const common = { api: () => connect(values, io), io, json }

  if (verb === 'ls') {
    if (id !== undefined) throw new CliError('CLI_USAGE', `too much: \`${id}\``)
    return listRequests({ ...common, all: values.all ?? false, limit: limitOf(values.limit) })
  }
  if (!VERBS.includes(verb)) throw new CliError('CLI_USAGE', `there is no \`requests ${verb}\``)
  if (id === undefined) throw new CliError('CLI_USAGE', `requests ${verb} needs the id of a request`)
  if (verb === 'show') return showRequest({ ...common, id, exitStatus: values['exit-status'] ?? false })
  if (verb === 'cancel') return cancelRequest({ ...common, id })
  const vote = verb === 'approve' ? 'grant' : 'deny'
  if (vote === 'deny' && reason === undefined) throw new CliError('CLI_USAGE', 'a denial needs a --reason')
  return castVote({ ...common, id, vote, reason })
}

const VERBS = ['show', 'approve', 'deny', 'cancel']

const LIMIT_DEFAULT = 50
const LIMIT_MAX = 500

const limitOf = (text: string | undefined): number => {
  const limit = Number(text ?? LIMIT_DEFAULT)
  if (Number.isInteger(limit) && limit >= 1 && limit <= LIMIT_MAX) return limit
  throw new CliError('CLI_USAGE', `--limit must be a number from 1 to ${LIMIT_MAX}`)
}

export const requests: Command = {
  summary: 'what waits for a countersignature: list, show, approve, deny',
  help: HELP,
  run,
}
