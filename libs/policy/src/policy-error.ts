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
