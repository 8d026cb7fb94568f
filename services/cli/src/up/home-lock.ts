import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { CliError } from '../cli-error.ts'
import type { Home } from '../home.ts'

export interface HomeLock {
  release(): void
}

/**
 * One `up` per home. The lock is SQLite's on an empty database, which is the kernel's: it goes when its process goes,
 * however that ends, so there is nothing stale to find out about. The number beside it is for people.
 */
export const lockHome = (home: Home): HomeLock => {
  makeHome(home)
  const database = new DatabaseSync(home.lock, { timeout: 0 })
  try {
    database.exec('pragma locking_mode = exclusive; begin exclusive')
  } catch (cause) {
    database.close()
    throw new CliError('CLI_HOME_IN_USE', inUse(home), { cause })
  }
  writeFileSync(home.holder, `${process.pid}\n`)
  return {
    release: () => {
      rmSync(home.holder, { force: true })
      database.close()
    },
  }
}

/** The account of PostgreSQL may walk through to its own folder; every secret in the home is 0600 besides. */
const makeHome = ({ directory, secrets }: Home): void => {
  mkdirSync(directory, { recursive: true, mode: 0o711 })
  const isOurs = existsSync(secrets) || readdirSync(directory).length === 0
  if (isOurs) chmodSync(directory, statSync(directory).mode | 0o011)
}

const inUse = ({ directory, holder }: Home): string => {
  const pid = existsSync(holder) ? readFileSync(holder, 'utf8').trim() : 'of an unknown number'
  return `${directory} is in use by process ${pid}: stop that one first, or give another --home (and --port-base)`
}
