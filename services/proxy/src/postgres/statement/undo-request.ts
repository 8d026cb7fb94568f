import type { Principal, RequestId, Target, Touch } from '@countersign/contracts'
import type { ClockFacts, Request, RequestedUse } from '@countersign/policy'
import type { TransactionStatus } from '../../statement/judgement.ts'
import { nameOf, type Image, type RelationImage } from '../undo/image.ts'

/** Our own, like `EXPLAIN (POLICY)`: no function of the server's, so this is all that it can be. */
const UNDO = /^\s*select\s+countersign\.undo\(\s*'(rq_[0-9a-z]{10})'\s*\)\s*;?\s*$/i

/** The request that is to be undone, when a text is `SELECT countersign.undo('rq_…')`. */
export const undoneIn = (sql: string): RequestId | undefined => UNDO.exec(sql)?.[1] as RequestId | undefined

interface Circumstances extends ClockFacts {
  readonly principal: Principal
  readonly target: Target
  readonly transaction: TransactionStatus
  readonly reason: string | undefined
  readonly ticket: string | undefined
  readonly classOf: (column: string) => string
}

/** What undoing does, as policy is asked about any other change of rows. */
export const undoRequest = (
  image: Image,
  { principal, target, transaction, hour, weekday, minuteOfDay, reason, ticket, classOf }: Circumstances,
): { readonly request: Request; readonly touches: readonly Touch[] } => {
  const touches = image.relations.flatMap((relation) =>
    relation.columns.map(({ name }) => touchOf(nameOf(relation), name, classOf)),
  )
  const classes = new Set(touches.flatMap((touch) => (touch.class === 'clear' ? [] : [touch.class ?? 'unknown'])))
  return {
    touches,
    request: {
      principal,
      target,
      statement: {
        statement: 'UNDO',
        transaction,
        hour,
        weekday,
        minuteOfDay,
        ...(reason !== undefined && { reason }),
        ...(ticket !== undefined && { ticket }),
        readOnly: false,
        unresolved: false,
        fails: false,
        dangers: [],
        sensitiveClasses: [...classes].sort(),
        sensitiveStored: false, // What it puts back stood there before.
        sensitiveSteering: false,
      },
      uses: image.relations.flatMap(usesOf),
    },
  }
}

const touchOf = (relation: string, column: string, classOf: (column: string) => string): Touch => ({
  relation,
  column,
  how: 'written',
  class: classOf(`${relation}.${column}`),
})

const usesOf = (relation: RelationImage): readonly RequestedUse[] => [
  ...(relation.rows.length > 0 ? [useOf(relation, 'write', 'update', relation.rows.length)] : []),
  ...(relation.added > 0 ? [useOf(relation, 'delete', 'delete', relation.added)] : []),
]

const useOf = (
  { schema, name }: RelationImage,
  action: 'write' | 'delete',
  change: 'update' | 'delete',
  rows: number,
): RequestedUse => ({
  action,
  resource: { kind: 'relation', schema, name, temporary: false, system: false },
  through: 'statement',
  change,
  unbounded: false,
  tautological: false,
  counted: true,
  rows,
  rowsExact: true,
})
