import type { TargetSessionAttrs } from '@countersign/platform'

/** What a server says of itself at the login. Undefined where it does not, before PostgreSQL 14, and was not asked. */
export interface ServerTold {
  readonly standby: boolean | undefined
  readonly readOnly: boolean | undefined
}

/**
 * Why a server will not do; undefined when it does.
 *
 * SPEC: libpq, section 34.1.2, target_session_attrs. `prefer-standby` takes two rounds (`roundsOf`), and none of its own.
 */
export const misfitOf = (wanted: TargetSessionAttrs, { standby, readOnly }: ServerTold): Misfit | undefined => {
  switch (wanted) {
    case 'any':
    case 'prefer-standby':
      return undefined
    case 'read-write':
      return (readOnly ?? true) ? 'it is read-only' : undefined
    case 'read-only':
      return (readOnly ?? false) ? undefined : 'it is not read-only'
    case 'primary':
      return (standby ?? true) ? 'it is a standby' : undefined
    case 'standby':
      return (standby ?? false) ? undefined : 'it is not a standby'
  }
}

export type Misfit = 'it is read-only' | 'it is not read-only' | 'it is a standby' | 'it is not a standby'

/** What is wanted, and what will do when no server is that. */
export const roundsOf = (wanted: TargetSessionAttrs): readonly TargetSessionAttrs[] =>
  wanted === 'prefer-standby' ? ['standby', 'any'] : [wanted]
