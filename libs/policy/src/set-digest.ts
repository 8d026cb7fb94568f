import { createHash } from 'node:crypto'
import { Digest } from '@countersign/contracts'
import type { PolicyFile } from './policy-set.ts'

/**
 * FORMAT policy-version/1 (services/control/FORMAT.md): SHA-256 over the JSON text `[[[name,text],…],owners]`, files in
 * the order of their names. The version of a set is the beginning of it.
 */
export const policySetDigest = (files: readonly PolicyFile[], owners: string): Digest => {
  const content = JSON.stringify([files.map(({ name, text }) => [name, text]), owners])
  return Digest.parse(createHash('sha256').update(content).digest('hex'))
}

export const versionOf = (digest: Digest): string => digest.slice(0, VERSION_DIGITS)

const VERSION_DIGITS = 16
