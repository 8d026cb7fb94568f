import { describe, expect, it } from 'vitest'
import { approverGroups } from './approver-groups.ts'

describe('who must sign for a held statement', () => {
  it('is any owner of its relation', () =>
    expect(signers(['owners'], ['public.orders'])).toEqual([{ name: 'shop-owners', people: ['bo', 'cy'] }]))

  it('is any person of any group that owns it', () =>
    expect(signers(['owners'], ['public.payments'])).toEqual([
      { name: 'security or shop-owners', people: ['bo', 'cy', 'sam'] },
    ]))

  it('is one for each set of owners when it touches relations of several', () =>
    expect(signers(['owners'], ['public.payments', 'hr.staff'])).toEqual([
      { name: 'security or shop-owners', people: ['bo', 'cy', 'sam'] },
      { name: 'hr', people: ['hal'] },
    ]))

  it('is one where whoever may sign for one relation owns the others too', () =>
    expect(signers(['owners'], ['public.payments', 'public.orders'])).toEqual([
      { name: 'shop-owners', people: ['bo', 'cy'] },
    ]))

  it('is one for relations with the same owners', () =>
    expect(signers(['owners'], ['public.orders', 'public.customers'])).toHaveLength(1))

  it('is one of each group that the policy names', () =>
    expect(signers(['owners', 'security'], ['public.orders'])).toEqual([
      { name: 'shop-owners', people: ['bo', 'cy'] },
      { name: 'security', people: ['cy', 'sam'] },
    ]))

  it('is never one who is excluded', () =>
    expect(signers(['owners'], ['public.orders'], ['bo'])).toEqual([{ name: 'shop-owners', people: ['cy'] }]))

  it('is nobody for what nobody owns, also beside what somebody owns', () => {
    expect(signers(['owners'], ['audit.secrets'])).toEqual([{ name: 'owners', people: [] }])
    expect(signers(['owners'], ['public.orders', 'audit.secrets'])).toContainEqual({ name: 'owners', people: [] })
  })

  it('is nobody for a group that has no people', () =>
    expect(signers(['ghosts'], ['public.orders'])).toEqual([{ name: 'ghosts', people: [] }]))

  it('is an owner of the database where no relation is named', () =>
    expect(signers(['owners'], [])).toEqual([{ name: 'shop-owners', people: ['bo', 'cy'] }]))
})

const OWNERS: Record<string, string[]> = {
  '*': ['shop-owners'],
  'public.orders': ['shop-owners'],
  'public.customers': ['shop-owners'],
  'public.payments': ['shop-owners', 'security'],
  'hr.staff': ['hr'],
}
const PEOPLE: Record<string, string[]> = { 'shop-owners': ['bo', 'cy'], security: ['sam', 'cy'], hr: ['hal'] }

const signers = (approvers: string[], relations: string[], excluded: string[] = []) =>
  approverGroups(
    approvers,
    {
      target: { environment: 'demo', database: 'shop' },
      relations: relations.map((name) => ({ name, actions: ['delete'] })),
    },
    excluded,
    { ownersOf: (_, relation = '*') => OWNERS[relation] ?? [], peopleIn: (group) => PEOPLE[group] ?? [] },
  )
