import { parseOwners } from './owners.ts'
import { policyTexts, type PolicyFile } from './policy-set.ts'

/** A policy in which two sets differ. */
export interface PolicyDifference {
  readonly id: string
  /** Where it stands, or stood. */
  readonly file: string
  readonly change: 'added' | 'removed' | 'changed'
  readonly before?: string
  readonly after?: string
}

/**
 * What is to be said of two sets, policy by policy. Where a policy stands, and what is written around it, does not
 * matter: only its own text, annotations included. Throws PolicyError when one of them does not compile.
 */
export const comparePolicies = (
  before: readonly PolicyFile[],
  after: readonly PolicyFile[],
): readonly PolicyDifference[] => {
  const [old, made] = [policyTexts(before), policyTexts(after)]
  const ids = [...new Set([...old.keys(), ...made.keys()])].sort()
  return ids.flatMap((id) => {
    const [was, is] = [old.get(id), made.get(id)]
    if (was && is) return was.text === is.text ? [] : [differing(id, is.file, 'changed', was.text, is.text)]
    if (is) return [differing(id, is.file, 'added', undefined, is.text)]
    return was ? [differing(id, was.file, 'removed', was.text, undefined)] : []
  })
}

const differing = (
  id: string,
  file: string,
  change: PolicyDifference['change'],
  before: string | undefined,
  after: string | undefined,
): PolicyDifference => ({
  id,
  file,
  change,
  ...(before !== undefined && { before }),
  ...(after !== undefined && { after }),
})

export interface OwnersDifference {
  /** Rules as `pattern @group …`, in their order. */
  readonly added: readonly string[]
  readonly removed: readonly string[]
}

/** Rules that differ; their order counts, comments and white space do not. Throws PolicyError. */
export const compareOwners = (before: string, after: string): OwnersDifference => {
  const [old, made] = [rulesOf(before), rulesOf(after)]
  const kept = longestCommon(old, made)
  return { added: without(made, kept), removed: without(old, kept) }
}

const rulesOf = (text: string): readonly string[] =>
  parseOwners(text).map(({ pattern, groups }) => [pattern, ...groups.map((group) => `@${group}`)].join(' '))

/** What is left of a list when a part of it, in its order, is taken out. */
const without = (list: readonly string[], part: readonly string[]): readonly string[] => {
  let next = 0
  return list.filter((one) => {
    if (one !== part[next]) return true
    next += 1
    return false
  })
}

/** The longest list that is in both, in this order. */
const longestCommon = (a: readonly string[], b: readonly string[]): readonly string[] => {
  const start = a.findIndex((one, index) => one !== b[index])
  if (start < 0) return a
  const rest = [a.slice(start), b.slice(start)] as const
  const end = rest[0].toReversed().findIndex((one, index) => one !== rest[1].at(-1 - index))
  const tail = end < 0 ? rest[0].length : end
  const [x, y] = rest.map((each) => each.slice(0, each.length - tail)) as [string[], string[]]
  // Where both are long and nothing of them is alike, all of it is said to differ: that is true as well.
  const middle = x.length * y.length > CELLS_MAX ? [] : commonByTable(x, y)
  return [...a.slice(0, start), ...middle, ...a.slice(a.length - tail)]
}

const CELLS_MAX = 4_000_000

/** The classic table, row by row from the end. */
const commonByTable = (a: readonly string[], b: readonly string[]): readonly string[] => {
  const lengths = Array.from({ length: a.length + 1 }, () => new Uint32Array(b.length + 1))
  const at = (i: number, j: number) => lengths[i]?.[j] ?? 0
  for (let i = a.length - 1; i >= 0; i--) {
    const row = lengths[i] ?? new Uint32Array()
    for (let j = b.length - 1; j >= 0; j--) {
      row[j] = a[i] === b[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1))
    }
  }
  const common: string[] = []
  for (let i = 0, j = 0; i < a.length && j < b.length;) {
    const one = a[i]
    if (one !== undefined && one === b[j]) {
      common.push(one)
      i += 1
      j += 1
    } else if (at(i + 1, j) >= at(i, j + 1)) i += 1
    else j += 1
  }
  return common
}
