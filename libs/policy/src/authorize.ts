import { statefulIsAuthorized, type Context, type EntityJson } from '@cedar-policy/cedar-wasm/nodejs'

export interface Question {
  readonly principal: EntityJson
  readonly action: EntityJson
  readonly resource: EntityJson
  readonly context: Context
}

export interface Authorization {
  readonly allowed: boolean
  readonly reasons: readonly string[]
  /** A policy could not be evaluated. Cedar leaves it out, which for a forbid would open what it closes. */
  readonly failed: boolean
}

export const authorize = (stored: string, { principal, action, resource, context }: Question): Authorization => {
  const answer = statefulIsAuthorized({
    principal: principal.uid,
    action: action.uid,
    resource: resource.uid,
    context,
    entities: [principal, action, resource],
    preparsedPolicySetId: stored,
  })
  if (answer.type === 'failure') return { allowed: false, reasons: [], failed: true }
  const { decision, diagnostics } = answer.response
  const failed = diagnostics.errors.length > 0
  return {
    allowed: decision === 'allow' && !failed,
    reasons: failed ? diagnostics.errors.map(({ policyId }) => policyId) : [...diagnostics.reason].sort(),
    failed,
  }
}
