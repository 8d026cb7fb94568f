export type PolicyErrorCode = 'POLICY_SYNTAX' | 'POLICY_SCHEMA' | 'POLICY_ANNOTATION' | 'OWNERS_SYNTAX'

/** A policy file or a DATAOWNERS file is wrong. Nothing of it comes into force. */
export class PolicyError extends Error {
  readonly code: PolicyErrorCode
  readonly file: string
  /** Counted from 1. */
  readonly line: number

  constructor(code: PolicyErrorCode, file: string, line: number, what: string) {
    super(`${file}:${line}: ${what}`)
    this.name = 'PolicyError'
    this.code = code
    this.file = file
    this.line = line
  }
}

/** Where one finds what would be right. */
export const REMEDIES: Readonly<Record<PolicyErrorCode, string>> = {
  POLICY_SYNTAX: 'policies are written in Cedar: https://docs.cedarpolicy.com/policies/syntax-policy.html',
  POLICY_SCHEMA: 'policies speak of what the schema names: see `countersign policy schema`',
  POLICY_ANNOTATION:
    'annotations are @id, @effect, @approvers, @quorum, @mask, @because, @advice: libs/policy/FORMAT.md',
  OWNERS_SYNTAX: 'a line is a pattern and its groups: `prod/shop.public.payments*  @payments-team`',
}
