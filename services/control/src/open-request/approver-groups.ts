import type { ApproverGroup, HeldStatement, Target } from '@countersign/contracts'

/** In a policy's `@approvers`: the owners of the data, whoever that is. Any other word is a group's name. */
const OWNERS = 'owners'

export interface ApproverSources {
  /** Groups that own a relation, or without one the database: any of them may sign for it (DATAOWNERS). */
  readonly ownersOf: (target: Target, relation?: string) => readonly string[]
  readonly peopleIn: (group: string) => readonly string[]
}

type Held = Pick<HeldStatement, 'target' | 'relations'>

/**
 * Who must sign for a statement: one of each group, by different people.
 *
 * Several groups that own one relation are one group here, any of whose people will do. A signature that covers one
 * relation covers every other that the same groups own, alone or with more; relations of other owners each need one
 * of their own. What nobody owns yields a group without people, so that nobody can approve it.
 */
export const approverGroups = (
  approvers: readonly string[],
  statement: Held,
  excluded: readonly string[],
  { ownersOf, peopleIn }: ApproverSources,
): ApproverGroup[] => {
  const groupOf = (names: readonly string[]): ApproverGroup => ({
    name: names.length === 0 ? OWNERS : names.join(' or '),
    people: [...new Set(names.flatMap(peopleIn))].filter((person) => !excluded.includes(person)).sort(),
  })
  return [...new Set(approvers)].flatMap((word) =>
    word === OWNERS ? ownerSets(statement, ownersOf).map(groupOf) : [groupOf([word])],
  )
}

/** What no relation is named for, such as a role or a setting, is the business of those who own the database. */
const ownerSets = ({ target, relations }: Held, ownersOf: ApproverSources['ownersOf']): readonly string[][] => {
  const owned = relations.length > 0 ? relations.map(({ name }) => ownersOf(target, name)) : [ownersOf(target)]
  const sets = owned.map((groups) => [...new Set(groups)].sort())
  const distinct = [...new Map(sets.map((set) => [JSON.stringify(set), set])).values()]
  return distinct.filter((set) => !distinct.some((other) => coversTheOther(other, set)))
}

/** Whoever is in the narrower set is in the wider one too. A set without owners covers nothing. */
const coversTheOther = (narrow: readonly string[], wide: readonly string[]): boolean =>
  narrow.length > 0 && narrow.length < wide.length && narrow.every((group) => wide.includes(group))
