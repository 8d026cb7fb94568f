import { array, assert, constantFrom, integer, property, record, subarray } from 'fast-check'
import { describe, expect, it } from 'vitest'
import { couldBeSatisfied, groupsOf, isSatisfiedBy } from './satisfied.ts'

describe('whether signatures are enough', () => {
  it('agrees with trying out every assignment of people to groups', () =>
    assert(
      property(needs, subarray(PEOPLE), (needs, people) => {
        expect(isSatisfiedBy(needs, people)).toBe(byTryingAll(needs, people))
      }),
      { numRuns: 2_000 },
    ))

  it('never gets worse with one more signature', () =>
    assert(
      property(needs, subarray(PEOPLE), constantFrom(...PEOPLE), (needs, people, another) => {
        if (isSatisfiedBy(needs, people)) expect(isSatisfiedBy(needs, [...people, another])).toBe(true)
      }),
    ))

  it('can be reached exactly when everybody together reaches it', () =>
    assert(
      property(needs, (needs) => {
        expect(couldBeSatisfied(needs)).toBe(byTryingAll(needs, PEOPLE))
      }),
    ))

  it('finds its way round a person who was placed too early', () => {
    const groups = [
      { name: 'a', people: ['bo', 'cy'] },
      { name: 'b', people: ['bo'] },
    ]
    expect(isSatisfiedBy({ groups, quorum: 2, excluded: [] }, ['bo', 'cy'])).toBe(true)
  })

  it('gives no group to one who is excluded', () =>
    expect(groupsOf({ groups: [{ name: 'a', people: ['ana'] }], quorum: 1, excluded: ['ana'] }, 'ana')).toEqual([]))
})

const PEOPLE = ['ana', 'bo', 'cy', 'dee', 'eve']

const needs = record({
  groups: array(record({ name: constantFrom('a', 'b'), people: subarray(PEOPLE) }), { minLength: 1, maxLength: 4 }),
  quorum: integer({ min: 1, max: 4 }),
  excluded: subarray(PEOPLE, { maxLength: 2 }),
})

type Needs = Parameters<typeof isSatisfiedBy>[0]

/** The definition, word for word, and as slow as that is. */
const byTryingAll = ({ groups, quorum, excluded }: Needs, people: readonly string[]): boolean => {
  const eligible = people.filter(
    (person) => !excluded.includes(person) && groups.some((group) => group.people.includes(person)),
  )
  const assignable = (group: number, left: readonly string[]): boolean =>
    group === groups.length ||
    left.some(
      (person) =>
        groups[group]!.people.includes(person) &&
        assignable(
          group + 1,
          left.filter((other) => other !== person),
        ),
    )
  return eligible.length >= quorum && assignable(0, eligible)
}
