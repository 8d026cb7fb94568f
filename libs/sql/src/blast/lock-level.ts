/** SPEC: PostgreSQL, "Explicit Locking", table-level lock modes; the weakest first. LOCK TABLE numbers them from 1. */
export const LOCK_LEVELS = [
  'ACCESS SHARE',
  'ROW SHARE',
  'ROW EXCLUSIVE',
  'SHARE UPDATE EXCLUSIVE',
  'SHARE',
  'SHARE ROW EXCLUSIVE',
  'EXCLUSIVE',
  'ACCESS EXCLUSIVE',
] as const

export type LockLevel = (typeof LOCK_LEVELS)[number]

export const strongestLock = (levels: readonly LockLevel[]): LockLevel | undefined =>
  LOCK_LEVELS.findLast((level) => levels.includes(level))
