import { compilePolicies, PolicyError, REMEDIES, type PolicySet as Compiled } from '@countersign/policy'
import { ApiError } from '../api/api-error.ts'
import type { PolicyCandidate } from '../api/schemas.ts'
import { policySetOf, type PolicySet } from '../policies/policy-files.ts'

export interface Candidate {
  readonly set: PolicySet
  readonly compiled: Compiled
}

/** A whole set, from what somebody hands in; what they leave out stays as it is in force. */
export const candidateFrom = ({ files, owners }: PolicyCandidate, inForce: PolicySet): Candidate => {
  const named = files?.toSorted((a, b) => (a.name < b.name ? -1 : 1)) ?? inForce.files
  const twice = named.find(({ name }, index) => named[index + 1]?.name === name)
  if (twice) throw new ApiError('invalid-input', `files: there are two of the name ${twice.name}`)
  try {
    return { set: policySetOf(named, owners ?? inForce.owners), compiled: compilePolicies(named) }
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error
    throw new ApiError('invalid-policy', error.message, REMEDIES[error.code], { cause: error })
  }
}
