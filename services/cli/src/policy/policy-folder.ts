import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { faultsInOwners, faultsInPolicies, REMEDIES, type PolicyErrorCode, type PolicyFile } from '@countersign/policy'
import { CliError } from '../cli-error.ts'

/** What a folder holds of policies. What it does not hold stays as it is in force. */
export interface PolicyFolder {
  readonly path: string
  /** In the order of their names; undefined when there are none. */
  readonly files: readonly PolicyFile[] | undefined
  readonly owners: string | undefined
  /** Names of the files of test cases. */
  readonly tests: readonly string[]
}

export const OWNERS_FILE = 'DATAOWNERS'

const TESTS = /\.test\.(ya?ml|json)$/

export const readPolicyFolder = (path: string): PolicyFolder => {
  const names = namesIn(path).sort()
  const cedar = names.filter((name) => name.endsWith('.cedar'))
  const owners = names.includes(OWNERS_FILE) ? textOf(join(path, OWNERS_FILE)) : undefined
  if (cedar.length === 0 && owners === undefined) {
    throw new CliError('CLI_POLICY_INVALID', `${path}: holds neither .cedar files nor ${OWNERS_FILE}`)
  }
  const files = cedar.map((name) => ({ name, text: textOf(join(path, name)) }))
  return { path, files: cedar.length > 0 ? files : undefined, owners, tests: names.filter((name) => TESTS.test(name)) }
}

const namesIn = (path: string): string[] => {
  try {
    return readdirSync(path)
  } catch (cause) {
    throw new CliError('CLI_POLICY_INVALID', `${path}: cannot be read; name a folder of policies`, { cause })
  }
}

export const textOf = (path: string): string => {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(path))
  } catch (cause) {
    throw new CliError('CLI_POLICY_INVALID', `${path}: cannot be read as UTF-8`, { cause })
  }
}

export interface Fault {
  readonly code: PolicyErrorCode
  /** As one can open it. */
  readonly file: string
  readonly line: number
  readonly message: string
  readonly remedy: string
}

/** All that is wrong with it, in the order of files and lines. */
export const faultsIn = ({ path, files = [], owners = '' }: PolicyFolder): readonly Fault[] =>
  [...faultsInPolicies(files), ...faultsInOwners(owners)]
    .map(({ code, file, line, message }) => ({
      code,
      file: join(path, file),
      line,
      message: message.slice(`${file}:${line}: `.length),
      remedy: REMEDIES[code],
    }))
    .sort((a, b) => (a.file === b.file ? a.line - b.line : a.file < b.file ? -1 : 1))

export const faultLine = ({ file, line, message, remedy }: Fault): string =>
  `${file}:${line}: ${message}\n    ${remedy}`

/** Throws with the first fault that there is: what does not compile is not sent anywhere. */
export const checked = (folder: PolicyFolder): PolicyFolder => {
  const [first, ...others] = faultsIn(folder)
  if (!first) return folder
  const more = others.length > 0 ? `; and ${others.length} more, see \`countersign policy check ${folder.path}\`` : ''
  throw new CliError('CLI_POLICY_INVALID', `${first.file}:${first.line}: ${first.message}${more}`)
}
