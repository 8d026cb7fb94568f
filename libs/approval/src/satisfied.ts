import type { Request } from './approval.ts'

type Needs = Pick<Request, 'groups' | 'quorum' | 'excluded'>

/** Whether these people's signatures are enough: as many humans as asked, and one of them for each group. */
export const isSatisfiedBy = (needs: Needs, people: readonly string[]): boolean => {
  const eligible = new Set(people.filter((person) => groupsOf(needs, person).length > 0))
  return eligible.size >= needs.quorum && eachGroupHasItsOwn(needs, eligible)
}

/** Whether it would be enough if everybody who may sign did. */
export const couldBeSatisfied = (needs: Needs): boolean =>
  isSatisfiedBy(
    needs,
    needs.groups.flatMap(({ people }) => people),
  )

/** The groups for which a signature of this person counts. */
export const groupsOf = ({ groups, excluded }: Needs, person: string): string[] =>
  excluded.includes(person) ? [] : groups.filter(({ people }) => people.includes(person)).map(({ name }) => name)

/**
 * CONTROL distinct-approvers: a human who is in two groups signs for one of them.
 *
 * Looks for an assignment of different people to groups: a matching in the graph of groups and their signers,
 * grown by augmenting paths (Kuhn 1955). Groups are few, so its cubic worst case is no matter.
 */
const eachGroupHasItsOwn = ({ groups }: Needs, people: ReadonlySet<string>): boolean => {
  const candidates = groups.map((group) => group.people.filter((person) => people.has(person)))
  const signsFor = new Map<string, number>()

  const place = (group: number, tried: Set<string>): boolean =>
    (candidates[group] ?? []).some((person) => {
      if (tried.has(person)) return false
      tried.add(person)
      const taken = signsFor.get(person)
      if (taken !== undefined && !place(taken, tried)) return false
      signsFor.set(person, group)
      return true
    })

  return candidates.every((_, group) => place(group, new Set()))
}
