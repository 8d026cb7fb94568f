import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { Action } from '@countersign/contracts'
import { ACTIONS } from '@countersign/sql'
import { compilePolicies, defaultPolicies, EVERY_FACT, PolicyError, SCHEMA } from './index.ts'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const file = (text: string, name = 'x.cedar') => [{ name, text }]
const permit = '@id("p") permit (principal, action, resource);'

describe('the shipped set', () => {
  it('is what lies in policies/, to be read', () => {
    const names = readdirSync(join(root, 'policies')).sort()
    expect(defaultPolicies()).toEqual(
      names.map((name) => ({ name, text: readFileSync(join(root, 'policies', name), 'utf8') })),
    )
    expect(SCHEMA).toBe(readFileSync(join(root, 'countersign.cedarschema'), 'utf8'))
  })

  it('fits the schema, and gives a reason with every hold and denial', () => {
    const { policies } = compilePolicies(defaultPolicies())
    const silent = [...policies.values()].filter(
      ({ effect, obligations }) => effect === 'forbid' && obligations.effect !== 'mask' && !obligations.because,
    )
    expect(silent).toEqual([])
  })
})

it('libs/sql and the events name the same actions, and so does the schema', () => {
  expect([...ACTIONS]).toEqual(Action.options)
  const declared = /action (read,[^;]*?) in \[use\]/.exec(SCHEMA.replace(/\s+/g, ' '))?.[1]?.split(', ')
  expect(declared).toEqual([...ACTIONS])
})

describe('a file that is wrong names the place and the reason', () => {
  it.each<[string, string, number, RegExp]>([
    ['POLICY_SYNTAX', `${permit}\n\npermit (principal, action, resorce);`, 3, /resorce/],
    ['POLICY_SYNTAX', `// ü\n@id("a")\npermit (principal, action, resource)`, 3, /unexpected end/],
    ['POLICY_SYNTAX', '@id("a") permit (principal == ?principal, action, resource);', 1, /templates/],
    [
      'POLICY_SCHEMA',
      `${permit}\n@id("b")\nforbid (principal, action == Action::"read", resource)\nwhen { context.rowz > 1 };`,
      4,
      /rowz/,
    ],
    ['POLICY_SCHEMA', '@id("b") permit (principal, action == Action::"reed", resource);', 1, /reed/],
    ['POLICY_SCHEMA', '@id("b") permit (principal is Robot, action, resource);', 1, /Robot/],
    ['POLICY_ANNOTATION', `${permit}\npermit (principal, action, resource);`, 2, /needs a name/],
    ['POLICY_ANNOTATION', `${permit}\n${permit}`, 2, /taken already: x\.cedar:1/],
    [
      'POLICY_ANNOTATION',
      '@id("b") @effect("end-session") permit (principal, action, resource);',
      1,
      /belongs to a forbid/,
    ],
    [
      'POLICY_ANNOTATION',
      '@id("b") @effect("end-session") forbid (principal, action == Action::"unmask", resource);',
      1,
      /end-session/,
    ],
    [
      'POLICY_ANNOTATION',
      '@id("b") @efect("hold") forbid (principal, action, resource);',
      1,
      /unknown annotation @efect/,
    ],
    [
      'POLICY_ANNOTATION',
      '@id("b") @effect("wait") forbid (principal, action, resource);',
      1,
      /expected one of deny, hold, mask/,
    ],
    ['POLICY_ANNOTATION', '@id("b") @effect("hold") forbid (principal, action, resource);', 1, /needs @approvers/],
    [
      'POLICY_ANNOTATION',
      '@id("b") @effect("hold") @approvers("a, ,b") forbid (principal, action, resource);',
      1,
      /names of groups/,
    ],
    [
      'POLICY_ANNOTATION',
      '@id("b") @effect("hold") @approvers("a") @quorum("0") forbid (principal, action, resource);',
      1,
      /from 1 to 20/,
    ],
    [
      'POLICY_ANNOTATION',
      '@id("b") @effect("hold") @approvers("a") @quorum("two") forbid (principal, action, resource);',
      1,
      /from 1 to 20/,
    ],
    [
      'POLICY_ANNOTATION',
      '@id("b") @effect("hold") @approvers("a") permit (principal, action, resource);',
      1,
      /belongs to a forbid/,
    ],
    ['POLICY_ANNOTATION', '@id("b") @approvers("a") forbid (principal, action, resource);', 1, /belong to @effect/],
    [
      'POLICY_ANNOTATION',
      '@id("b") @mask("partial") forbid (principal, action == Action::"read", resource);',
      1,
      /unmask/,
    ],
    [
      'POLICY_ANNOTATION',
      '@id("b") @mask("rot13") forbid (principal, action == Action::"unmask", resource);',
      1,
      /expected one of/,
    ],
    [
      'POLICY_ANNOTATION',
      '@id("b") @effect("hold") @approvers("a") forbid (principal, action == Action::"unmask", resource);',
      1,
      /cannot be put/,
    ],
    ['POLICY_ANNOTATION', '@id("b") @guard("many") permit (principal, action, resource);', 1, /a number of rows/],
    ['POLICY_ANNOTATION', '@id("b") @guard("-1") permit (principal, action, resource);', 1, /a number of rows/],
    [
      'POLICY_ANNOTATION',
      '@id("b") @effect("hold") @approvers("a") @undo("2d") forbid (principal, action, resource);',
      1,
      /expected hours/,
    ],
    ['POLICY_ANNOTATION', '@id("b") @undo("2h") permit (principal, action, resource);', 1, /belongs to @effect/],
    [
      'POLICY_ANNOTATION',
      '@id("b") @effect("hold") @approvers("a") @undo("2h") forbid (principal, action == Action::"truncate", resource);',
      1,
      /belongs to @effect/,
    ],
    ['POLICY_ANNOTATION', '@id("b") @guard("5") forbid (principal, action, resource);', 1, /belongs to a permit/],
    [
      'POLICY_ANNOTATION',
      '@id("b") @guard("5") permit (principal, action in [Action::"read", Action::"truncate"], resource);',
      1,
      /what changes rows/,
    ],
  ])('%s: %s', (code, text, line, message) => {
    const compile = () => compilePolicies(file(text))
    expect(compile).toThrow(PolicyError)
    expect(compile).toThrow(
      expect.objectContaining({ code, file: 'x.cedar', line, message: expect.stringMatching(message) }),
    )
  })

  it('across files', () =>
    expect(() => compilePolicies([...file(permit, 'a.cedar'), ...file(`\n${permit}`, 'b.cedar')])).toThrow(
      expect.objectContaining({ file: 'b.cedar', line: 2 }),
    ))
})

