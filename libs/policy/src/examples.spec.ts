import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { Principal, Target } from '@countersign/contracts'
import { compilePolicies, decide, defaultPolicies, type Request, type RequestedUse } from './index.ts'

/* The policies that deploy/policies/examples offers, each beside the shipped set. */

const folder = new URL('../../../deploy/policies/examples/', import.meta.url)
const names = readdirSync(fileURLToPath(folder)).filter((name) => name.endsWith('.cedar'))
const example = (name: string) => ({ name, text: readFileSync(new URL(name, folder), 'utf8') })
const withShipped = (name: string) => compilePolicies([...defaultPolicies(), example(name)])

const ana = Principal.parse({ id: 'ana', kind: 'person', groups: ['developers'] })
const dee = Principal.parse({ id: 'dee', kind: 'person', groups: ['on-call'] })
const copilot = Principal.parse({ id: 'copilot', kind: 'agent', onBehalfOf: 'ana', groups: [] })

interface Asked {
  readonly action?: RequestedUse['action']
  readonly more?: Partial<Request['statement']>
  readonly principal?: Principal
  readonly environment?: string
  readonly temporary?: boolean
}

const request = ({ action = 'read', more = {}, principal = ana, environment = 'prod', temporary = false }: Asked) => ({
  principal,
  target: Target.parse({ environment, database: 'shop' }),
  statement: {
    statement: 'any',
    transaction: 'idle',
    hour: 12,
    weekday: 3,
    minuteOfDay: 720,
    readOnly: false,
    unresolved: false,
    fails: false,
    dangers: [],
    sensitiveClasses: [],
    sensitiveStored: false,
    sensitiveSteering: false,
    ...more,
  } as const,
  uses: [
    {
      action,
      resource: { kind: 'relation', schema: 'public', name: 'orders', temporary, system: false },
      through: 'statement',
      change: action === 'write' ? 'update' : '',
      unbounded: false,
      tautological: false,
      counted: true,
      rows: 1,
      rowsExact: true,
    } as const,
  ],
})

it('all of them are listed, compile beside the shipped set, and say why', () => {
  const readme = readFileSync(new URL('README.md', folder), 'utf8')
  expect(names.filter((name) => !readme.includes(`\`${name}\``))).toEqual([])
  const set = compilePolicies([...defaultPolicies(), ...names.map(example)])
  expect(
    [...set.policies.values()].filter(
      ({ effect, obligations }) => effect === 'forbid' && obligations.effect !== 'mask' && !obligations.because,
    ),
  ).toEqual([])
})

describe('change-window.cedar', () => {
  const set = withShipped('change-window.cedar')
  const verdict = (weekday: number, minuteOfDay: number, more: Asked = {}) =>
    decide(set, request({ action: 'alter', more: { weekday, minuteOfDay }, ...more })).verdict

  it('opens and closes to the minute', () =>
    expect([359, 360, 1199, 1200].map((minute) => verdict(5, minute))).toEqual(['deny', 'hold', 'hold', 'deny']))
  it('is closed at the weekend', () =>
    expect([1, 5, 6, 7].map((day) => verdict(day, 720))).toEqual(['hold', 'hold', 'deny', 'deny']))
  it('is for prod, for what stays, and not for who is on call', () => {
    expect(verdict(7, 0, { environment: 'dev' })).toBe('hold')
    expect(verdict(7, 0, { temporary: true })).toBe('allow')
    expect(verdict(7, 0, { principal: dee })).toBe('hold')
    expect(verdict(7, 0, { action: 'read' })).toBe('allow')
  })
})

describe('tickets.cedar', () => {
  const set = withShipped('tickets.cedar')
  const decision = (more: Partial<Request['statement']>, asked: Asked = {}) =>
    decide(set, request({ action: 'write', more, ...asked }))

  it('asks for a ticket of the right form, and says of which', () => {
    expect(decision({}).wanted).toMatchObject([{ saying: 'ticket', form: 'OPS-*' }])
    expect(decision({ ticket: 'JIRA-1' })).toMatchObject({
      verdict: 'deny',
      wanted: [{ saying: 'ticket', form: 'OPS-*' }],
    })
    expect(decision({ ticket: 'xOPS-1' }).verdict).toBe('deny')
    expect(decision({ ticket: 'OPS-1' })).toMatchObject({ verdict: 'allow', policies: ['change-rows'] })
    expect(decision({ ticket: 'INC-1' }).verdict).toBe('allow')
  })
  it('does not ask for one elsewhere', () => expect(decision({}, { environment: 'dev' }).verdict).toBe('allow'))
  it('asks people for a reason, where columns are sensitive', () => {
    const read = (more: Partial<Request['statement']>, principal = ana) =>
      decide(set, request({ more: { sensitiveClasses: ['email'], ...more }, principal }))
    expect(read({})).toMatchObject({ verdict: 'deny', wanted: [{ saying: 'reason', form: undefined }] })
    expect(read({ ticket: 'OPS-1' }).verdict).toBe('deny')
    expect(read({ reason: 'support call' }).verdict).toBe('allow')
    expect(read({ sensitiveClasses: [] }).verdict).toBe('allow')
    expect(read({}, copilot).verdict).toBe('allow')
  })
})

describe('environments.cedar', () => {
  const set = withShipped('environments.cedar')
  it('wants more signatures the more there is to lose', () => {
    const drop = (environment: string) => decide(set, request({ action: 'drop', environment }))
    expect(drop('prod')).toMatchObject({ verdict: 'hold', quorum: 2, approvers: ['owners', 'security'] })
    expect(drop('staging')).toMatchObject({ verdict: 'hold', quorum: 1, approvers: ['owners'] })
  })
  it('keeps people from changing rows of prod by hand', () => {
    expect(decide(set, request({ action: 'write' })).verdict).toBe('hold')
    expect(decide(set, request({ action: 'write', environment: 'dev' })).verdict).toBe('allow')
  })
})

describe('agents.cedar', () => {
  const set = withShipped('agents.cedar')
  const verdict = (action: RequestedUse['action'], environment: string, principal = copilot) =>
    decide(set, request({ action, environment, principal })).verdict
  it('lets agents read in prod, and what they change elsewhere be signed for', () =>
    expect([
      verdict('read', 'prod'),
      verdict('write', 'prod'),
      verdict('write', 'dev'),
      verdict('copyOut', 'dev'),
    ]).toEqual(['allow', 'deny', 'hold', 'deny']))
  it('is not about people', () =>
    expect([verdict('write', 'prod', ana), verdict('copyOut', 'prod', ana)]).toEqual(['allow', 'allow']))
})

describe('end-session.cedar', () => {
  const set = withShipped('end-session.cedar')
  it('ends the session, beside what denies it already', () => {
    const decision = decide(set, request({ more: { dangers: ['server-file'] } }))
    expect(decision).toMatchObject({ verdict: 'deny', endsSession: true, policies: ['deny-host', 'end-host'] })
  })
  it('ends none for anything else', () => {
    expect(decide(set, request({})).endsSession).toBeUndefined()
    expect(decide(set, request({ more: { dangers: ['remote'] } })).endsSession).toBeUndefined()
  })
})
