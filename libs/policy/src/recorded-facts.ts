import type { DecidedFacts, DecidedUse } from '@countersign/contracts'
import type { ObjectKind } from '@countersign/sql'
import type { Circumstances, Request, RequestedUse } from './request.ts'

/** More uses than this are not recorded: the record of a statement is not to grow with what stands behind it. */
export const USES_RECORDED_MAX = 100

/** What is known of a statement beside the question that policy is asked. */
export interface Beside {
  /** Sensitive columns that its result gives out. */
  readonly returned: readonly { readonly column: string; readonly class: string }[]
  /** Rows could have been counted, and the policies in force did not need them. */
  readonly notCounted: boolean
}

/** What of a question the record keeps: `requestFromRecord` makes the question of it again. */
export const recordedFacts = ({ statement, uses }: Request, beside: Beside): DecidedFacts | undefined => {
  if (uses.length > USES_RECORDED_MAX) return undefined
  const { unresolved, fails, dangers, sensitiveClasses, sensitiveStored, sensitiveSteering } = statement
  const { returned, notCounted } = beside
  return {
    statement: statement.statement,
    uses: uses.map(recordedUse),
    ...(unresolved && { unresolved }),
    ...(fails && { fails }),
    ...(dangers.length > 0 && { dangers: [...dangers] }),
    ...(sensitiveClasses.length > 0 && { sensitiveClasses: [...sensitiveClasses] }),
    ...(sensitiveStored && { sensitiveStored }),
    ...(sensitiveSteering && { sensitiveSteering }),
    ...(returned.length > 0 && { returned: [...returned] }),
    ...(notCounted && { notCounted }),
  }
}

const recordedUse = (use: RequestedUse): DecidedUse => {
  const { action, resource, through, change, unbounded, tautological, counted, rows, rowsExact, rowsShare } = use
  const { kind, schema, name, temporary, system } = resource
  return {
    action,
    kind,
    ...(schema !== undefined && { schema }),
    name,
    ...(temporary && { temporary }),
    ...(system && { system }),
    ...(through !== 'statement' && { through }),
    ...(change !== '' && { change }),
    ...(unbounded && { unbounded }),
    ...(tautological && { tautological }),
    ...(!counted && { uncounted: true as const }),
    ...(rows !== undefined && { rows }),
    ...(rowsExact && { rowsExact }),
    ...(rowsShare !== undefined && { rowsShare }),
  }
}

/** The question that policy was asked, from what was recorded of it and around it. */
export const requestFromRecord = (
  facts: DecidedFacts,
  { principal, target, readOnly, ...circumstances }: Circumstances & { readonly readOnly: boolean },
): Request => ({
  principal,
  target,
  statement: {
    ...circumstances,
    statement: facts.statement,
    readOnly,
    unresolved: facts.unresolved ?? false,
    fails: facts.fails ?? false,
    dangers: facts.dangers ?? [],
    sensitiveClasses: facts.sensitiveClasses ?? [],
    sensitiveStored: facts.sensitiveStored ?? false,
    sensitiveSteering: facts.sensitiveSteering ?? false,
  },
  uses: facts.uses.map(requestedUse),
})

const requestedUse = (use: DecidedUse): RequestedUse => {
  const { action, kind, schema, name, through = 'statement', change = '', rows, rowsShare } = use
  return {
    action,
    resource: {
      // Only ever handed to policies, which know kinds as texts: one of an older or newer node is as good.
      kind: kind as ObjectKind,
      ...(schema !== undefined && { schema }),
      name,
      temporary: use.temporary ?? false,
      system: use.system ?? false,
    },
    through,
    change,
    unbounded: use.unbounded ?? false,
    tautological: use.tautological ?? false,
    counted: use.uncounted !== true,
    rowsExact: use.rowsExact ?? false,
    ...(rows !== undefined && { rows }),
    ...(rowsShare !== undefined && { rowsShare }),
  }
}
