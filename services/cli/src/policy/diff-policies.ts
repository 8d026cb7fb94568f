import { compareOwners, comparePolicies, policySetDigest, versionOf } from '@countersign/policy'
import type { Api } from '../api/api.ts'
import { OwnersView, PolicyView } from '../api/views.ts'
import type { Io } from '../command.ts'
import { EXIT, type ExitCode } from '../exit-code.ts'
import { checked, readPolicyFolder } from './policy-folder.ts'
import { differenceLines, proposalLines } from './proposal-lines.ts'

interface Diff {
  readonly api: () => Api
  readonly io: Io
  readonly json: boolean
  readonly path: string
  readonly texts: boolean
  readonly exitStatus: boolean
}

/** A folder against what is in force. */
export const diffPolicies = async ({ api, io, json, path, texts, exitStatus }: Diff): Promise<ExitCode> => {
  const folder = checked(readPolicyFolder(path))
  const connected = api()
  const [policies, owners] = [await connected.get('/policies', PolicyView), await connected.get('/owners', OwnersView)]
  const [files, rules] = [folder.files ?? policies.files, folder.owners ?? owners.text]
  const [inForce, here] = [policySetDigest(policies.files, owners.text), policySetDigest(files, rules)]
  const changes = comparePolicies(policies.files, files)
  const differences = { changes, owners: compareOwners(owners.text, rules) }
  const { added, removed } = differences.owners
  if (json) io.out(JSON.stringify({ same: inForce === here, inForce, here, ...differences }))
  else {
    io.out(`in force  ${versionOf(inForce)}  ${inForce}`)
    io.out(`here      ${versionOf(here)}  ${here}`)
    for (const line of (texts ? proposalLines : differenceLines)(differences)) io.out(line)
    if (inForce === here) io.out('they are the same')
    else if (changes.length + added.length + removed.length === 0)
      io.out('they differ in names of files, comments or white space')
  }
  return exitStatus && inForce !== here ? EXIT.failed : EXIT.ok
}
