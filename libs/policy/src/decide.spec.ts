import { isAuthorized, type Context, type EntityJson } from '@cedar-policy/cedar-wasm/nodejs'
import { describe, expect, it } from 'vitest'
import { Principal, Target } from '@countersign/contracts'
import {
  compilePolicies,
  decide,
  defaultPolicies,
  maskDecision,
  seesEverything,
  mayConnect,
  SCHEMA,
  type Request,
  type RequestedUse,
} from './index.ts'
import { actionEntity, columnEntity, principalEntity, resourceEntity } from './entities.ts'

const target = Target.parse({ environment: 'prod', database: 'shop' })
const ana = Principal.parse({ id: 'ana', kind: 'person', groups: ['developers'] })
const eve = Principal.parse({ id: 'eve', kind: 'person', groups: ['auditors'] })
const etl = Principal.parse({ id: 'etl', kind: 'service', groups: ['services'] })
const copilot = Principal.parse({ id: 'copilot', kind: 'agent', onBehalfOf: 'ana', groups: ['agents'] })

const nothing: Request['statement'] = {
  statement: 'SELECT',
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
}
/** The time as policies know it, where only the hour matters. */
const at = (hour: number, more: { readonly reason?: string } = {}) => ({
  hour,
  weekday: 3,
  minuteOfDay: 60 * hour,
  ...more,
})
const orders = { kind: 'relation', schema: 'public', name: 'orders', temporary: false, system: false } as const
const plain: Omit<RequestedUse, 'action'> = {
  resource: orders,
  through: 'statement',
  change: '',
  unbounded: false,
  tautological: false,
  counted: true,
  rowsExact: false,
}
const use = (action: RequestedUse['action'], more: Partial<RequestedUse> = {}): RequestedUse => ({
  ...plain,
  action,
  ...more,
})
const request = (
  uses: readonly RequestedUse[],
  more: Partial<Request['statement']> = {},
  principal = ana,
): Request => ({
  principal,
  target,
  statement: { ...nothing, ...more },
  uses,
})
const set = (text: string) => compilePolicies([{ name: 'x.cedar', text }])

describe('a guard', () => {
  const bounded = set(`
    @id("all") permit (principal, action, resource);
    @id("some") @guard("50") permit (principal, action == Action::"write", resource);
    @id("fewer") @guard("20") permit (principal, action == Action::"write", resource) when { context.hour < 6 };
    @id("hold") @effect("hold") @approvers("owners") @guard("10")
      forbid (principal, action == Action::"write", resource) when { context.unbounded };
    @id("deny") forbid (principal, action == Action::"drop", resource);`)
  const change = use('write', { change: 'update' })

  it('is the smallest of those that let a change through', () => {
    expect(decide(bounded, request([change])).guard).toEqual({ rowsMax: 50, policies: ['some'] })
    expect(decide(bounded, request([change], { hour: 3 })).guard).toEqual({ rowsMax: 20, policies: ['fewer'] })
  })
  it('is also of what it is held by, and of what would let it through then', () => {
    const held = use('write', { change: 'update', unbounded: true })
    expect(decide(bounded, request([held]))).toMatchObject({ verdict: 'hold', guard: { rowsMax: 10 } })
    const other = set(`
      @id("some") @guard("50") permit (principal, action, resource);
      @id("hold") @effect("hold") @approvers("owners") forbid (principal, action, resource);`)
    expect(decide(other, request([held]))).toMatchObject({ verdict: 'hold', guard: { rowsMax: 50 } })
  })
  it('is about changes of rows, and not about what is denied', () => {
    expect(decide(bounded, request([use('write')])).guard).toBeUndefined()
    expect(decide(bounded, request([use('read')])).guard).toBeUndefined()
    expect(decide(bounded, request([change, use('drop')])).guard).toBeUndefined()
  })
  it('is beside how long it must be possible to undo it, where it is held', () => {
    const undone = set(`
      @id("all") permit (principal, action, resource);
      @id("short") @effect("hold") @approvers("owners") @undo("2h") forbid (principal, action == Action::"write", resource);
      @id("long") @effect("hold") @approvers("owners") @undo("48h")
        forbid (principal, action == Action::"write", resource) when { context.unbounded };`)
    expect(decide(undone, request([change])).undoHours).toBe(2)
    expect(decide(undone, request([use('write', { change: 'update', unbounded: true })])).undoHours).toBe(48)
    expect(decide(undone, request([use('write')])).undoHours).toBeUndefined()
    expect(decide(undone, request([use('delete', { change: 'delete' })])).undoHours).toBeUndefined()
  })
  it('makes a set look at statements that would look at nothing else', () => {
    expect(set('@id("a") permit (principal, action, resource);')).toMatchObject({
      looksAtStatements: false,
      guards: false,
    })
    expect(set('@id("a") @guard("5") permit (principal, action, resource);')).toMatchObject({
      looksAtStatements: true,
      guards: true,
    })
  })
})

