import { PolicyError, REMEDIES } from '@countersign/policy'
import { ApiError } from '../api/api-error.ts'
import type { PolicyCandidate } from '../api/schemas.ts'
import { policySetOf, type PolicySet } from '../policies/policy-files.ts'

/** A whole set, from what somebody hands in; what they leave out stays as it is in force. */
export const candidateFrom = ({ files, owners }: PolicyCandidate, inForce: PolicySet): PolicySet => {
  const named = files?.toSorted((a, b) => (a.name < b.name ? -1 : 1)) ?? inForce.files
  const twice = named.find(({ name }, index) => named[index + 1]?.name === name)
  if (twice) throw new ApiError('invalid-input', `files: there are two of the name ${twice.name}`)
  try {
    return policySetOf(named, owners ?? inForce.owners)
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error
    throw new ApiError('invalid-policy', error.message, REMEDIES[error.code], { cause: error })
  }
}
