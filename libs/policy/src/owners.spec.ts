import { describe, expect, it } from 'vitest'
import { Target } from '@countersign/contracts'
import { ownersOf, parseOwners, PolicyError } from './index.ts'

const prod = Target.parse({ environment: 'prod', database: 'shop' })
const test = Target.parse({ environment: 'test', database: 'shop' })

const owners = parseOwners(`
# who owns what
*                              @platform
prod/*                         @sre            # everything in production
prod/shop.*                    @shop-owners
prod/shop.public.payments*     @payments-team @security
prod/shop.public.payments_log  @audit
prod/shop.sales                @sales
prod/shop.public.nobody
`)

describe('the owners of a relation', () => {
  it.each<[string | undefined, string[]]>([
    ['public.orders', ['shop-owners']],
    ['public.payments', ['payments-team', 'security']],
    ['public.payments_2024', ['payments-team', 'security']],
    ['public.payments_log', ['audit']],
    ['sales.leads', ['sales']],
    ['public.nobody', []],
    [undefined, ['shop-owners']],
  ])('%s: the last rule that matches', (relation, expected) =>
    expect(ownersOf(owners, prod, relation)).toEqual(expected),
  )

  it('are those of its own environment', () => {
    expect(ownersOf(owners, test, 'public.payments')).toEqual(['platform'])
    expect(ownersOf(parseOwners('prod/shop.* @a'), test, 'public.x')).toEqual([])
  })

  it('of a database as a whole are not those of one relation', () => {
    expect(ownersOf(parseOwners('prod/shop.public.payments* @a'), prod)).toEqual([])
    expect(ownersOf(parseOwners('prod/shop @a'), prod)).toEqual(['a'])
    expect(ownersOf(parseOwners('prod/shop @a'), prod, 'public.x')).toEqual(['a'])
    expect(ownersOf(parseOwners('prod/shop.*.* @a'), prod)).toEqual(['a'])
  })
})

describe('a pattern', () => {
  const matches = (pattern: string, relation: string) =>
    ownersOf(parseOwners(`${pattern} @a`), prod, relation).length > 0

  it.each<[string, string, boolean]>([
    ['prod/shop.public.orders', 'public.orders', true],
    ['prod/shop.public.orders', 'public.orders2', false],
    ['prod/shop.public.order', 'public.orders', false],
    ['prod/sho', 'public.orders', false],
    ['prod/shop.pub', 'public.orders', false],
    ['prod/shop.*.orders', 'public.orders', true],
    ['*/shop.public.o*s', 'public.orders', true],
    ['*/*', 'public.orders', true],
    ['prod/shop.public.*x*', 'public.orders', false],
    ['prod/shop.public.or*ers*', 'public.orders', true],
    ['prod/shop.public.orders*orders', 'public.orders', false],
    ['PROD/shop.*', 'public.orders', false],
  ])('%s on %s: %s', (pattern, relation, expected) => expect(matches(pattern, relation)).toBe(expected))

  it('is matched in linear time, however many stars it has', () => {
    const start = performance.now()
    matches(`prod/shop.${'*a'.repeat(2_000)}`, 'a'.repeat(50_000))
    expect(performance.now() - start).toBeLessThan(2_000)
  })
})

describe('a line that is wrong', () => {
  it.each([
    ['shop.public.x @a', /no pattern/],
    ['prod/shop/x @a', /no pattern/],
    ['prod/shop.* a', /no group: expected @name/],
    ['prod/shop.* @', /no group/],
    ['@a', /no pattern/],
  ])('%s', (line, message) => {
    const parse = () => parseOwners(`# first\n\n${line}\n`)
    expect(parse).toThrow(PolicyError)
    expect(parse).toThrow(
      expect.objectContaining({
        code: 'OWNERS_SYNTAX',
        file: 'DATAOWNERS',
        line: 3,
        message: expect.stringMatching(message),
      }),
    )
  })
})

it('takes blank lines, comments, tabs and any line ends', () =>
  expect(parseOwners('\r\n# x\r\n\tprod/shop.*\t@a  @b/c # d\r\n')).toEqual([
    { pattern: 'prod/shop.*', groups: ['a', 'b/c'], line: 3 },
  ]))