describe('the facts that a set can depend on', () => {
  const facts = (condition: string) =>
    [
      ...compilePolicies(file(`@id("p") forbid (principal, action == Action::"read", resource) ${condition};`))
        .factsUsed,
    ].sort()

  it.each<[string, string[]]>([
    ['', []],
    ['when { principal in Group::"x" && resource is Relation }', []],
    ['when { context.hour > 18 }', ['hour']],
    ['unless { context["environment"] == "test" }', ['environment']],
    ['when { context has rows && context.rows > 1 }', ['rows']],
    [
      'when { if context.agent then context.dangers.contains("x") else !(context has ticket) }',
      ['agent', 'dangers', 'ticket'],
    ],
    ['when { [context.statement].contains("DO") || {"a": context.change} == {"a": "x"} }', ['change', 'statement']],
    ['when { context.weekday > 5 || context.minuteOfDay < 60 }', ['minuteOfDay', 'weekday']],
    ['when { context == context }', [EVERY_FACT]],
  ])('%s', (condition, expected) => expect(facts(condition)).toEqual(expected))

  it('leave out what only masking and connecting look at', () => {
    const text = '@id("p") permit (principal, action == Action::"unmask", resource) when { context.hour > 1 };'
    expect([...compilePolicies(file(text)).factsUsed]).toEqual([])
    expect([...compilePolicies(file(text)).maskFactsUsed]).toEqual(['hour'])
  })

  it('of the shipped set do not include the hour: its decisions can be kept', () =>
    expect([...compilePolicies(defaultPolicies()).factsUsed].sort()).toEqual([
      'change',
      'counted',
      'dangers',
      'fails',
      'rows',
      'rowsShare',
      'sensitiveSteering',
      'sensitiveStored',
      'statement',
      'tautological',
      'unbounded',
      'unresolved',
    ]))
})

describe('whether a decision can depend on what a statement does', () => {
  it.each([
    [permit, false],
    ['@id("p") permit (principal in Group::"dba", action, resource in Environment::"test");', false],
    ['@id("p") permit (principal, action, resource) when { context.hour > 8 };', false],
    ['@id("p") permit (principal, action == Action::"read", resource);', true],
    ['@id("p") permit (principal, action, resource in Schema::"test/shop.public");', true],
    ['@id("p") permit (principal, action in Action::"use", resource) when { context.readOnly };', true],
    ['@id("p") forbid (principal, action in Action::"use", resource is Relation) when { resource.system };', true],
    [
      `${permit} @id("h") @effect("hold") @approvers("owners") @because("late") forbid (principal, action, resource) when { context.hour > 8 };`,
      true,
    ],
    [
      `${permit} @id("u") permit (principal, action == Action::"unmask", resource) when { resource.class == "clear" };`,
      false,
    ],
  ])('%s: %s', (text, looks) => expect(compilePolicies(file(text)).looksAtStatements).toBe(looks))

  it('is so for the shipped set', () => expect(compilePolicies(defaultPolicies()).looksAtStatements).toBe(true))
})

it('has a digest that follows names and texts', () => {
  const digest = (name: string, text: string) => compilePolicies([{ name, text }]).digest
  expect(digest('a', permit)).toMatch(/^[0-9a-f]{16}$/)
  expect(digest('a', permit)).toBe(digest('a', permit))
  expect(digest('a', permit)).not.toBe(digest('b', permit))
  expect(digest('a', permit)).not.toBe(digest('a', `${permit}\n`))
})
