import { PolicyError } from './policy-error.ts'

/*
 * What a policy asks for beyond yes and no, written as annotations:
 *
 *   @id("hold-every-row")           its name, unique among all files; the only one that is needed
 *   @effect("hold")                 of a forbid: hold instead of deny; `mask` of a forbid of unmask
 *   @effect("end-session")          of a forbid: deny, and end the session that tried it
 *   @approvers("owners,security")   of a hold: groups that each have to sign; `owners` are those of DATAOWNERS
 *   @quorum("2")                    of a hold: how many people in all
 *   @mask("partial")                of a forbid of unmask: how the value is masked
 *   @guard("100")                   of a permit or a hold: what it concerns runs, and is rolled back when it has changed
 *                                   more rows
 *   @undo("24h")                    of a hold: what it changes can be undone for so long, or it does not run
 *   @because("…")  @advice("…")     for people: why, and what to do instead
 */

export const EFFECTS = ['deny', 'hold', 'mask', 'end-session'] as const
export type Effect = (typeof EFFECTS)[number]

export const MASKS = ['partial', 'redact', 'null', 'year', 'pseudonym'] as const
export type Mask = (typeof MASKS)[number]

export interface Obligations {
  readonly effect: Effect
  readonly approvers: readonly string[]
  readonly quorum: number
  readonly mask: Mask | undefined
  /** So many rows may be changed; when there were more, nothing of it stands. */
  readonly guard: number | undefined
  /** For so many hours what it changes can be undone. */
  readonly undoHours: number | undefined
  readonly because: string | undefined
  readonly advice: string | undefined
}

/** What an annotation stands at. `changesRows`: some action of its scope may. */
interface Concerned {
  readonly effect: 'permit' | 'forbid'
  readonly isUnmask: boolean
  readonly changesRows: boolean
}

export interface Place {
  readonly file: string
  readonly line: number
}

const KNOWN = new Set(['id', 'effect', 'approvers', 'quorum', 'mask', 'guard', 'undo', 'because', 'advice'])
const GROUP = /^[\w.:/-]+$/

export const readObligations = (
  annotations: Readonly<Record<string, string>>,
  policy: Concerned,
  place: Place,
): Obligations => {
  const fail = (what: string) => new PolicyError('POLICY_ANNOTATION', place.file, place.line, what)
  const unknown = Object.keys(annotations).find((name) => !KNOWN.has(name))
  if (unknown) throw fail(`unknown annotation @${unknown}: known are ${[...KNOWN].join(', ')}`)
  const effect = oneOf(EFFECTS, annotations['effect'] ?? 'deny', 'effect', fail)
  const obligations = {
    effect,
    approvers: approversOf(annotations['approvers'], fail),
    quorum: quorumOf(annotations['quorum'], fail),
    mask: annotations['mask'] === undefined ? undefined : oneOf(MASKS, annotations['mask'], 'mask', fail),
    guard: annotations['guard'] === undefined ? undefined : guardOf(annotations['guard'], fail),
    undoHours: annotations['undo'] === undefined ? undefined : hoursOf(annotations['undo'], fail),
    because: annotations['because'],
    advice: annotations['advice'],
  }
  const misplaced = misplacedAnnotation(annotations, effect, policy)
  if (misplaced) throw fail(misplaced)
  return obligations
}

const misplacedAnnotation = (
  annotations: Readonly<Record<string, string>>,
  effect: Effect,
  { effect: kind, isUnmask, changesRows }: Concerned,
): string | undefined => {
  if (kind === 'permit' && annotations['effect'] !== undefined) return '@effect belongs to a forbid'
  if (effect === 'hold' && annotations['approvers'] === undefined) return '@effect("hold") needs @approvers'
  if (effect !== 'hold' && (annotations['approvers'] ?? annotations['quorum']) !== undefined) {
    return '@approvers and @quorum belong to @effect("hold")'
  }
  if (annotations['guard'] !== undefined) {
    if (kind === 'forbid' && effect !== 'hold') return '@guard belongs to a permit or to @effect("hold")'
    if (!changesRows) return '@guard belongs to what changes rows: Action::"write", "delete" or "copyIn" are not in it'
  }
  if (annotations['undo'] !== undefined && !(effect === 'hold' && changesRows)) {
    return '@undo belongs to @effect("hold") of Action::"write" or "delete"'
  }
  const asksForMask = effect === 'mask' || annotations['mask'] !== undefined
  if (asksForMask && !(kind === 'forbid' && isUnmask)) return 'masks belong to a forbid of Action::"unmask" alone'
  if (effect === 'end-session' && isUnmask) return '@effect("end-session") cannot be put on Action::"unmask"'
  return effect === 'hold' && isUnmask ? 'a hold cannot be put on Action::"unmask"' : undefined
}

type Fail = (what: string) => PolicyError

const oneOf = <T extends string>(values: readonly T[], value: string, name: string, fail: Fail): T => {
  const found = values.find((one) => one === value)
  if (!found) throw fail(`@${name}("${value}"): expected one of ${values.join(', ')}`)
  return found
}

const approversOf = (text: string | undefined, fail: Fail): readonly string[] => {
  if (text === undefined) return []
  const groups = text.split(',').map((group) => group.trim())
  const wrong = groups.find((group) => !GROUP.test(group))
  if (wrong !== undefined) throw fail(`@approvers("${text}"): expected names of groups, separated by commas`)
  return groups
}

const QUORUM_MAX = 20

const quorumOf = (text: string | undefined, fail: Fail): number => {
  const quorum = Number(text ?? 1)
  if (!Number.isInteger(quorum) || quorum < 1 || quorum > QUORUM_MAX) {
    throw fail(`@quorum("${text}"): expected a number from 1 to ${QUORUM_MAX}`)
  }
  return quorum
}

const DIGITS = /^\d{1,9}$/

const guardOf = (text: string, fail: Fail): number => {
  if (!DIGITS.test(text)) throw fail(`@guard("${text}"): expected a number of rows`)
  return Number(text)
}

const HOURS_MAX = 24 * 30
const HOURS = /^(\d{1,3})h$/

const hoursOf = (text: string, fail: Fail): number => {
  const hours = Number(HOURS.exec(text)?.[1])
  if (!(hours >= 1 && hours <= HOURS_MAX)) throw fail(`@undo("${text}"): expected hours, from "1h" to "${HOURS_MAX}h"`)
  return hours
}