describe('a decision', () => {
  const base = `
    @id("permit-read") permit (principal, action == Action::"read", resource);
    @id("permit-write") permit (principal, action == Action::"write", resource);
    @id("hold-write") @effect("hold") @approvers("owners") @quorum("2") @because("it writes") @advice("do not")
      forbid (principal, action == Action::"write", resource);
    @id("hold-many") @effect("hold") @approvers("security,owners")
      forbid (principal, action == Action::"write", resource) when { context has rows && context.rows > 5 };
    @id("hold-drop") @effect("hold") @approvers("owners") forbid (principal, action == Action::"drop", resource);
    @id("deny-night") @because("it is night")
      forbid (principal, action in Action::"use", resource) when { context.hour < 5 };`

  it('allows what is permitted, and says by what', () =>
    expect(decide(set(base), request([use('read')]))).toEqual({
      verdict: 'allow',
      policies: ['permit-read'],
      approvers: [],
      quorum: 1,
      because: 'permitted',
    }))

  it('denies what nothing permits', () =>
    expect(decide(set(base), request([use('delete')]))).toMatchObject({
      verdict: 'deny',
      policies: [],
      because: 'no policy permits it',
    }))

  it('holds what is permitted and held, with everybody who has to sign', () =>
    expect(decide(set(base), request([use('write', { rows: 9 })]))).toEqual({
      verdict: 'hold',
      policies: ['hold-many', 'hold-write'],
      approvers: ['owners', 'security'],
      quorum: 2,
      because: 'it writes; policy hold-many',
      advice: 'do not',
    }))

  it('denies what is held but would not be permitted without the hold', () =>
    expect(decide(set(base), request([use('drop')]))).toMatchObject({ verdict: 'deny', policies: [], approvers: [] }))

  it('denies what is both held and forbidden, and does not ask anybody to sign', () =>
    expect(decide(set(base), request([use('write')], { hour: 3 }))).toMatchObject({
      verdict: 'deny',
      policies: ['deny-night'],
      approvers: [],
      quorum: 1,
      because: 'it is night',
    }))

  it('is as bad as the worst use', () => {
    expect(decide(set(base), request([use('read'), use('write')])).verdict).toBe('hold')
    expect(decide(set(base), request([use('write'), use('delete'), use('read')])).verdict).toBe('deny')
  })

  it('denies when there is nothing to ask about', () => expect(decide(set(base), request([])).verdict).toBe('deny'))

  it('denies when a policy cannot be evaluated, even one that would only permit', () => {
    const overflow = set(`
      @id("permit-read") permit (principal, action == Action::"read", resource);
      @id("overflow") permit (principal, action == Action::"read", resource) when { context.hour + 9223372036854775807 > 0 };`)
    expect(decide(overflow, request([use('read')], { hour: 0 })).verdict).toBe('allow')
    expect(decide(overflow, request([use('read')], { hour: 1 }))).toMatchObject({
      verdict: 'deny',
      policies: ['overflow'],
    })
  })

  it('ends the session of who tries what is worth that, and of nobody whom something else keeps from it', () => {
    const ending = set(`
      @id("permit") permit (principal, action in Action::"use", resource);
      @id("end") @effect("end-session") forbid (principal, action == Action::"drop", resource);
      @id("deny") forbid (principal, action == Action::"alter", resource);
      @id("hold") @effect("hold") @approvers("owners") forbid (principal, action, resource);`)
    expect(decide(ending, request([use('read'), use('drop')]))).toMatchObject({
      verdict: 'deny',
      policies: ['end'],
      endsSession: true,
    })
    expect(decide(ending, request([use('alter')])).endsSession).toBeUndefined()
    expect(decide(ending, request([use('read')]))).toMatchObject({ verdict: 'hold' })
  })

  it('says what to say first, where that helps', () => {
    const wanting = (condition: string) =>
      set(`@id("p") permit (principal, action, resource);
        @id("f") forbid (principal, action == Action::"write", resource) ${condition};`)
    const wanted = (condition: string, more: Partial<Request['statement']> = {}) =>
      (decide(wanting(condition), request([use('write')], more)).wanted ?? []).map(
        ({ saying, form }) => `${saying} ${form ?? 'any'}`,
      )
    expect(wanted('unless { context has ticket }')).toEqual(['ticket any'])
    expect(wanted('unless { context has ticket && context.ticket like "OPS-*" }', { ticket: 'x' })).toEqual([
      'ticket OPS-*',
    ])
    expect(wanted('unless { context has ticket && context.ticket == "OPS-7" }')).toEqual(['ticket OPS-7'])
    expect(wanted('unless { context has ticket && context has reason }')).toEqual(['ticket any', 'reason any'])
    // It would not help, or it is not what is wrong.
    expect(wanted('')).toEqual([])
    expect(wanted('when { context has ticket }', { ticket: 'x' })).toEqual([])
  })

  it('says so of what only a permit lets in, too', () => {
    const permitted = set(
      '@id("p") permit (principal, action, resource) when { context has ticket && context.ticket like "*-1*" };',
    )
    expect(decide(permitted, request([use('read')]))).toMatchObject({
      verdict: 'deny',
      policies: [],
      wanted: [{ saying: 'ticket', form: '*-1*' }],
    })
  })

  it('denies everything with an empty set', () =>
    expect(decide(compilePolicies([]), request([use('read')])).verdict).toBe('deny'))

  it('knows where a resource lies, who is in which group, and for whom an agent acts', () => {
    const places = set(`
      @id("a") permit (principal, action == Action::"read", resource in Schema::"prod/shop.public");
      @id("b") permit (principal in Group::"agents", action == Action::"write", resource in Environment::"prod");
      @id("c") permit (principal is Agent, action == Action::"delete", resource == Relation::"prod/shop.public.orders")
        when { principal has onBehalfOf && principal.onBehalfOf == "ana" };
      @id("d") permit (principal == Person::"ana", action == Action::"drop", resource in Database::"prod/shop");`)
    const verdict = (action: RequestedUse['action'], principal: Principal, schema = 'public') =>
      decide(places, request([use(action, { resource: { ...orders, schema } })], {}, principal)).verdict
    expect(verdict('read', ana)).toBe('allow')
    expect(verdict('read', ana, 'sales')).toBe('deny')
    expect(verdict('write', copilot, 'sales')).toBe('allow')
    expect(verdict('write', ana)).toBe('deny')
    expect(verdict('delete', copilot)).toBe('allow')
    expect(verdict('drop', ana, 'sales')).toBe('allow')
  })
})

