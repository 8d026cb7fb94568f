import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Digest, Target } from '@countersign/contracts'
import { ConfigError, type ControlConfig } from '@countersign/platform'
import {
  compilePolicies,
  defaultPolicies,
  ownersOf,
  parseOwners,
  PolicyError,
  policySetDigest,
  versionOf,
  type PolicySet as Compiled,
} from '@countersign/policy'
import { textOf } from '../yaml-file.ts'

export interface PolicyFile {
  readonly name: string
  readonly text: string
}

/** A set of policies and owners that has been checked as a whole. */
export interface PolicySet {
  /** SHA-256 over names, texts and owners. */
  readonly digest: Digest
  /** Its first 16 hexadecimal digits. */
  readonly version: string
  readonly compiled: Compiled
  readonly files: readonly PolicyFile[]
  /** DATAOWNERS, as it is written. */
  readonly owners: string
  /** Groups that own a relation, or without one the database as a whole. */
  readonly ownersOf: (target: Target, relation?: string) => readonly string[]
  /** The groups that own anything. */
  readonly ownerGroups: ReadonlySet<string>
}

/** Reads and compiles what the configuration names. Throws `ConfigError` with file and line: none of it is then used. */
export const readPolicySet = ({
  policies,
  owners: ownersFile,
}: Pick<ControlConfig, 'policies' | 'owners'>): PolicySet => {
  const files = policies === undefined ? defaultPolicies() : filesIn(policies)
  const owners = textOf(ownersFile)
  return placed(
    () => policySetOf(files, owners),
    ({ code, file }) => {
      if (code === 'OWNERS_SYNTAX') return ownersFile
      return policies === undefined ? `shipped ${file}` : join(policies, file)
    },
  )
}

/** Throws `PolicyError` for what does not compile. */
export const policySetOf = (files: readonly PolicyFile[], owners: string): PolicySet => {
  const rules = parseOwners(owners)
  const compiled = compilePolicies(files)
  const digest = policySetDigest(files, owners)
  return {
    compiled,
    digest,
    version: versionOf(digest),
    files,
    owners,
    ownersOf: (target, relation) => ownersOf(rules, target, relation),
    ownerGroups: new Set(rules.flatMap(({ groups }) => groups)),
  }
}

const filesIn = (folder: string): PolicyFile[] => {
  const names = namesIn(folder).filter((name) => name.endsWith('.cedar'))
  if (names.length === 0) {
    throw new ConfigError(`${folder}: holds no .cedar file; leave control.policies out to use the shipped set`)
  }
  return names.sort().map((name) => ({ name, text: textOf(join(folder, name)) }))
}

const namesIn = (folder: string): string[] => {
  try {
    return readdirSync(folder)
  } catch (cause) {
    throw new ConfigError(`${folder}: cannot be read; the configuration names it as control.policies`, { cause })
  }
}

/** Says where on this machine the fault lies: the library knows names of files only. */
const placed = <Value>(compile: () => Value, pathOf: (error: PolicyError) => string): Value => {
  try {
    return compile()
  } catch (cause) {
    if (!(cause instanceof PolicyError)) throw cause
    const { file, message } = cause
    throw new ConfigError(message.startsWith(file) ? pathOf(cause) + message.slice(file.length) : message, { cause })
  }
}
