import type { PolicyFile } from './policy-set.ts'
import { SHIPPED } from './shipped.ts'

/** The set that protects a new database with no configuration; to read in policies/. */
export const defaultPolicies = (): readonly PolicyFile[] => SHIPPED