describe('the shipped set', () => {
  const shipped = compilePolicies(defaultPolicies())
  const verdict = (uses: readonly RequestedUse[], more: Partial<Request['statement']> = {}, principal = ana) =>
    decide(shipped, request(uses, more, principal)).verdict
  const change = (kind: 'update' | 'delete' | 'insert', more: Partial<RequestedUse> = {}) =>
    use(kind === 'delete' ? 'delete' : 'write', { change: kind, counted: 'rows' in more, ...more })

  it.each<[string, 'allow' | 'hold' | 'deny', RequestedUse, Principal]>([
    ['reads', 'allow', use('read'), ana],
    ['reads by agents', 'allow', use('read'), copilot],
    ['a keyed delete', 'allow', change('delete', { rows: 1 }), ana],
    ['a keyed delete by an agent', 'allow', change('delete', { rows: 1 }), copilot],
    ['49 rows', 'allow', change('update', { rows: 49 }), ana],
    ['50 rows', 'hold', change('update', { rows: 50 }), ana],
    ['11 rows by an agent', 'hold', change('update', { rows: 11 }), copilot],
    ['1,000 rows by a service', 'allow', change('update', { rows: 1_000 }), etl],
    ['1,001 rows by a service', 'hold', change('update', { rows: 1_001 }), etl],
    ['half of a small relation', 'hold', change('delete', { rows: 10, rowsShare: 50 }), ana],
    ['half of a tiny relation', 'allow', change('delete', { rows: 9, rowsShare: 100 }), ana],
    ['rows that were not counted', 'hold', change('delete'), ana],
    [
      'rows that were not counted, of a temporary table',
      'allow',
      change('delete', { resource: { ...orders, temporary: true } }),
      ana,
    ],
    ['every row', 'hold', change('delete', { rows: 3, unbounded: true }), ana],
    [
      'every row of a temporary table',
      'allow',
      change('delete', { rows: 3, unbounded: true, resource: { ...orders, temporary: true } }),
      ana,
    ],
    ['a condition that keeps nothing out', 'hold', change('update', { rows: 3, tautological: true }), etl],
    ['10,000 rows inserted', 'allow', change('insert', { rows: 10_000 }), ana],
    ['10,001 rows inserted', 'hold', change('insert', { rows: 10_001 }), ana],
    ['a bulk load', 'hold', use('copyIn'), ana],
    ['a bulk load by a service', 'allow', use('copyIn'), etl],
    ['a drop', 'hold', use('drop'), ana],
    ['a drop by an agent', 'hold', use('drop'), copilot],
    ['a truncate by a service', 'hold', use('truncate'), etl],
    ['a grant', 'hold', use('grant'), ana],
    ['a grant by an agent', 'deny', use('grant'), copilot],
    ['what is unknown', 'deny', use('unknown'), ana],
    ['a write to the catalogue', 'deny', change('update', { rows: 1, resource: { ...orders, system: true } }), ana],
    ['a read of an auditor', 'allow', use('read'), eve],
    ['a write of an auditor', 'deny', change('update', { rows: 1 }), eve],
  ])('%s: %s', (_, expected, asked, principal) => expect(verdict([asked], {}, principal)).toBe(expected))

  it.each<[string, 'hold' | 'deny']>([
    ['server-file', 'deny'],
    ['program', 'deny'],
    ['remote', 'deny'],
    ['sql-in-string', 'deny'],
    ['server-control', 'deny'],
    ['server-code', 'deny'],
    ['lexing', 'deny'],
    ['encoding', 'deny'],
    ['two-phase', 'deny'],
    ['password-hashes', 'deny'],
    ['role-switch', 'hold'],
    ['search-path', 'hold'],
    ['sleep', 'hold'],
    ['stored-credentials', 'hold'],
    ['exclusive-lock', 'hold'],
  ])('%s: %s, whatever it does besides', (code, expected) =>
    expect(verdict([use('read')], { dangers: [code] })).toBe(expected),
  )

  it.each([ana, copilot, etl, eve])('lets $id read views of the server, whose columns it masks', (principal) => {
    const masked = maskDecision(
      shipped,
      principal,
      target,
      { name: 'pg_catalog.pg_stat_activity.query', class: 'unknown' },
      at(12),
    )
    expect(masked.clear).toBe(false)
    for (const dangers of [['other-statements'], ['statistics-values']])
      expect(verdict([use('read')], { dangers }, principal)).toBe('allow')
  })

  it('holds them where a policy of one’s own says so', () => {
    const own = `
      @id("hold-views-of-statements") @effect("hold") @approvers("security") @because("it reads statements of others")
      forbid (principal is Agent, action in Action::"use", resource)
      when { context.dangers.containsAny(["other-statements", "statistics-values"]) };`
    const both = compilePolicies([...defaultPolicies(), { name: 'own.cedar', text: own }])
    const asked = request([use('read')], { dangers: ['other-statements'] }, copilot)
    expect(decide(both, asked)).toMatchObject({ verdict: 'hold', policies: ['hold-views-of-statements'] })
    expect(decide(both, request([use('read')], { dangers: ['statistics-values'] }, ana)).verdict).toBe('allow')
  })

  it('asks the owners for data, and security for rights', () => {
    const approvers = (asked: RequestedUse) => decide(shipped, request([asked])).approvers
    expect(approvers(use('drop'))).toEqual(['owners'])
    expect(approvers(use('grant', { resource: { ...orders, kind: 'role', name: 'r' } }))).toEqual(['security'])
    expect(approvers(use('grant'))).toEqual(['owners', 'security'])
  })

  it('holds what would let sensitive values out by a side door', () => {
    expect(verdict([use('read')], { sensitiveStored: true })).toBe('hold')
    expect(verdict([use('read')], { sensitiveSteering: true })).toBe('hold')
    expect(verdict([use('read')], { unresolved: true })).toBe('hold')
  })

  it('masks every column that is not clear, for everybody', () => {
    const mask = (column: string, principal = ana) =>
      maskDecision(shipped, principal, target, { name: 'public.customers.email', class: column }, at(12))
    expect(mask('clear')).toEqual({ clear: true, kind: undefined, policies: ['clear-columns'] })
    expect(mask('email')).toEqual({ clear: false, kind: undefined, policies: [] })
    expect(mask('unknown', etl).clear).toBe(false)
    expect(mask('secret')).toEqual({ clear: false, kind: 'redact', policies: ['secrets-leave-nothing'] })
  })

  it('lets everybody connect', () => expect(mayConnect(shipped, copilot, target, at(1))).toBe(true))

  it('knows every danger that libs/sql can tell of', async () => {
    const { DANGERS } = await import('@countersign/sql')
    const told = new Set([...RULES.matchAll(/"([a-z-]+)"/g)].map(([, word]) => word))
    // These only explain; what they explain is held or denied by the action that comes with them, or masked.
    const explained = [
      'unknown-statement',
      'unknown-prepared',
      'writes-in-code',
      'other-statements',
      'statistics-values',
    ]
    expect(
      Object.keys(DANGERS)
        .filter((code) => !told.has(code))
        .sort(),
    ).toEqual(explained.sort())
  })
})

