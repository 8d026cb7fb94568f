import type { PolicyJson } from '@cedar-policy/cedar-wasm/nodejs'

/*
 * What a client says of its own accord before a statement, and policies may ask for: `SET countersign.reason = '…'` and
 * `SET countersign.ticket = '…'`.
 */

export const SAYINGS = ['ticket', 'reason'] as const
export type Saying = (typeof SAYINGS)[number]

/** Something that a policy would take for a ticket or a reason, and its form where it asks for one (`OPS-*`). */
export interface Wanted {
  readonly saying: Saying
  readonly form: string | undefined
  /** One that has this form, to try with. */
  readonly sample: string
}

/** What the conditions of a policy compare a ticket or a reason with; nothing when they speak of neither. */
export const wantedBy = ({ conditions }: Pick<PolicyJson, 'conditions'>): readonly Wanted[] =>
  SAYINGS.flatMap((saying) => {
    const forms = formsOf(conditions, saying)
    const isMentioned = forms.length > 0 || mentions(conditions, saying)
    return isMentioned ? [...forms, { saying, form: undefined, sample: ANY[saying] }] : []
  })

const ANY: Readonly<Record<Saying, string>> = { ticket: 'TICKET-1', reason: 'as agreed' }

/** Every `like` and `==` on it: any of them may be what is asked for. Which one helps is tried. */
const formsOf = (expression: unknown, saying: Saying): readonly Wanted[] => {
  if (Array.isArray(expression)) return expression.flatMap((part) => formsOf(part, saying))
  if (!isRecord(expression)) return []
  const form = likeOn(expression['like'], saying) ?? equalTo(expression['=='], saying)
  return form ? [form] : Object.values(expression).flatMap((part) => formsOf(part, saying))
}

const likeOn = (like: unknown, saying: Saying): Wanted | undefined => {
  if (!isRecord(like) || !isSaid(like['left'], saying) || !Array.isArray(like['pattern'])) return undefined
  const pieces = like['pattern'].map((piece: unknown) => (isRecord(piece) ? String(piece['Literal']) : undefined))
  return {
    saying,
    form: pieces.map((piece) => piece ?? '*').join(''),
    sample: pieces.map((piece) => piece ?? '1').join(''),
  }
}

const equalTo = (equal: unknown, saying: Saying): Wanted | undefined => {
  if (!isRecord(equal)) return undefined
  const sides = [equal['left'], equal['right']]
  const value = sides.find((side) => isRecord(side) && typeof side['Value'] === 'string')
  if (!sides.some((side) => isSaid(side, saying)) || !isRecord(value)) return undefined
  return { saying, form: String(value['Value']), sample: String(value['Value']) }
}

const mentions = (expression: unknown, saying: Saying): boolean => {
  if (Array.isArray(expression)) return expression.some((part) => mentions(part, saying))
  if (!isRecord(expression)) return false
  const has = expression['has']
  return (
    isSaid(expression, saying) ||
    (isRecord(has) && isContext(has['left']) && hasName(has['attr'], saying)) ||
    Object.values(expression).some((part) => mentions(part, saying))
  )
}

const isSaid = (expression: unknown, saying: Saying): boolean => {
  const access = isRecord(expression) ? expression['.'] : undefined
  return isRecord(access) && isContext(access['left']) && access['attr'] === saying
}

const hasName = (attr: unknown, name: string): boolean => attr === name || (Array.isArray(attr) && attr[0] === name)

const isContext = (value: unknown): boolean => isRecord(value) && value['Var'] === 'context'

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
