import { execFileSync } from 'node:child_process'
import { readFileSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { PostgresError } from './postgres-error.ts'

/** An account of the operating system that a process is run as. */
export interface Account {
  readonly uid: number
  readonly gid: number
}

const NAME = 'postgres'

/**
 * PostgreSQL refuses to run as root. Started by root it runs as the account `postgres`, which is made when there is
 * none; started by anybody else it runs as they do, and this says `undefined`.
 */
export const postgresAccount = (): Account | undefined => {
  if (process.getuid?.() !== 0) return undefined
  const known = accountNamed(NAME)
  if (known) return known
  createAccount()
  const created = accountNamed(NAME)
  if (!created) throw new PostgresError('POSTGRES_ACCOUNT', `the account ${NAME} was created and cannot be found`)
  return created
}

const accountNamed = (name: string): Account | undefined => {
  const line = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find((entry) => entry.startsWith(`${name}:`))
  const [, , uid, gid] = line?.split(':') ?? []
  return uid === undefined || gid === undefined ? undefined : { uid: Number(uid), gid: Number(gid) }
}

const createAccount = (): void => {
  try {
    execFileSync('useradd', ['--system', '--user-group', '--no-create-home', '--shell', '/usr/sbin/nologin', NAME], {
      stdio: 'pipe',
    })
  } catch (cause) {
    throw new PostgresError(
      'POSTGRES_ACCOUNT',
      `PostgreSQL may not run as root, and the account ${NAME} could not be made: create it, or start as another user`,
      { cause },
    )
  }
}

/** Whether the account may enter (or execute) the path and every folder above it. */
export const reaches = (account: Account, path: string): boolean => {
  for (let at = path; ; at = dirname(at)) {
    if (!mayEnter(account, at)) return false
    if (at === dirname(at)) return true
  }
}

const mayEnter = ({ uid, gid }: Account, path: string): boolean => {
  const found = statSync(path)
  const digit = found.uid === uid ? 6 : found.gid === gid ? 3 : 0
  return ((found.mode >> digit) & 1) === 1
}
