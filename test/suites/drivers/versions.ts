import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** Which release of each driver, and so of its tests. A change of this file installs them anew. */
export const VERSIONS_FILE = fileURLToPath(new URL('versions.json', import.meta.url))

const VERSIONS = JSON.parse(readFileSync(VERSIONS_FILE, 'utf8')) as Readonly<Record<string, string>>

export const versionOf = (driver: string): string => {
  const version = VERSIONS[driver]
  if (version === undefined) throw new Error(`versions.json does not name ${driver}`)
  return version
}
