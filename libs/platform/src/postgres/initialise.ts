import { execFile } from 'node:child_process'
import { chownSync, existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Account } from './account.ts'
import { PostgresError } from './postgres-error.ts'

/** Everybody proves who they are, and only from this machine: there is no socket and no other address. */
const HBA = ['# TYPE  DATABASE  USER  ADDRESS       METHOD', 'host    all       all   127.0.0.1/32  scram-sha-256', '']

export interface NewCluster {
  readonly binaries: string
  readonly directory: string
  readonly account: Account | undefined
  /** Password of the superuser `postgres`. */
  readonly password: string
}

/** Makes a cluster when there is none. It appears whole: an `initdb` that was interrupted is done again. */
export const initialise = async (cluster: NewCluster): Promise<void> => {
  if (existsSync(join(cluster.directory, 'PG_VERSION'))) return
  const workplace = `${cluster.directory}.new`
  rmSync(workplace, { recursive: true, force: true })
  makeFor(cluster.account, workplace)
  const data = join(workplace, 'data')
  await initdb({ ...cluster, directory: data }, join(workplace, 'password'))
  writeFileSync(join(data, 'pg_hba.conf'), HBA.join('\n'))
  renameSync(data, cluster.directory)
  rmSync(workplace, { recursive: true, force: true })
}

const makeFor = (account: Account | undefined, directory: string): void => {
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  if (account) chownSync(directory, account.uid, account.gid)
}

const initdb = async ({ binaries, directory, account, password }: NewCluster, passwordFile: string): Promise<void> => {
  writeFileSync(passwordFile, password, { mode: 0o600 })
  if (account) chownSync(passwordFile, account.uid, account.gid)
  const args = ['-D', directory, '-U', 'postgres', '--pwfile', passwordFile, '--auth', 'scram-sha-256', ...LOCALE]
  try {
    await promisify(execFile)(join(binaries, 'bin', 'initdb'), args, { ...account, cwd: '/', env: PLAIN_ENVIRONMENT })
  } catch (cause) {
    throw new PostgresError('POSTGRES_INIT', `initdb failed in ${directory}: ${lastLine(cause)}`, { cause })
  } finally {
    rmSync(passwordFile, { force: true })
  }
}

/** The same order and the same character set on every machine, whatever locales it has. */
const LOCALE = ['--encoding', 'UTF8', '--locale-provider', 'builtin', '--builtin-locale', 'C.UTF-8', '--locale', 'C']

/** Nothing of the caller's environment: a PGDATA or PGPORT there must not reach this server. */
export const PLAIN_ENVIRONMENT = { PATH: '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' }

const lastLine = (cause: unknown): string => {
  const text = cause instanceof Error && 'stderr' in cause ? String(cause.stderr) : String(cause)
  return text.trim().split('\n').at(-1) ?? 'no reason given'
}
