import { Principal, type AccessEvent, type WorkerId } from '@countersign/contracts'
import { dataRow, readDataRow, type Column } from '@countersign/pgwire'
import { Secret, type DatabaseConfig } from '@countersign/platform'
import { compilePolicies, defaultPolicies, type PolicySet } from '@countersign/policy'
import type { Client, QueryArrayResult } from 'pg'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { installed, startPostgres, type Postgres } from '../../../../../test/corpus/postgres.ts'
import { StatementRefusedError } from '../../statement/refusal.ts'
import { Knowledge } from '../catalogue/knowledge.ts'
import type { SessionView } from '../understanding/parser-jobs.ts'
import { Parser } from '../understanding/parser.ts'
import { Servers } from '../upstream/servers.ts'
import { DatabaseJudge } from './database-judge.ts'
import type { BoundParameters, Circumstances } from './judge.ts'
import type { PostgresJudgement } from './postgres-judgement.ts'

/*
 * The judge with everything real behind it: parser, knowledge, and a server, of each version that this machine has.
 */

describe.each(installed())('the judge of a database, with $label', (binaries) => {
  let server: Postgres
  let admin: Client
  let parser: Parser
  let knowledge: Knowledge
  let judge: DatabaseJudge
  let policy: { readonly set: PolicySet; readonly version: string } | undefined
  const replaced: string[] = []
  const events: AccessEvent[] = []

  beforeAll(async () => {
    server = await startPostgres(binaries)
    const first = await server.connect('postgres')
    await first.query(`CREATE ROLE ${GUARD} LOGIN`)
    const { rows } = await first.query("SELECT 1 FROM pg_roles WHERE rolname = 'pg_read_all_data'")
    await first.query('CREATE DATABASE shop')
    if (rows.length === 1) await first.query(`GRANT pg_read_all_data TO ${GUARD}`)
    await first.end()
    admin = await server.connect('shop')
    // Version 13 has no such role. A superuser would see what row security hides from a guard.
    if (rows.length === 0) {
      await admin.query(`ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO ${GUARD}`)
      await admin.query(`ALTER DEFAULT PRIVILEGES GRANT USAGE ON SCHEMAS TO ${GUARD}`)
    }
    await admin.query(SCHEMA)
    parser = new Parser((reason) => replaced.push(reason))
    policy = { set: compilePolicies(defaultPolicies()), version: 'v1' }
    ;({ knowledge, judge } = judgeOf(() => policy))
    await knowledge.refresh()
  })
  afterAll(async () => {
    await knowledge?.close()
    await parser?.close()
    await admin?.end()
    await server?.stop()
  })
  afterEach(() => vi.restoreAllMocks())

  const judgeOf = (inForce: () => typeof policy) => {
    const made = new Knowledge({
      config: configOf(server.port),
      servers: new Servers(configOf(server.port).upstream, { now: () => new Date().toISOString() }),
      parser,
      worker: 'node-1.w0' as WorkerId,
      now: () => new Date().toISOString(),
      record: (event) => events.push(event),
      logger: SILENT,
      changed: () => another.forget(),
    })
    const another = new DatabaseJudge({ knowledge: made, parser, policy: inForce, now: () => new Date() })
    return { knowledge: made, judge: another }
  }

  const ask = (sql: string, session: Partial<In> = {}, bound?: BoundParameters) =>
    judge.ask(sql, within({ ...(bound && { types: bound.types }), ...session }), { bound })

  /** One word each: what is to become of each command of a text. */
  const verdicts = async (sql: string, session: Partial<In> = {}, bound?: BoundParameters) =>
    (await ask(sql, session, bound)).map(({ verdict }) => verdict)

  const last = async (sql: string, session: Partial<In> = {}, bound?: BoundParameters): Promise<PostgresJudgement> => {
    const judgement = (await ask(sql, session, bound)).at(-1)
    if (!judgement) throw new Error('no command was judged')
    return judgement
  }

  /** Runs a text, and shows each row of its last command as the client would see it. */
  const seen = async (sql: string, session: Partial<In> = {}): Promise<readonly (readonly (string | null)[])[]> => {
    const judgement = await last(sql, session)
    await admin.query('DISCARD ALL')
    const answered = (await admin.query({ text: sql, rowMode: 'array', types: AS_TEXT })) as unknown as
      | QueryArrayResult<(string | null)[]>
      | QueryArrayResult<(string | null)[]>[]
    const result = Array.isArray(answered) ? answered.at(-1) : answered
    await admin.query('ROLLBACK')
    return (result?.rows ?? []).map((row) => shown(row, judgement, (result?.fields ?? []).map(columnOf)))
  }

  describe('one text in which words change their meaning', () => {
    it('is judged by what was prepared in it, and not by what the session had prepared before', async () => {
      const before = { prepared: { s: 'SELECT 1' } }
      expect(await verdicts('EXECUTE s', before)).toEqual(['allow'])
      const judged = await ask('DEALLOCATE s; PREPARE s AS DELETE FROM t; EXECUTE s', before)
      expect(judged.map(({ verdict }) => verdict)).toEqual(['allow', 'hold', 'hold'])
      expect(judged[2]).toMatchObject({ actions: ['execute', 'delete'], readOnly: false })
      expect(judged[2]?.policies).toContain('hold-every-row')
      expect(judged[2]?.relations).toEqual([{ name: 'public.t', actions: ['delete'] }])
    })

    it.each(['DEALLOCATE ALL', 'DISCARD ALL', 'DEALLOCATE s', 'DEALLOCATE PREPARE s'])(
      'takes no prepared statement at its name behind %s',
      async (forgets) => {
        const judgement = await last(`${forgets}; EXECUTE s`, { prepared: { s: 'SELECT 1' } })
        expect(judgement).toMatchObject({ verdict: 'deny', actions: ['execute', 'unknown'], readOnly: false })
      },
    )

    it('masks what EXECUTE gives of what was prepared in it', async () => {
      expect(await seen('PREPARE q AS SELECT id, ssn FROM customers ORDER BY id; EXECUTE q')).toEqual(MASKED)
      expect(
        await seen('PREPARE q AS SELECT 1, ssn FROM customers; DEALLOCATE q; PREPARE q AS SELECT 7; EXECUTE q'),
      ).toEqual([['7']])
    })

    it('masks what FETCH gives of a cursor that was declared in it', async () => {
      const declared = 'BEGIN; DECLARE c CURSOR FOR SELECT id, ssn FROM customers ORDER BY id'
      expect(await seen(`${declared}; FETCH ALL c`)).toEqual(MASKED)
      expect(await seen(`${declared}; FETCH 1 c`)).toEqual(MASKED.slice(0, 1))
      const again = `${declared}; CLOSE c; DECLARE c CURSOR FOR SELECT ssn, id FROM customers ORDER BY id; FETCH 1 c`
      expect(await seen(again, { cursors: { c: 'SELECT 1' } })).toEqual([['***-**-6789', '1']])
      expect(await verdicts(`${declared}; FETCH 1 c`)).toEqual(['allow', 'allow', 'mask'])
    })

    it.each([
      ['SET search_path = other', 'SELECT id FROM t'],
      ['SET LOCAL search_path = other', 'SELECT id FROM t'],
      ["SELECT set_config('search_path', 'other', false)", 'SELECT id FROM t'],
      ['RESET ALL', 'SELECT id FROM t'],
      ['RESET search_path', 'SELECT id FROM t'],
      ['SET ROLE postgres', 'SELECT id FROM t'],
      ['SET SESSION AUTHORIZATION postgres', 'SELECT id FROM t'],
      ['CREATE TEMPORARY TABLE t (id int)', 'SELECT id FROM t'],
      ['ALTER TABLE t RENAME TO u', 'SELECT id FROM t'],
      ['DROP TABLE t', 'DELETE FROM t WHERE id = 1'],
      ['CREATE OR REPLACE VIEW v AS SELECT ssn AS id FROM customers', 'SELECT id FROM v'],
      ['CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE sql AS $$ DELETE FROM t; SELECT 1 $$', 'SELECT f()'],
      ['SELECT sets()', 'SELECT id FROM t'],
      ['DO $$ BEGIN EXECUTE $x$ SET search_path = other $x$; END $$', 'SELECT id FROM t'],
    ])('takes nothing at its name behind %s', async (changes, sql) => {
      expect(await verdicts(sql)).toEqual(['allow'])
      const judgement = await last(`${changes}; ${sql}`)
      expect(judgement).toMatchObject({ verdict: 'hold', readOnly: false })
      expect(judgement.policies).toContain('hold-unresolved')
    })

    it.each([
      ['ROLLBACK', { tentative: true }],
      ['COMMIT', { tentative: true }],
      ['ABORT', { tentative: true }],
      ['END', { tentative: true }],
      ['ROLLBACK TO SAVEPOINT a', { tentative: true }],
      ['ROLLBACK', { changedSchema: true }],
      ['ROLLBACK', { temporary: [['other_t', []]] as const }],
    ])('takes nothing at its name behind %s in a session with %j', async (ends, session) => {
      const judgement = await last(`${ends}; DELETE FROM t WHERE id = 1`, { session })
      expect(judgement).toMatchObject({ verdict: 'hold', readOnly: false })
      expect(judgement.policies).toContain('hold-unresolved')
      expect(await last(`${ends}; DELETE FROM t WHERE id = 1`)).toMatchObject({ verdict: 'allow', tag: 'DELETE' })
    })

    it('does not let a decision for one kind of session pass for the other', async () => {
      const sql = 'ROLLBACK; DELETE FROM t WHERE id = 2'
      const doubtful = { session: { tentative: true } }
      expect(await verdicts(sql)).toEqual(['allow', 'allow'])
      expect(await verdicts(sql, doubtful)).toEqual(['allow', 'hold'])
      expect(await verdicts(sql)).toEqual(['allow', 'allow'])
    })

    it.each([
      ['BEGIN; INSERT INTO t (id, v) VALUES (900, $$x$$); COMMIT', ['allow', 'allow', 'allow']],
      ['SELECT 1; SELECT 2', ['allow', 'allow']],
      ['BEGIN; SELECT id FROM t; ROLLBACK; SELECT id FROM t', ['allow', 'allow', 'allow', 'allow']],
      ['SAVEPOINT a; UPDATE t SET v = v WHERE id = 1; RELEASE a', ['allow', 'allow', 'allow']],
      ['SET application_name = $$x$$; SELECT id FROM t', ['allow', 'allow']],
      ['SELECT id FROM t; SELECT ssn FROM customers', ['allow', 'mask']],
      ['PREPARE p AS SELECT id FROM t; EXECUTE p; DEALLOCATE p', ['allow', 'allow', 'allow']],
      ['DELETE FROM t; SELECT 1', ['hold', 'allow']],
    ])('is what its commands are: %s', async (sql, expected) => expect(await verdicts(sql)).toEqual(expected))

    it('of which each command is read-only by itself', async () => {
      const judged = await ask('SELECT 1; SELECT id FROM t; UPDATE t SET v = v WHERE id = 1')
      expect(judged.map(({ readOnly }) => readOnly)).toEqual([true, true, false])
    })
  })

  describe('what was understood once', () => {
    const questions = () => vi.spyOn(parser, 'ask')

    it('is not understood again for another constant in the same place', async () => {
      await ask('SELECT id, ssn FROM customers WHERE id = 1')
      const asked = questions()
      const [first] = judge.known('SELECT id, ssn FROM customers WHERE id = 1', within()) ?? []
      const [second] = judge.known('SELECT id, ssn FROM customers WHERE id = 2', within()) ?? []
      expect(first?.verdict).toBe('mask')
      expect(second).toBe(first)
      expect(await ask('SELECT id, ssn FROM customers WHERE id = 31')).toEqual([first])
      expect(asked).not.toHaveBeenCalled()
    })

    it.each<[string, string, string, Partial<PostgresJudgement>, Partial<PostgresJudgement>]>([
      ['rows counted', "DELETE FROM t WHERE v = 'few'", "DELETE FROM t WHERE v = 'many'", FEW, MANY],
      ['IN lists', 'DELETE FROM t WHERE grp IN (1)', 'DELETE FROM t WHERE grp IN (2)', FEW, MANY],
      [
        'IN lists of another length',
        'DELETE FROM t WHERE id IN (1)',
        `DELETE FROM t WHERE id IN (${HUNDRED})`,
        ALLOW,
        HOLD,
      ],
      ['a LIMIT', inner('LIMIT 3'), inner('LIMIT 60'), FEW, MANY],
      ['an OFFSET', inner('OFFSET 97'), inner('OFFSET 40'), FEW, MANY],
      ['a range', 'DELETE FROM t WHERE id < 4', 'DELETE FROM t WHERE id < 61', FEW, MANY],
      ['nothing and everything', 'DELETE FROM t WHERE false', 'DELETE FROM t WHERE true', ALLOW, HOLD],
      ['what is always true', 'DELETE FROM t WHERE 1 = 2', 'DELETE FROM t WHERE 1 = 1', ALLOW, HOLD],
      ['a pattern', "DELETE FROM t WHERE v LIKE 'fe%'", "DELETE FROM t WHERE v LIKE '%'", FEW, HOLD],
      ['the name of a setting', set('application_name'), set('search_path'), ALLOW, HOLD],
    ])('does not pass for what it is not: %s', async (_, one, other, expectedOfOne, expectedOfOther) => {
      for (const [sql, expected] of [
        [one, expectedOfOne],
        [other, expectedOfOther],
        [one, expectedOfOne],
      ] as const) {
        expect(await last(sql)).toMatchObject(expected)
        const known = judge.known(sql, within())
        if (known) expect(known.at(-1)).toMatchObject(expected)
      }
    })

    it('is never at hand for a statement whose rows have to be counted', async () => {
      await ask("DELETE FROM t WHERE v = 'few'")
      expect(judge.known("DELETE FROM t WHERE v = 'few'", within())).toBeUndefined()
    })

    it('is decided anew for another principal, and for a reason that is given', async () => {
      const sql = "UPDATE t SET note = 'x' WHERE grp = 3" // Twenty rows: too many for an agent.
      expect(await verdicts(sql)).toEqual(['allow'])
      expect(await verdicts(sql, { principal: copilot })).toEqual(['hold'])
      expect(await verdicts('INSERT INTO t (id) VALUES (901)', { principal: eve })).toEqual(['deny'])
      expect(await verdicts('INSERT INTO t (id) VALUES (902)')).toEqual(['allow'])
    })

    it('shows a value of unknown origin to whom policy shows everything, and to nobody else', async () => {
      // Names mean nothing behind a change of the schema, so nobody knows where these come from.
      const sql = 'CREATE TABLE brand_new AS SELECT id, ssn FROM customers; SELECT * FROM brand_new ORDER BY id'
      const policyWith = (unmask: string) => ({
        set: compilePolicies([
          { name: 'all.cedar', text: `@id("all") permit (principal, action, resource) ${unmask};` },
        ]),
        version: unmask,
      })
      const under = async (inForce: NonNullable<typeof policy>) => {
        const before = policy
        try {
          policy = inForce
          judge.forget()
          return await seen(`BEGIN; ${sql}`)
        } finally {
          policy = before
          judge.forget()
        }
      }
      const raw = await admin.query({ text: 'SELECT id::text, ssn FROM customers ORDER BY id', rowMode: 'array' })
      expect(await under(policyWith(''))).toEqual(raw.rows)
      for (const but of ['class == "ssn"', 'class == "password"', 'name == "public.customers.ssn"']) {
        const masked = await under(policyWith(`unless { action == Action::"unmask" && resource.${but} }`))
        expect(JSON.stringify(masked)).not.toContain(raw.rows[0]?.[1])
      }
    })

    it('means something else on another search path', async () => {
      const there = { session: { searchPath: ['pg_catalog', 'other'] } }
      expect((await last('SELECT * FROM t WHERE id = 1')).relations).toEqual([{ name: 'public.t', actions: ['read'] }])
      expect((await last('SELECT * FROM t WHERE id = 1', there)).relations).toEqual([
        { name: 'other.t', actions: ['read'] },
      ])
    })

    it('is forgotten with the policy by which it was decided', async () => {
      const before = policy
      expect(await verdicts('SELECT id FROM t WHERE id = 5')).toEqual(['allow'])
      try {
        policy = { set: compilePolicies([...defaultPolicies(), NOT_T]), version: 'v2' }
        judge.forget()
        expect(judge.known('SELECT id FROM t WHERE id = 5', within())).toBeUndefined()
        expect(await last('SELECT id FROM t WHERE id = 5')).toMatchObject({
          verdict: 'deny',
          policies: ['not-t'],
          policyVersion: 'v2',
        })
      } finally {
        policy = before
        judge.forget()
      }
      expect(await last('SELECT id FROM t WHERE id = 5')).toMatchObject({ verdict: 'allow', policyVersion: 'v1' })
    })

    it('is not decided by a policy of another version, even before it is forgotten', async () => {
      const before = policy
      expect(await verdicts('SELECT id FROM t WHERE id = 6')).toEqual(['allow'])
      try {
        policy = { set: compilePolicies([...defaultPolicies(), NOT_T]), version: 'v3' }
        expect(judge.known('SELECT id FROM t WHERE id = 6', within())).toMatchObject([{ verdict: 'deny' }])
      } finally {
        policy = before
        judge.forget()
      }
    })

    describe('where one text has many commands', () => {
      const sql = Array.from({ length: 200 }, (_, index) => `SELECT id FROM t WHERE id = ${index}`).join(';')
      const principal = { ...ana, groups: ['developers', 'others'] }

      it('leaves others their turns while it is decided', async () => {
        await ask(sql)
        expect(judge.known(sql, within({ principal }))).toBeUndefined()
        let turns = 0
        const count = () => (turning = setImmediate(() => (turns++, count())))
        let turning = setImmediate(() => {})
        count()
        const judged = await ask(sql, { principal })
        clearImmediate(turning)
        expect(turns).toBeGreaterThan(5)
        expect(judged).toHaveLength(200)
        expect(judge.known(sql, within({ principal }))).toEqual(judged)
      })

      it('is decided by one policy, though there is another one meanwhile', async () => {
        await ask(sql)
        const before = policy
        const set = compilePolicies([...defaultPolicies(), NOT_T])
        try {
          const asked = ask(sql, { principal: { ...principal, groups: ['others'] } })
          setImmediate(() => (policy = { set, version: 'v4' }))
          expect(new Set((await asked).map(({ verdict, policyVersion }) => `${verdict} ${policyVersion}`))).toEqual(
            new Set(['deny v4']),
          )
        } finally {
          policy = before
          judge.forget()
        }
      })
    })

    it('does not pass for the same text with parameters of other types', async () => {
      const sql = 'SELECT over($1)'
      expect(await last(sql, { types: [INT] })).toMatchObject({ verdict: 'allow', readOnly: true })
      expect(await last(sql, { types: [TEXT] })).toMatchObject({ verdict: 'hold', readOnly: false })
      expect(judge.known(sql, within({ types: [INT] }))).toMatchObject([{ verdict: 'allow', readOnly: true }])
      expect(judge.known(sql, within({ types: [TEXT] }))).toMatchObject([{ verdict: 'hold', readOnly: false }])
      expect(judge.known(sql, within({ types: [INT, TEXT] }))).toBeUndefined()
    })

    it('does not pass for the same text with a parameter whose type nobody has said', async () => {
      const sql = 'DELETE FROM t WHERE v = concat($1) AND true'
      await ask(sql).catch(() => undefined) // As a simple query it fails for want of a type.
      expect(await last(sql, {}, text('many'))).toMatchObject({ verdict: 'hold', rows: { rows: 97, exact: true } })
    })

    // Without a type the server takes a parameter of an overloaded function for text.
    it.each([
      ['int', 'over', 'allow'],
      ['text', 'over', 'hold'],
      ['int', 'under', 'hold'],
      ['text', 'under', 'allow'],
    ] as const)('is of the types that PREPARE says itself: %s of %s()', async (type, overloaded, verdict) => {
      const prepares = `PREPARE q (${type}) AS SELECT ${overloaded}($1)`
      expect(await last(`${prepares}; EXECUTE q ('1')`)).toMatchObject({ verdict })
      const [prepared] = await ask(prepares)
      const q = prepared?.effects.prepares
      const types = [type === 'int' ? TEXT : INT] // Of something else, and not to be taken for it.
      expect(await verdicts("EXECUTE q ('1')", { prepared: { q }, types })).toEqual([verdict])
    })

    it('does not keep what the session itself gave its meaning', async () => {
      expect(await verdicts('EXECUTE mine', { prepared: { mine: 'SELECT 1' } })).toEqual(['allow'])
      expect(judge.known('EXECUTE mine', within({ prepared: { mine: 'SELECT 1' } }))).toBeUndefined()
      expect(await verdicts('EXECUTE mine', { prepared: { mine: 'DELETE FROM t' } })).toEqual(['hold'])
      expect(await verdicts('EXECUTE mine')).toEqual(['deny'])
    })
  })

  describe('what a statement touches', () => {
    const touches = async (sql: string) =>
      (await last(sql)).touches.map(({ relation, column, how, class: held }) =>
        [how, column === undefined ? relation : `${relation}.${column}`, held ?? ''].join(' ').trim(),
      )

    it('is recorded down to the column, with what the column holds', async () =>
      expect(await touches("SELECT id FROM customers WHERE ssn LIKE '1%'")).toEqual([
        'returned-clear public.customers.id clear',
        'read public.customers.id clear',
        'read public.customers.ssn ssn',
        'predicate public.customers.ssn ssn',
      ]))

    it('is a relation where it is no column', async () => {
      expect(await touches('SELECT count(*) FROM t')).toEqual(['read public.t'])
      expect(await touches('DELETE FROM t WHERE id = 1')).toEqual([
        'read public.t.id clear',
        'predicate public.t.id clear',
        'written public.t',
      ])
    })

    it('is what lies in heirs as well, but not behind ONLY', async () => {
      expect(await touches('SELECT owner FROM things')).toContain('read public.rare_things.owner ssn')
      expect(await touches('SELECT owner FROM ONLY things')).not.toContain('read public.rare_things.owner ssn')
      expect(await verdicts('SELECT owner FROM things')).toEqual(['mask'])
    })

    it('is nothing yet of what is only prepared', async () =>
      expect(await touches('PREPARE later AS SELECT ssn FROM customers')).toEqual([]))

    it.each(['moved(1)', 'gone(1)', 'told(1)'])('is what %s gives, and it leaves masked', async (call) => {
      expect(await touches(`SELECT ${call}`)).toContain('returned-masked public.customers.ssn ssn')
      expect(JSON.stringify(await seen(`BEGIN; SELECT ${call}`))).not.toMatch(/123-45-6789|9876-54-321/)
    })

    it('is masked behind a cursor as well', async () =>
      expect(JSON.stringify(await seen('BEGIN; DECLARE c CURSOR FOR SELECT told(1); FETCH c'))).not.toContain(
        '9876-54-321',
      ))

    it('is not what code cannot mean by its text', async () => {
      expect(await touches('SELECT city_of(1)')).not.toContain('read public.customers.ssn ssn')
      expect(await seen('SELECT city_of(1)')).toEqual([['Ghent']])
    })
  })

  describe('a temporary table of the session', () => {
    const temporary = [['scratch', [['id', 'integer', 23, -1]]]] as const

    it.each([
      'SELECT count(*) FROM scratch',
      'SELECT * FROM t JOIN scratch USING (id)',
      'EXPLAIN SELECT * FROM scratch',
    ])('may be emptied by whatever opens it, so that is not read-only: %s', async (sql) => {
      const judgement = await last(sql, { session: { temporary } })
      expect(judgement).toMatchObject({ readOnly: false, verdict: 'allow' })
      expect(await last('SELECT count(*) FROM t', { session: { temporary } })).toMatchObject({ readOnly: true })
    })
  })

  describe('rows that a change would concern', () => {
    it.each<[string, string, BoundParameters | undefined, number]>([
      ['without parameters', "DELETE FROM t WHERE v = 'few'", undefined, 3],
      ['of an update', "UPDATE t SET note = 'y' WHERE v = 'many' AND id > 50", undefined, 50],
      ['with a parameter as text', 'DELETE FROM t WHERE v = $1', text('few'), 3],
      ['with a parameter as text, of a type that was not said', 'DELETE FROM t WHERE grp = $1', untyped('1'), 3],
      ['with a binary parameter', 'DELETE FROM t WHERE grp = $1', binary(1), 3],
      ['with several, in another order', 'DELETE FROM t WHERE v = $2 AND grp = $1', both(2, 'many'), 60],
      ['with one that the condition does not use', 'UPDATE t SET note = $1 WHERE grp = $2', noted('z', 1), 3],
      ['with one whose type only the client knows', 'DELETE FROM t WHERE v = concat($1)', text('few'), 3],
      ['with NULL', 'DELETE FROM t WHERE v = $1', { types: [25], formats: [0], values: [null] }, 0],
      ['of several commands', "SELECT 1; DELETE FROM t WHERE v = 'few'", undefined, 3],
      ['by a subquery', 'DELETE FROM t WHERE id IN (SELECT id FROM t WHERE grp = 1)', undefined, 3],
    ])('are counted exactly: %s', async (_, sql, bound, rows) => {
      const judgement = await last(sql, {}, bound)
      expect(judgement).toMatchObject({ rows: { rows, exact: true }, verdict: rows < 50 ? 'allow' : 'hold' })
      const [[still] = []] = (await admin.query<[number]>({ text: 'SELECT count(*)::int FROM t', rowMode: 'array' }))
        .rows
      expect(still).toBe(ROWS)
    })

    it('are counted anew each time', async () => {
      const sql = "DELETE FROM t WHERE v = 'rare'"
      expect((await last(sql)).rows).toEqual({ rows: 0, exact: true })
      await admin.query("UPDATE t SET v = 'rare' WHERE id = 1")
      try {
        expect((await last(sql)).rows).toEqual({ rows: 1, exact: true })
      } finally {
        await admin.query("UPDATE t SET v = 'few' WHERE id = 1")
      }
    })

    it('are not known while nobody knows the parameters, so the change waits', async () => {
      const judgement = await last('DELETE FROM t WHERE v = $1')
      expect(judgement).toMatchObject({ verdict: 'hold', policies: ['hold-uncounted'], rows: undefined })
    })

    it('are not known where row security hides some from the guard, so the change waits', async () => {
      for (const table of ['walled', 'windowed']) {
        const hidden = await last(`DELETE FROM ${table} WHERE note = 'n'`)
        expect(hidden).toMatchObject({ verdict: 'hold', policies: ['hold-uncounted'], rows: undefined })
      }
      await admin.query(`ALTER ROLE ${GUARD} BYPASSRLS`)
      try {
        const counted = await last("DELETE FROM walled WHERE note = 'n'")
        expect(counted).toMatchObject({ verdict: 'hold', rows: { rows: 500, exact: true } })
      } finally {
        await admin.query(`ALTER ROLE ${GUARD} NOBYPASSRLS`)
      }
    })

    it('need not be counted where a key says how many', async () => {
      const counted = vi.spyOn(knowledge.side, 'run')
      expect(await last('DELETE FROM t WHERE id = 7')).toMatchObject({
        verdict: 'allow',
        counts: false,
        rows: { rows: 1, exact: false },
      })
      expect(counted).not.toHaveBeenCalled()
    })
  })

  describe('a statement about a table that is locked', () => {
    const SQL = 'SELECT id FROM locked WHERE id = 1'
    let locker: Client
    let processId: number
    beforeEach(async () => {
      await admin.query('DROP TABLE IF EXISTS locked; CREATE TABLE locked (id int PRIMARY KEY)')
      await knowledge.refresh()
      locker = await server.connect('shop')
      processId = (await locker.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')).rows[0]?.pid ?? 0
      await locker.query('BEGIN')
    })
    afterEach(() => locker.end())

    const asking = (session: Partial<In> = {}) => {
      const abort = new AbortController()
      const answer = judge.ask(SQL, within(session), { signal: abort.signal })
      return { abort, verdict: answer.then(([judgement]) => judgement?.verdict) }
    }
    const blocked = async () => {
      while ((await admin.query('SELECT FROM pg_locks WHERE NOT granted')).rows.length === 0);
    }

    it('waits until it is not, and keeps nobody else waiting', async () => {
      await locker.query('LOCK TABLE locked')
      const { verdict } = asking()
      let judged = false
      void verdict.then(() => (judged = true))
      await blocked()
      for (const city of ['Ghent', 'Riga', 'Oslo']) {
        await blocked()
        expect(await verdicts(`SELECT ssn, '${city}' FROM customers`)).toEqual(['mask'])
      }
      expect(judged).toBe(false)
      await locker.query('COMMIT')
      expect(await verdict).toBe('allow')
    })

    it('is understood as it is when the lock is gone', async () => {
      await locker.query('ALTER TABLE locked ADD ssn text; ALTER TABLE locked DROP id; ALTER TABLE locked ADD id text')
      const { verdict } = asking()
      await blocked()
      await locker.query('COMMIT')
      expect(await verdict).toBe('allow')
      expect(await verdicts('SELECT ssn FROM locked WHERE id = 1::text')).toEqual(['mask'])
    })

    it('does not wait for its own transaction', async () => {
      await locker.query('LOCK TABLE locked')
      expect(await asking({ processId }).verdict).toBe('hold')
      await locker.query('COMMIT')
      expect(await verdicts(SQL)).toEqual(['allow'])
    })

    it('does not wait for what waits for its own transaction', async () => {
      await locker.query('INSERT INTO locked VALUES (1)')
      const other = await server.connect('shop')
      const altered = other.query('ALTER TABLE locked ADD more text')
      await blocked()
      expect(await asking({ processId }).verdict).toBe('hold')
      await locker.query('COMMIT')
      await altered
      await other.end()
    })

    it('waits no longer than its client', async () => {
      await locker.query('LOCK TABLE locked')
      const { abort, verdict } = asking()
      await blocked()
      abort.abort('cancelled')
      await verdict
    })
  })

  describe('a schema that changes', () => {
    beforeEach(() => admin.query('DROP TABLE IF EXISTS fresh'))

    it('is known from the next reading on, and what was judged before is forgotten', async () => {
      await knowledge.refresh()
      const before = knowledge.version
      expect(await verdicts('SELECT id FROM t WHERE id = 1')).toEqual(['allow'])
      await admin.query(
        "CREATE TABLE fresh (id int PRIMARY KEY, ssn text); INSERT INTO fresh VALUES (1, '123-45-6789')",
      )
      await knowledge.refresh()
      expect(knowledge.version).not.toBe(before)
      expect(judge.known('SELECT id FROM t WHERE id = 1', within())).toBeUndefined()
      expect(await verdicts('SELECT id FROM fresh')).toEqual(['allow'])
      expect(await seen('SELECT id, ssn FROM fresh')).toEqual([['1', '***-**-6789']])
    })

    it('is known at once where a statement speaks of what came just after a reading', async () => {
      for (const name of ['fresh_1', 'fresh_2', 'fresh_3']) {
        await knowledge.refresh()
        await admin.query(`CREATE TABLE ${name} (id int PRIMARY KEY, ssn text)`)
        const asked = await Promise.all([verdicts(`DELETE FROM ${name} WHERE id = 1`), verdicts(`TABLE ${name}`)])
        expect(asked).toEqual([['allow'], ['mask']])
      }
      await admin.query('DROP TABLE fresh_1, fresh_2, fresh_3')
    })

    it('is masked where it cannot be looked into yet, and known as soon as it can', async () => {
      await admin.query(
        "CREATE TABLE fresh AS SELECT i, 'x' AS plain, '123-45-' || 6700 + i AS said FROM generate_series(1, 50) i",
      )
      const locker = await server.connect('shop')
      await locker.query('BEGIN; LOCK TABLE fresh')
      await knowledge.refresh()
      await locker.query('COMMIT')
      await locker.end()
      expect(await verdicts('SELECT plain FROM fresh')).toEqual(['mask'])
      await vi.waitUntil(async () => {
        await knowledge.lookAgain(knowledge.version ?? '') // As it does by itself each second once it is started.
        return (await verdicts('SELECT plain FROM fresh'))[0] === 'allow'
      }, 5_000)
      expect(await verdicts('SELECT said FROM fresh')).toEqual(['mask'])
    })

    it('has its new columns masked, whatever they are called, and its old ones as they were', async () => {
      await admin.query('CREATE TABLE fresh (id int PRIMARY KEY)')
      await knowledge.refresh()
      expect(await verdicts('SELECT * FROM fresh')).toEqual(['allow'])
      await admin.query("ALTER TABLE fresh ADD email text DEFAULT 'ann.lee@example.com'; INSERT INTO fresh VALUES (1)")
      await knowledge.refresh()
      expect(await verdicts('SELECT * FROM fresh')).toEqual(['mask'])
      const [[id, email] = []] = await seen('SELECT * FROM fresh')
      expect(id).toBe('1')
      expect(email).not.toContain('ann.lee')
      expect(await seen('SELECT id, ssn FROM customers ORDER BY id')).toEqual(MASKED)
    })

    it('does not leave a statement about what is gone permitted', async () => {
      await admin.query('CREATE TABLE fresh (id int PRIMARY KEY)')
      await knowledge.refresh()
      expect(await last('DELETE FROM fresh WHERE id = 1')).toMatchObject({ rows: { rows: 1, exact: false } })
      await admin.query('DROP TABLE fresh; CREATE TABLE fresh (id int)') // No key says any more how many rows there are.
      await admin.query('INSERT INTO fresh SELECT 1 FROM generate_series(1, 60)')
      await knowledge.refresh()
      expect(await last('DELETE FROM fresh WHERE id = 1')).toMatchObject({
        verdict: 'hold',
        rows: { rows: 60, exact: true },
      })
    })

    it('is told to the record, with what each column holds', async () => {
      await admin.query('CREATE TABLE fresh (id int PRIMARY KEY, ssn text)')
      events.length = 0
      await knowledge.refresh()
      expect(events.map(({ type }) => type)).toEqual(['database.observed'])
      const columns = events.flatMap((event) => (event.type === 'database.observed' ? event.data.columns : []))
      expect(columns).toContainEqual(expect.objectContaining({ column: 'public.fresh.ssn', class: 'ssn' }))
      expect(JSON.stringify(events)).not.toContain('123-45')
    })

    it('is believed as control has it, from the next statement on', async () => {
      expect(await verdicts('SELECT city FROM customers WHERE id = 1')).toEqual(['allow'])
      knowledge.decide([{ column: 'public.customers.city', class: 'address', confidence: 1, because: 'bo says so' }])
      try {
        expect(await verdicts('SELECT city FROM customers WHERE id = 1')).toEqual(['mask'])
        expect(await seen('SELECT city FROM customers WHERE id = 1')).not.toEqual([['Ghent']])
      } finally {
        knowledge.decide([])
      }
      expect(await seen('SELECT city FROM customers WHERE id = 1')).toEqual([['Ghent']])
    })
  })

  describe('EXPLAIN (POLICY)', () => {
    const explained = async (sql: string, session: Partial<In> = {}): Promise<string> => {
      const { replacement, verdict, readOnly } = await last(sql, session)
      expect({ verdict, readOnly }).toEqual({ verdict: 'allow', readOnly: true })
      const { rows, fields } = await admin.query<[string]>({ text: replacement ?? '', rowMode: 'array' })
      expect(fields.map(({ name }) => name)).toEqual(['POLICY'])
      return rows.flat().join('\n')
    }

    it('says what would become of a statement, and runs nothing of it', async () => {
      const answer = await explained("EXPLAIN (POLICY) DELETE FROM t WHERE v = 'many'")
      expect(answer).toMatch(/^statement: DELETE\nverdict: hold\nbecause: DELETE public\.t: it changes 50 rows or more/)
      expect(answer).toMatch(/^policies: .*hold-many-rows.*\(version v1\)$/m)
      expect(answer).toMatch(/^rows: 97$/m)
      expect(answer).toMatch(/^approvers: owners; 1 in all$/m)
      const { rows } = await admin.query('SELECT count(*)::int AS n FROM t')
      expect(rows).toEqual([{ n: ROWS }])
    })

    it('says which columns would be masked', async () =>
      expect(await explained('explain ( policy ) SELECT ssn, city FROM customers')).toMatch(
        /^masked: public\.customers\.ssn \(ssn\)$/m,
      ))

    it('says of each command of a text what would become of it', async () =>
      expect((await explained('EXPLAIN (POLICY) SELECT 1; DROP TABLE t')).match(/^verdict: .*$/gm)).toEqual([
        'verdict: allow',
        'verdict: hold',
      ]))

    it.each([
      ["selekt 'x'", /^verdict: deny\nbecause: syntax error at or near "selekt"/],
      [
        "select '); DROP TABLE t; --",
        /^verdict: deny\nbecause: unterminated quoted string at or near "'\); DROP TABLE t; --"/,
      ],
      ['delete from "o\'clock\\n"', /^touches: public\.o'clock\\n \(delete\)$/m],
    ])('gives its answer as it is, whatever stands in the statement: %s', async (sql, says) => {
      expect(await explained(`EXPLAIN (POLICY) ${sql}`)).toMatch(says)
      expect((await admin.query("SELECT to_regclass('t') IS NOT NULL AS there")).rows).toEqual([{ there: true }])
    })

    it('answers about EXPLAIN (POLICY) as well', async () =>
      expect(await explained('EXPLAIN (POLICY) EXPLAIN (POLICY) DROP TABLE t')).toMatch(/^statement: EXPLAIN$/m))

    it('asks in the name of the one who asks', async () =>
      expect(await explained('EXPLAIN (POLICY) GRANT SELECT ON t TO PUBLIC', { principal: copilot })).toMatch(
        /^verdict: deny$/m,
      ))
  })

  describe('a statement that cannot be judged', () => {
    it('because the schema has not been read is refused for now', async () => {
      const { knowledge: unread, judge: early } = judgeOf(() => policy)
      try {
        expect(early.known('SELECT 1', within())).toBeUndefined()
        await expect(early.ask('SELECT 1', within())).rejects.toMatchObject({ sqlstate: '57P03' })
        await unread.refresh()
        expect((await early.ask('SELECT 1', within())).map(({ verdict }) => verdict)).toEqual(['allow'])
      } finally {
        await unread.close()
      }
    })

    it('because no policy is in force is refused for now', async () => {
      const before = policy
      try {
        policy = undefined
        expect(judge.known('SELECT 1', within())).toBeUndefined()
        await expect(ask('SELECT 1')).rejects.toMatchObject({ sqlstate: '57P03' })
      } finally {
        policy = before
      }
    })

    it.each([
      ['selekt 1', '42601', 1],
      ["SELECT 'x", '42601', 8],
      ['SELECT 1; selekt 2', '42601', 11],
      ["select 'ärger', selekt from from t", '42601', 29],
    ])('because it is no SQL is refused with the place: %s', async (sql, sqlstate, position) => {
      const refused = await ask(sql).catch((error: unknown) => error)
      expect(refused).toBeInstanceOf(StatementRefusedError)
      expect(refused).toMatchObject({ sqlstate, position })
    })

    it('is recorded as denied, without a secret that stands in it', () => {
      const sql = "ALTER ROLE ana PASSWRD 'hunter2-very-secret'"
      const judgement = judge.notUnderstood(
        sql,
        new StatementRefusedError('42601', 'syntax error at or near "PASSWRD"'),
      )
      expect(judgement).toMatchObject({
        verdict: 'deny',
        actions: ['unknown'],
        readOnly: false,
        because: 'syntax error at or near "PASSWRD"',
        policyVersion: 'v1',
      })
      expect(judgement.hidden).not.toContain('hunter2')
    })

    it('because it breaks the parser is refused, and the next one is judged', async () => {
      const deep = `SELECT ${'('.repeat(200_000)}1${')'.repeat(200_000)}`
      await expect(ask(deep)).rejects.toBeInstanceOf(StatementRefusedError)
      expect(await verdicts('SELECT ssn FROM customers WHERE id = 9')).toEqual(['mask'])
      expect(await verdicts('DELETE FROM t')).toEqual(['hold'])
    })
  })
})

const GUARD = 'guard'
const ROWS = 100

/** A hundred rows: three `few`, 97 `many`; groups of 3, 60, 20 and 17. */
const SCHEMA = `
CREATE TABLE t (id int PRIMARY KEY, v text, grp int, note text);
INSERT INTO t SELECT i, CASE WHEN i <= 3 THEN 'few' ELSE 'many' END,
  CASE WHEN i <= 3 THEN 1 WHEN i <= 63 THEN 2 WHEN i <= 83 THEN 3 ELSE 4 END, 'n' FROM generate_series(1, ${ROWS}) i;
CREATE TABLE customers (id int PRIMARY KEY, ssn text, email text, city text);
INSERT INTO customers VALUES (1, '123-45-6789', 'ann.lee@example.com', 'Ghent'), (2, '987-65-4321', NULL, 'Riga');
CREATE TABLE "o'clock\\n" (id int PRIMARY KEY);
CREATE SCHEMA other;
CREATE TABLE other.t (id int PRIMARY KEY, ssn text);
CREATE SEQUENCE s;
CREATE VIEW v AS SELECT id FROM t;
CREATE FUNCTION f() RETURNS int LANGUAGE sql AS $$ SELECT 1 $$;
CREATE FUNCTION over(int) RETURNS int LANGUAGE sql AS $$ SELECT 1 $$;
CREATE FUNCTION over(text) RETURNS int LANGUAGE sql AS $$ DELETE FROM t; SELECT 1 $$;
CREATE FUNCTION under(text) RETURNS int LANGUAGE sql AS $$ SELECT 1 $$;
CREATE FUNCTION under(int) RETURNS int LANGUAGE sql AS $$ DELETE FROM t; SELECT 1 $$;
CREATE FUNCTION sets() RETURNS int LANGUAGE plpgsql AS $$ BEGIN SET search_path = other; RETURN 1; END $$;
CREATE FUNCTION moved(int) RETURNS text LANGUAGE sql AS $$ UPDATE customers SET city = 'x' WHERE id = $1 RETURNING ssn $$;
CREATE FUNCTION gone(int) RETURNS text LANGUAGE plpgsql AS
  $$ DECLARE found text; BEGIN DELETE FROM customers WHERE id = $1 RETURNING reverse(ssn) INTO found; RETURN found; END $$;
CREATE FUNCTION told(int) RETURNS text LANGUAGE sql STABLE AS $$ SELECT reverse(ssn) FROM customers WHERE id = $1 $$;
CREATE FUNCTION city_of(int) RETURNS text LANGUAGE sql STABLE AS $$ SELECT city FROM customers WHERE id = $1 $$;
CREATE TABLE things (id int, owner text);
CREATE TABLE rare_things (price int) INHERITS (things);
CREATE TABLE walled (id int PRIMARY KEY, note text);
INSERT INTO walled SELECT i, 'n' FROM generate_series(1, 500) i;
CREATE TABLE windowed (id int PRIMARY KEY, note text);
INSERT INTO windowed SELECT i, 'n' FROM generate_series(1, 500) i;
ALTER TABLE walled ENABLE ROW LEVEL SECURITY;
ALTER TABLE windowed ENABLE ROW LEVEL SECURITY;
CREATE POLICY few ON windowed USING (id < 3);
COMMENT ON COLUMN rare_things.owner IS 'PII: social security number';
GRANT USAGE ON SCHEMA other TO ${GUARD};
ANALYZE;
`

const MASKED = [
  ['1', '***-**-6789'],
  ['2', '***-**-4321'],
]

const configOf = (port: number): DatabaseConfig => ({
  name: 'shop',
  environment: 'prod',
  upstream: {
    host: '127.0.0.1',
    port,
    database: 'shop',
    tls: 'disable',
    channelBinding: 'prefer',
    guard: { role: GUARD, password: new Secret('trusted') },
    roles: {},
    targetSessionAttrs: 'any',
    loadBalanceHosts: 'disable',
    connectTimeoutMs: 5_000,
  },
})

const SILENT = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }

const ana = Principal.parse({ id: 'ana', kind: 'person', groups: ['developers'] })
const copilot = Principal.parse({ id: 'copilot', kind: 'agent', onBehalfOf: 'ana', groups: ['agents'] })
const eve = Principal.parse({ id: 'eve', kind: 'person', groups: ['auditors'] })

const NOT_T = {
  name: 'own.cedar',
  text: `@id("not-t") forbid (principal, action == Action::"read", resource == Relation::"prod/shop.public.t");`,
}

/** The circumstances of a session, as far as a spec speaks of them. */
interface In {
  readonly principal: Principal
  readonly session: Partial<SessionView>
  readonly prepared: Readonly<Record<string, string | ReturnType<Circumstances['prepared']>>>
  readonly cursors: Readonly<Record<string, string>>
  /** Declared for its parameters. */
  readonly types: readonly number[]
  readonly processId: number
}

const within = ({
  principal = ana,
  session = {},
  prepared = {},
  cursors = {},
  types = [],
  processId = 0,
}: Partial<In> = {}): Circumstances => {
  const names: SessionView = {
    searchPath: ['pg_catalog', 'public'],
    temporary: [],
    changedSchema: false,
    tentative: false,
    tainted: false,
    ...session,
  }
  const key = `${JSON.stringify(names)}\n`
  return {
    principal,
    target: { environment: 'prod', database: 'shop' } as Circumstances['target'],
    role: 'app',
    processId,
    session: names,
    namesKey: key,
    types,
    transaction: 'idle',
    reason: undefined,
    ticket: undefined,
    prepared: (name) => {
      const found = prepared[name]
      return typeof found === 'string' ? { text: found, types: [] } : found
    },
    cursor: (name) => {
      const text = cursors[name]
      return text === undefined ? undefined : { text, types: [], session: names, namesKey: key }
    },
  }
}

const ALLOW: Partial<PostgresJudgement> = { verdict: 'allow' }
const HOLD: Partial<PostgresJudgement> = { verdict: 'hold' }
const FEW: Partial<PostgresJudgement> = { verdict: 'allow', rows: { rows: 3, exact: true } }
const MANY: Partial<PostgresJudgement> = { verdict: 'hold' }
const HUNDRED = Array.from({ length: ROWS }, (_, index) => index + 1).join()
const inner = (which: string) => `DELETE FROM t WHERE id IN (SELECT id FROM t ORDER BY id ${which})`
const set = (name: string) => `SELECT set_config('${name}', 'other', false)`

const TEXT = 25
const INT = 23
const text = (value: string): BoundParameters => ({ types: [TEXT], formats: [0], values: [Buffer.from(value)] })
const untyped = (value: string): BoundParameters => ({ types: [], formats: [], values: [Buffer.from(value)] })
const int = (value: number): Buffer => {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}
const binary = (value: number): BoundParameters => ({ types: [INT], formats: [1], values: [int(value)] })
const both = (number: number, value: string): BoundParameters => ({
  types: [INT, TEXT],
  formats: [1, 0],
  values: [int(number), Buffer.from(value)],
})
const noted = (value: string, number: number): BoundParameters => ({
  types: [TEXT, INT],
  formats: [1],
  values: [Buffer.from(value), int(number)],
})

/** Values as the server sends them. */
const AS_TEXT = { getTypeParser: () => (value: string) => value }

const columnOf = (field: QueryArrayResult['fields'][number]): Column => ({
  name: field.name,
  relation: field.tableID,
  attribute: field.columnID,
  type: field.dataTypeID,
  modifier: field.dataTypeModifier,
  format: 0,
})

const shown = (row: readonly (string | null)[], { results }: PostgresJudgement, columns: readonly Column[]) => {
  const bytes = dataRow(row)
  const sent = results.rows(columns, undefined)?.apply(bytes, 0, bytes.length) ?? bytes
  return readDataRow(sent, 0, sent.length).map((value) => value?.toString('utf8') ?? null)
}