/** The shipped policies without their comments. */
const RULES = defaultPolicies()
  .map(({ text }) => text.replaceAll(/^\s*\/\/.*$/gm, ''))
  .join('\n')

describe('whoever may see everything', () => {
  const sees = (text: string, principal: Principal = ana, context = at(1)) =>
    seesEverything(set(text), principal, target, context)
  const unmask = 'action == Action::"unmask"'

  it.each([
    ['@id("p") permit (principal, action, resource);', true],
    [`@id("p") permit (principal, ${unmask}, resource in Database::"prod/shop");`, true],
    [`@id("p") permit (principal, ${unmask}, resource in Environment::"prod");`, true],
    [`@id("p") permit (principal, ${unmask}, resource in Environment::"test");`, false],
    [`@id("p") permit (principal, ${unmask}, resource in Schema::"prod/shop.public");`, false],
    [`@id("p") permit (principal, ${unmask}, resource) when { resource.class != "card" };`, false],
    [`@id("p") permit (principal is Agent, ${unmask}, resource);`, false],
    ['@id("p") permit (principal, action == Action::"read", resource);', false],
  ])('is found by the policies: %s %s', (text, all) => expect(sees(text)).toBe(all))

  it('is nobody where a policy takes one column out, whoever that is about', () => {
    const all = '@id("p") permit (principal, action, resource);'
    for (const but of [
      `forbid (principal, ${unmask}, resource) when { resource.class == "secret" };`,
      `forbid (principal, ${unmask}, resource in Relation::"prod/shop.public.payments");`,
      'forbid (principal, action, resource is Column);',
      `forbid (principal, ${unmask}, resource == Column::"prod/shop.public.t.c");`,
    ]) {
      expect(sees(`${all} @id("b") ${but}`)).toBe(false)
    }
  })

  it('may have to say why, and may be kept out as somebody', () => {
    const why = `@id("p") permit (principal, ${unmask}, resource) when { context has reason };`
    expect([sees(why), sees(why, ana, at(1, { reason: 'why' }))]).toEqual([false, true])
    const some = `@id("p") permit (principal, action, resource); @id("b") @effect("mask") @mask("null") forbid (principal is Agent, ${unmask}, resource);`
    expect([sees(some), sees(some, copilot)]).toEqual([true, false])
  })

  it('is nobody by the shipped set', () =>
    expect(seesEverything(compilePolicies(defaultPolicies()), ana, target, at(1))).toBe(false))
})

