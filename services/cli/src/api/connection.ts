import { CliError } from '../cli-error.ts'
import type { Io } from '../command.ts'
import { homeAt } from '../home.ts'
import { readReady } from '../ready-file.ts'
import { openApi, type Api } from './api.ts'

/** Options of every command that speaks to the API. */
export const CONNECTION_OPTIONS = { as: { type: 'string' }, home: { type: 'string' } } as const

export const CONNECTION_HELP = `  --as NAME    as this demo principal, with the token in the home's ready.json
  --home DIR   the home of \`countersign up\` (default: .countersign in the current folder)
  --json       for programs

Without --as: COUNTERSIGN_API and COUNTERSIGN_TOKEN from the environment.`

/** By name from the home's ready.json, else by what the environment says. */
export const connect = (values: { readonly as?: string; readonly home?: string }, io: Io): Api => {
  if (values.as !== undefined) return connectAs(values.as, values.home, io)
  const { COUNTERSIGN_API: origin, COUNTERSIGN_TOKEN: token } = io.env
  if (origin && token) return openApi(origin, token)
  throw new CliError(
    'CLI_USAGE',
    'say who you are: --as NAME, or COUNTERSIGN_API and COUNTERSIGN_TOKEN in the environment',
  )
}

const connectAs = (name: string, home: string | undefined, io: Io): Api => {
  const file = homeAt(home, io.cwd).ready
  const { api, principals } = readReady(file)
  const principal = principals.find(({ id }) => id === name)
  if (principal) return openApi(api, principal.token)
  const known = principals.map(({ id }) => id).join(', ')
  throw new CliError('CLI_UNKNOWN_PRINCIPAL', `${file} knows nobody called \`${name}\`; it knows ${known}`)
}
