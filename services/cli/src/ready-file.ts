import { existsSync, readFileSync, rmSync } from 'node:fs'
import { z } from 'zod'
import { CliError } from './cli-error.ts'
import { jsonOf } from './json.ts'
import { writeFileAtomically } from './write-file.ts'

/**
 * FORMAT ready.json: what a running `countersign up` is reached by, for commands, tests and scripts. It is there
 * exactly while everything runs, and names processes as they are now.
 */
export const Ready = z.object({
  /** The node: what database clients connect to. */
  proxy: z.object({ host: z.string(), port: z.int() }),
  /** Where control answers; the API is below /api/v1. */
  api: z.url(),
  console: z.url(),
  /** An account that may read everything and change nothing. */
  clickhouse: z.object({ url: z.url(), user: z.string(), password: z.string(), database: z.string() }),
  /** The demo database with no node in between, as the role that owns its objects. */
  upstream: z.string(),
  processes: z.array(z.object({ name: z.string(), pid: z.int() })),
  principals: z.array(
    z.object({
      id: z.string(),
      kind: z.enum(['person', 'agent', 'service']),
      groups: z.array(z.string()),
      /** Through the node, the token included. */
      dsn: z.string(),
      token: z.string(),
    }),
  ),
})
export type Ready = z.output<typeof Ready>

export const writeReady = (file: string, ready: Ready): void =>
  writeFileAtomically(file, `${JSON.stringify(ready, null, 2)}\n`)

export const removeReady = (file: string): void => rmSync(file, { force: true })

export const readReady = (file: string): Ready => {
  if (!existsSync(file)) {
    throw new CliError('CLI_NOT_RUNNING', `${file} is not there: start with npm start, or name the right --home`)
  }
  const parsed = Ready.safeParse(jsonOf(readFileSync(file, 'utf8')))
  if (parsed.success) return parsed.data
  throw new CliError(
    'CLI_NOT_RUNNING',
    `${file} cannot be understood: it belongs to another version; start that one again`,
  )
}
