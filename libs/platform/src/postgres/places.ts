import { randomBytes } from 'node:crypto'
import {
  chmodSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { reaches, type Account } from './account.ts'
import type { Binaries } from './binaries.ts'

/*
 * Root may run the quick start from below a folder such as /root, which the account `postgres` cannot enter. Then
 * the binaries are copied to, and the data kept in, a place that it can reach. Nothing changes for anybody else.
 */
const REACHABLE = '/var/lib/countersign'

/** The binaries where the account can execute them: as installed, or a copy made once per version. */
export const placeBinaries = ({ directory, version }: Binaries, account: Account | undefined): string => {
  if (!account || reaches(account, join(directory, 'bin', 'postgres'))) return directory
  const copy = join(REACHABLE, `postgresql-${version}`)
  if (!existsSync(copy)) copyFor(directory, copy)
  return copy
}

/** Complete or not there: two starts at once make two copies, of which the first to be renamed stays. */
const copyFor = (from: string, to: string): void => {
  mkdirSync(REACHABLE, { recursive: true, mode: 0o755 })
  const partial = `${to}.${process.pid}`
  cpSync(from, partial, { recursive: true, verbatimSymlinks: true })
  openToRead(partial)
  try {
    renameSync(partial, to)
  } catch (error) {
    rmSync(partial, { recursive: true, force: true })
    if (!existsSync(to)) throw error
  }
}

/** As `chmod -R a+rX`: an install under a strict umask leaves files that only root may read. */
const openToRead = (path: string): void => {
  const found = lstatSync(path)
  if (found.isSymbolicLink()) return
  const execute = found.isDirectory() || (found.mode & 0o100) !== 0
  chmodSync(path, found.mode | (execute ? 0o555 : 0o444))
  if (found.isDirectory()) for (const name of readdirSync(path)) openToRead(join(path, name))
}

/**
 * Where the data that is wanted at `directory` really lies: there, or in a reachable place to which `directory` is
 * then a symbolic link. Decided once; the link is the memory of it.
 */
export const placeData = (directory: string, account: Account | undefined): string => {
  const found = lstatSync(directory, { throwIfNoEntry: false })
  if (found?.isSymbolicLink()) return readlinkSync(directory)
  mkdirSync(dirname(directory), { recursive: true })
  if (found || !account || reaches(account, dirname(directory))) return directory
  const elsewhere = join(REACHABLE, 'data', `${basename(dirname(directory))}-${randomBytes(6).toString('hex')}`)
  mkdirSync(dirname(elsewhere), { recursive: true, mode: 0o755 })
  symlinkSync(elsewhere, directory)
  return elsewhere
}

/** Where the data lies, if there is any. */
export const dataAt = (directory: string): string =>
  lstatSync(directory, { throwIfNoEntry: false })?.isSymbolicLink() ? readlinkSync(directory) : directory

/** Deletes the data that is wanted at `directory`, wherever it lies. The server must not run. */
export const dropPostgres = (directory: string): void => {
  const data = dataAt(directory)
  // A link that leads elsewhere was made by somebody else, and what it leads to is theirs.
  if (data.startsWith(join(REACHABLE, 'data'))) rmSync(data, { recursive: true, force: true })
  rmSync(directory, { recursive: true, force: true })
}
