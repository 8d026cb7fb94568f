import { createHash, randomBytes } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { z } from 'zod'
import { CliError } from '../cli-error.ts'
import { dataFolders, type Home } from '../home.ts'
import { jsonOf } from '../json.ts'
import { writeFileAtomically } from '../write-file.ts'
import { ROLES } from './demo-database.ts'
import { DEMO_PRINCIPALS } from './demo-principals.ts'

const IDS = DEMO_PRINCIPALS.map(({ id }) => id)

/** Made once per home and kept, so that what people have written down goes on working. */
const Secrets = z.object({
  /** What principals log in with, by principal. */
  tokens: z.record(z.enum(IDS), z.string()),
  /** Passwords of the database roles. */
  roles: z.record(z.enum(ROLES), z.string()),
  /** Of the superuser `postgres`. */
  postgres: z.string(),
  /** Of the audit service's account in ClickHouse, and of the one that may only read. */
  clickhouse: z.string(),
  clickhouseReader: z.string(),
})
export type Secrets = z.output<typeof Secrets>

/**
 * Reads them, or makes them where the home is new. A folder that holds data but no secrets is none of ours, or one
 * that cannot be opened any more: either way nothing in it may be touched, by `--fresh` least of all.
 */
export const ensureSecrets = (home: Home): Secrets => {
  if (existsSync(home.secrets)) return read(home.secrets)
  const data = dataFolders(home).filter((folder) => existsSync(folder))
  if (data.length > 0) {
    throw new CliError(
      'CLI_HOME_INCOMPLETE',
      `${home.directory} holds ${data.map((folder) => basename(folder)).join(', ')} and no secrets.json: give another --home, or put that file back`,
    )
  }
  const secrets = make()
  writeFileAtomically(home.secrets, `${JSON.stringify(secrets, null, 2)}\n`)
  return secrets
}

const read = (file: string): Secrets => {
  const parsed = Secrets.safeParse(jsonOf(readFileSync(file, 'utf8')))
  if (parsed.success) return parsed.data
  throw new CliError('CLI_HOME_INCOMPLETE', `${file} cannot be read: put it back, or give another --home`)
}

const make = (): Secrets =>
  Secrets.parse({
    tokens: Object.fromEntries(IDS.map((id) => [id, `cs_${secret()}`])),
    roles: Object.fromEntries(ROLES.map((role) => [role, secret()])),
    postgres: secret(),
    clickhouse: secret(),
    clickhouseReader: secret(),
  })

const secret = (): string => randomBytes(32).toString('base64url')

/** How a token is known to the rest of the system: it is written down nowhere else. */
export const tokenDigest = (token: string): string => createHash('sha256').update(token).digest('hex')