describe('a mask', () => {
  const masks = set(`
    @id("all") permit (principal, action == Action::"unmask", resource) when { context has reason };
    @id("a") @mask("partial") forbid (principal, action == Action::"unmask", resource) when { resource.class == "card" };
    @id("b") @mask("null") forbid (principal is Agent, action == Action::"unmask", resource in Relation::"prod/shop.public.payments");`)
  const mask = (column: string, principal: Principal, context: ReturnType<typeof at>) =>
    maskDecision(masks, principal, target, { name: 'public.payments.card', class: column }, context)

  it('is lifted by a permit, with what the permit asks for', () => {
    expect(mask('iban', ana, at(1, { reason: 'why' }))).toEqual({ clear: true, kind: undefined, policies: ['all'] })
    expect(mask('iban', ana, at(1)).clear).toBe(false)
  })

  it('is the strictest of those that apply', () => {
    expect(mask('card', ana, at(1, { reason: 'why' }))).toEqual({ clear: false, kind: 'partial', policies: ['a'] })
    expect(mask('card', copilot, at(1, { reason: 'why' }))).toEqual({
      clear: false,
      kind: 'null',
      policies: ['a', 'b'],
    })
  })
})

describe('what is asked', () => {
  const answer = (principal: EntityJson, action: EntityJson, resource: EntityJson, context: Context) =>
    isAuthorized({
      principal: principal.uid,
      action: action.uid,
      resource: resource.uid,
      context,
      entities: [principal, resource],
      schema: SCHEMA,
      validateRequest: true,
      policies: { staticPolicies: '' },
    })
  const fits = { type: 'success', response: { diagnostics: { errors: [] } } }
  const { dangers: _, sensitiveClasses: __, ...facts } = nothing
  const context: Context = {
    ...facts,
    dangers: ['sleep'],
    sensitiveClasses: ['email'],
    reason: 'x',
    ticket: 'y',
    environment: 'prod',
    agent: false,
    through: 'statement',
    change: 'update',
    unbounded: true,
    tautological: false,
    counted: true,
    rows: 5,
    rowsExact: true,
    rowsShare: 3,
  }

  it.each([ana, etl, copilot])('by $id fits the published schema', (principal) => {
    for (const resource of [
      orders,
      { kind: 'relation', name: 'x', temporary: true, system: true },
      { ...orders, kind: 'role' },
    ] as const) {
      expect(
        answer(principalEntity(principal), actionEntity('write'), resourceEntity(resource, target), context),
      ).toMatchObject(fits)
    }
    const column = columnEntity({ name: 'public.orders.total', class: 'clear' }, target)
    const unmask = { uid: { type: 'Action', id: 'unmask' }, attrs: {}, parents: [] }
    expect(
      answer(principalEntity(principal), unmask, column, { environment: 'prod', agent: true, ...at(3) }),
    ).toMatchObject(fits)
  })

  it('is noticed when it does not fit', () =>
    expect(
      answer(principalEntity(ana), actionEntity('write'), resourceEntity(orders, target), { ...context, hour: 'x' })
        .type,
    ).toBe('failure'))
})
