import { connect, CONNECTION_HELP, CONNECTION_OPTIONS } from '../api/connection.ts'
import { WhatIfLine } from '../api/views.ts'
import { CliError } from '../cli-error.ts'
import { localTime } from '../clock.ts'
import { readArguments, type Command, type Io } from '../command.ts'
import { EXIT, type ExitCode } from '../exit-code.ts'
import { jsonOf } from '../json.ts'
import { checked, readPolicyFolder } from '../policy/policy-folder.ts'
import { shortened, visible } from '../table.ts'
import { linesOf } from './lines-of.ts'
import { momentOf } from './moment.ts'
import { n, summaryOf } from './summary.ts'

const HELP = `Usage: countersign whatif [DIR] [--since 7d] [--until WHEN] [options]

What the policies in DIR (default: the current folder) would have said of the statements on record: each verdict that
would have been another, then a summary. Statements whose record does not say what policy was asked with are counted
as "cannot be told". For auditors, SREs and those who sign for policies.

  --since WHEN  30d, 12h, 45m ago, or a date (default: 7d)
  --until WHEN  the same (default: now)
${CONNECTION_HELP}

With --json each line is an object: changes as they are found, then the summary. Progress goes to standard error.`

const OPTIONS = { ...CONNECTION_OPTIONS, since: { type: 'string' }, until: { type: 'string' } } as const

const SINCE = '7d'

const run = async (args: readonly string[], io: Io): Promise<ExitCode> => {
  const { values, positionals } = readArguments(args, OPTIONS, true)
  const [path = '.', ...rest] = positionals
  if (rest.length > 0) throw new CliError('CLI_USAGE', `too much: \`${rest.join(' ')}\``)
  const { files, owners } = checked(readPolicyFolder(path))
  const since = momentOf('since', values.since ?? SINCE, io.now())
  const until = values.until === undefined ? undefined : momentOf('until', values.until, io.now())
  const body = { ...(files && { files }), ...(owners !== undefined && { owners }), since, ...(until && { until }) }
  const lines = linesOf(await connect(values, io).postStream('/policies/whatif', body, io.stopping))
  for await (const text of lines) {
    const line = WhatIfLine.safeParse(jsonOf(text))
    if (!line.success) throw new CliError('CLI_API_UNEXPECTED', 'the API sent a line of another version')
    if (line.data.type === 'failed') throw new CliError('CLI_API_UNAVAILABLE', `it ended early: ${line.data.message}`)
    show(line.data, text, io, values.json ?? false)
    if (line.data.type === 'summary') return EXIT.ok
  }
  throw new CliError('CLI_API_UNREACHABLE', 'the connection to the API ended before the summary')
}

const show = (line: Exclude<WhatIfLine, { type: 'failed' }>, text: string, io: Io, json: boolean): void => {
  if (line.type === 'progress') io.err(`${n(line.statements)} statements, up to ${localTime(line.at)} …`)
  else if (json) io.out(text)
  else if (line.type === 'change') io.out(changeLine(line))
  else for (const each of summaryLines(line)) io.out(each)
}

const TEXT_MAX = 100

const changeLine = ({
  at,
  principal,
  target,
  text,
  outcome,
  before,
  after,
}: Extract<WhatIfLine, { type: 'change' }>) => {
  const who = principal.onBehalfOf === undefined ? principal.id : `${principal.id} for ${principal.onBehalfOf}`
  const verdicts = `${before.verdict} → ${after.verdict}`
  const policies = (outcome === 'stricter' ? after : before).policies.join(', ') || 'no policy permits it'
  const where = `${target.environment}/${target.database}`
  return [
    outcome.padEnd(8),
    localTime(at),
    visible(who),
    visible(where),
    verdicts,
    visible(policies),
    shortened(text, TEXT_MAX),
  ].join('  ')
}

const summaryLines = (summary: Extract<WhatIfLine, { type: 'summary' }>): readonly string[] => [
  summaryOf(summary),
  ...summary.policies.map(({ policy, ...each }) => `  ${visible(policy)}: ${counts(each)}`),
  ...summary.principals.map(({ principal, ...each }) => `  ${visible(principal)}: ${counts(each)}`),
]

const counts = ({ stricter, looser }: { readonly stricter: number; readonly looser: number }): string =>
  [stricter > 0 && `${n(stricter)} stricter`, looser > 0 && `${n(looser)} looser`].filter(Boolean).join(', ')

export const whatif: Command = { summary: 'what other policies would have said of what is on record', help: HELP, run }
