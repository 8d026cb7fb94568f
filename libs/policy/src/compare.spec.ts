import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compareOwners, comparePolicies } from './compare.ts'
import { defaultPolicies } from './default-policies.ts'

const policy = (id: string, more = '') => `@id("${id}")\npermit (principal, action == Action::"read", resource)${more};`
const file = (name: string, ...texts: readonly string[]) => ({ name, text: texts.join('\n\n') })

describe('two sets of policies', () => {
  it('differ in policies, by name', () => {
    const before = [file('a.cedar', policy('one'), policy('two')), file('b.cedar', policy('three'))]
    const after = [
      file('a.cedar', policy('one'), policy('two', ' when { context.readOnly }')),
      file('c.cedar', policy('four')),
    ]
    expect(comparePolicies(before, after)).toEqual([
      { id: 'four', file: 'c.cedar', change: 'added', after: policy('four') },
      { id: 'three', file: 'b.cedar', change: 'removed', before: policy('three') },
      {
        id: 'two',
        file: 'a.cedar',
        change: 'changed',
        before: policy('two'),
        after: policy('two', ' when { context.readOnly }'),
      },
    ])
  })

  it('do not differ by where a policy stands, nor by what is written around it', () =>
    expect(
      comparePolicies(
        [file('a.cedar', policy('one'), policy('two'))],
        [file('b.cedar', '// two', policy('two')), file('a.cedar', policy('one'))],
      ),
    ).toEqual([]))

  it('differ in an annotation', () =>
    expect(
      comparePolicies(
        [file('a.cedar', policy('one'))],
        [file('a.cedar', policy('one').replace('\n', '\n@because("x")\n'))],
      ),
    ).toMatchObject([{ id: 'one', change: 'changed' }]))

  it('are the shipped ones and themselves: no difference', () =>
    expect(comparePolicies(defaultPolicies(), defaultPolicies())).toEqual([]))
})

describe('two files of owners', () => {
  it('differ in rules', () =>
    expect(compareOwners('a/b @x\nc/d @y # of old\n', 'a/b   @x\n\nc/d @y @z\ne/f\n')).toEqual({
      added: ['c/d @y @z', 'e/f'],
      removed: ['c/d @y'],
    }))

  it('differ in the order of rules, because the last one that matches counts', () => {
    const { added, removed } = compareOwners('a/* @x\na/b @y\n', 'a/b @y\na/* @x\n')
    expect([added.length, removed.length]).toEqual([1, 1])
  })

  it('differ in as much as makes one of the other', () =>
    fc.assert(
      fc.property(fc.array(fc.nat(4), { maxLength: 12 }), fc.array(fc.nat(4), { maxLength: 12 }), (a, b) => {
        const text = (rules: readonly number[]) => rules.map((n) => `e/d${n} @g`).join('\n')
        const { added, removed } = compareOwners(text(a), text(b))
        expect(a.length - removed.length).toBe(b.length - added.length)
        if (text(a) === text(b)) expect([added, removed]).toEqual([[], []])
        else expect(added.length + removed.length).toBeGreaterThan(0)
      }),
    ))
})
