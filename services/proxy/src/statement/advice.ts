import type { Wanted } from '@countersign/policy'
import type { Judgement } from './judgement.ts'

/*
 * What somebody may do instead whose statement is denied or held: what to say first, what the policy's author advises,
 * and the safe way to write it (libs/sql). The first two are short; of the last the statements are given as well.
 */

type Advised = Pick<Judgement, 'advice' | 'wanted' | 'safer'>

/** For people: a line for each. Undefined when there is nothing to advise. */
export const adviceText = ({ advice, wanted = [], safer = [] }: Advised): string | undefined => {
  const lines = [
    ...(wanted.length > 0 ? [`First: ${wanted.map(sayingText).join(' ')}`] : []),
    ...(advice === undefined ? [] : [sentence(advice)]),
    ...safer.filter(({ text }) => text !== advice).map(({ text, sql = [] }) => [sentence(text), ...sql].join('\n')),
  ]
  return lines.length > 0 ? lines.join('\n') : undefined
}

/** For programs: the same, in parts. */
export const adviceParts = ({ advice, wanted = [], safer = [] }: Advised): AdviceParts => ({
  ...(wanted.length > 0 && {
    set: wanted.map(({ saying, form }) => ({
      name: `countersign.${saying}`,
      ...(form !== undefined && { like: form }),
    })),
  }),
  advice: [...(advice === undefined ? [] : [{ text: advice }]), ...safer],
})

export interface AdviceParts {
  readonly set?: readonly { readonly name: string; readonly like?: string }[]
  readonly advice: readonly { readonly code?: string; readonly text: string; readonly sql?: readonly string[] }[]
}

const sayingText = ({ saying, form }: Wanted): string => {
  const statement = `SET countersign.${saying} = '${(form ?? '…').replaceAll("'", "''")}';`
  return form?.includes('*') ? `${statement} (with your own in the place of *)` : statement
}

/** Policies say clauses; next to each other they have to be sentences. */
const sentence = (clause: string): string => {
  const begun = clause.charAt(0).toUpperCase() + clause.slice(1)
  return /[.:!?]$/.test(begun) ? begun : `${begun}.`
}
