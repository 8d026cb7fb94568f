import type { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { corpus } from '../../../../test/corpus/corpus.ts'
import { installed, type Postgres } from '../../../../test/corpus/postgres.ts'
import { GUARD, startShop } from '../../../../test/corpus/shop.ts'
import { loadCatalogue, SideConnection } from '../../../../test/corpus/side-connection.ts'
import { judge, loadParser, SqlSyntaxError, understand, type Catalogue, type Facts, type Session } from '../index.ts'

/*
 * What real servers, of every version that this machine has, make of statements; asked by a role without any rights.
 */

const activity = 'pg_catalog.pg_stat_activity.query'

describe.each(installed())('with $label', (binaries) => {
  let server: Postgres
  let admin: Client
  let side: SideConnection
  let catalogue: Catalogue
  let guard: Client

  beforeAll(async () => {
    await loadParser()
    server = await startShop(binaries)
    admin = await server.connect('shop')
    await admin.query(MORE)
    await admin.query('ANALYZE')
    guard = await server.connect('shop', GUARD)
    catalogue = await loadCatalogue(guard)
    side = await SideConnection.over(guard)
    await side.path(['public'])
  })
  afterAll(async () => {
    await guard?.end()
    await admin?.end()
    await server?.stop()
  })

  const factsOf = async (text: string, session?: Session): Promise<Facts> => {
    const [command, ...others] = understand(text).commands
    expect(others).toEqual([])
    const analysis = command!.analysable === undefined ? undefined : await side.analyse(command!.analysable, catalogue)
    return judge(command!, analysis, catalogue, session)
  }

  const outputs = async (text: string) =>
    (await factsOf(text)).outputs?.map(({ origins, derived, opaque }) =>
      [
        origins
          .map(({ name }) => name.replace('public.', ''))
          .sort()
          .join('+') || '-',
        derived ? 'derived' : '',
        opaque ? 'opaque' : '',
      ]
        .filter((part) => part !== '')
        .join(' '),
    )

  describe('the columns of a result come from', () => {
    it.each<[string, string[]]>([
      ['select email from customers', ['customers.email']],
      ['select c.a from customers as c(i, n, a)', ['customers.email']],
      ['select x.a from (select email as a from customers) x', ['customers.email']],
      ['with q as (select email from customers) select * from q', ['customers.email']],
      [
        'with q as materialized (select email e from customers), r as (select e from q) select * from r',
        ['customers.email'],
      ],
      ['select contact from active_customers', ['customers.email']],
      ['select em from v_order_summary', ['customers.email derived']],
      ['select city, n from mv_city', ['customers.city+mv_city.city', 'mv_city.n']],
      ['select email::text from customers', ['customers.email']],
      ['select phone collate "C" from customers', ['customers.phone']],
      ['select phone::varchar(4) from customers', ['customers.phone derived']],
      [
        'select lower(ssn), ssn || dob from customers',
        ['customers.ssn derived', 'customers.dob+customers.ssn derived'],
      ],
      [
        'select email from customers union all select contact_email from sales.leads',
        ['customers.email+sales.leads.contact_email'],
      ],
      ['select id, 1 from customers intersect select 2, id from orders', ['customers.id', 'orders.id']],
      ['select c from customers c where false', [everyCustomer]],
      ['select (c).email from customers c', ['customers.email']],
      ['select (s.c).email from (select c from customers c) s', [`${everyCustomer}`]],
      ['select row_to_json(c) from customers c', [everyCustomer]],
      [
        'select count(*), count(email), max(ssn), array_agg(phone) from customers',
        ['-', '-', 'customers.ssn derived', 'customers.phone derived'],
      ],
      [
        'select row_number() over (order by ssn), lag(ssn) over (order by id) from customers',
        ['-', 'customers.ssn derived'],
      ],
      ['select case when ssn like $$1%$$ then 1 end from customers', ['customers.ssn derived']],
      [
        'select (select email from customers limit 1), exists (select 1 from customers where ssn = $$1$$)',
        ['customers.email', '-'],
      ],
      ['select array(select email::text from customers)', ['customers.email derived']],
      [
        'select ssn in (select national_id from employees) from customers',
        ['customers.ssn+employees.national_id derived'],
      ],
      [
        'select o.id, l.e from orders o, lateral (select email e from customers c where c.id = o.customer_id) l',
        ['orders.id', 'customers.email'],
      ],
      ['select id from customers full join orders using (id)', ['customers.id+orders.id derived']],
      ['select * from (values (1, $$a$$), (2, $$b$$)) v(a, b)', ['-', '-']],
      ['select * from generate_series(1, 3)', ['-']],
      [
        'select k, v from customers, jsonb_each_text(profile) as j(k, v)',
        ['customers.profile derived', 'customers.profile derived'],
      ],
      ['select t from customers, unnest(tags) t', ['customers.tags derived']],
      ['select get_email(1)', ['- derived opaque']],
      ['select * from get_email(1)', ['- derived opaque']],
      ['select most_common_vals from pg_stats', ['pg_catalog.pg_statistic.staattnum+statistics']],
      ['select stanullfrac + 1 from pg_statistic', ['pg_catalog.pg_statistic.stanullfrac derived']],
      ['select stavalues1 from pg_statistic', ['pg_catalog.pg_statistic.stavalues1 opaque']],
      ['select pid, query from pg_stat_activity', ['-', `${activity} derived`]],
      ['select left(q.query, 9) from (select * from pg_stat_activity) q', [`${activity} derived`]],
      ['select a.six from pg_stat_get_activity(null) as a(one, two, three, four, five, six)', [`${activity} derived`]],
      ['select a.state from pg_stat_get_activity(null) a', ['-']],
      ['select b.query from rows from (pg_stat_get_activity(null), now()) as b', [`${activity} derived`]],
      ['select (pg_stat_get_activity(null)).query', [`${activity} derived`]],
      ['select pg_stat_get_backend_activity(b) from pg_stat_get_backend_idset() b', [`${activity} derived`]],
      ['copy (select query from pg_stat_activity) to stdout', [`${activity} derived`]],
      [
        'select s.statement, c.statement, c.name from pg_prepared_statements s, pg_cursors c',
        ['pg_catalog.pg_prepared_statements.statement derived', 'pg_catalog.pg_cursors.statement derived', '-'],
      ],
      ['select email from customers group by email, city order by 1', ['customers.email']],
      ['select email, grouping(email) from customers group by rollup (email)', ['customers.email', '-']],
      [
        'update customers set active = true where id = 1 returning email, lower(phone)',
        ['customers.email', 'customers.phone derived'],
      ],
      ['with d as (delete from customers where id = 1 returning email) select * from d', ['customers.email']],
      ['insert into sales.leads values (1, $$x$$, 2) returning contact_email', ['sales.leads.contact_email']],
      ['copy customers (email, ssn) to stdout', ['customers.email', 'customers.ssn']],
      ['copy generated to stdout', ['generated.a']],
      ['copy (select lower(ssn) from customers) to stdout', ['customers.ssn derived']],
      ['select $1::text, current_user, now(), 5', ['-', '-', '-', '-']],
      ['explain select email from customers', ['-']],
      ['prepare p as select email from customers', []],
      [
        'with recursive q(a, b) as (select email::text, city from customers union all select b, a from q) select b from q',
        ['customers.city+customers.email'],
      ],
      [
        'with recursive q(a, b) as (select id, email::text from customers union all select a, upper(b) from q) select a, b from q',
        ['customers.id', 'customers.email derived'],
      ],
      ['select id from events_2024 union select id from only events', ['events.id+events_2024.id']],
      ['select m.a from merged m join merged n using (a)', ['merged.a']],
    ])('%s', async (text, expected) => {
      const found = await outputs(text)
      expect(
        found?.map((one) =>
          one
            .replace(/(\+pg_catalog\.pg_statistic\.\w+)+ derived opaque/, '+statistics')
            .replace(/pg_catalog\.pg_statistic\.sta\w+\+statistics/, 'pg_catalog.pg_statistic.staattnum+statistics'),
        ),
      ).toEqual(expected)
    })
  })

  describe('rows that a key allows', () => {
    it.each<[string, number | undefined]>([
      ['delete from orders where id = 1', 1],
      ['delete from orders where 1 = id and status = $$x$$', 1],
      ['update orders set total = 1 where id in (1, 2, 3)', 3],
      ['update orders set total = 1 where id = any (array[1, 2]) and id = 7', 1],
      ['delete from orders where id = $1', 1],
      ['delete from orders where id = (select max(id) from orders)', 1],
      [
        'delete from orders where id = (select o.id from orders o where o.status = $$new$$ limit 1 for update skip locked)',
        1,
      ],
      ['delete from pairs where a = 1 and b = 2', 1],
      ['delete from pairs where a = 1 and b in (1, 2)', 2],
      ['delete from settings where key = $$k1$$', 1],
      ['delete from named where name = $$x$$', 1],
      ['delete from orders where status = $$x$$', undefined],
      ['delete from orders where id = 1 or id = 2', undefined],
      ['delete from orders where id > 1', undefined],
      ['delete from orders where id = id', undefined],
      ['delete from orders where id = customer_id', undefined],
      ['delete from orders where id = (select o.id)', undefined],
      ['delete from orders where id = (random() * 1000)::int', undefined],
      ['delete from orders where id = any ($1)', undefined],
      ['delete from orders where id::text = $$1$$', undefined],
      ['delete from orders where id <> all (array[1])', undefined],
      ['delete from pairs where a = 1', undefined],
      ['delete from orders o using customers c where o.id = 1', undefined],
      ['delete from parent where id = 1', undefined],
      ['delete from only parent where id = 1', 1],
      ['delete from partial where a = 1', undefined],
      ['delete from named where name collate blind = $$x$$', undefined],
    ])('%s: %s', async (text, expected) => {
      const { uses } = await factsOf(text)
      expect(uses.find(({ change }) => change?.index === 0)?.change?.rowsAtMost).toBe(expected)
    })
  })

  describe('a statement is proven read-only', () => {
    it.each([
      'select 1',
      'select * from customers where lower(email) = $$x$$',
      'select order_total(7), get_email(1)',
      'select digest(ssn, $$md5$$), gen_random_uuid(), random(), now() from customers',
      'table active_customers',
      'explain analyze select count(*) from orders',
      'explain delete from orders',
      'copy customers to stdout',
      'declare c cursor for select * from orders',
      'prepare p as delete from orders where id = $1',
      'show search_path',
      'begin',
      'savepoint a',
      'rollback',
      'select plain_sum(1, 2)',
    ])('%s', async (text) => expect(await factsOf(text)).toMatchObject({ readOnly: true, unresolved: false }))
  })

  describe('a statement is not', () => {
    it.each([
      'select purge_customers()',
      'select 1 <~~> 2',
      'select * from v_bad',
      'select wipeagg(id::int) from orders',
      'select 5::mood_cast',
      'select $$1$$::evil_dom',
      'select nextval($$invoice_no$$)',
      'select pg_advisory_lock(1)',
      'select * from orders for update',
      'select * from orders where id = 1 for share',
      'with d as (delete from orders where id = 1) select 1',
      'explain analyze delete from orders where id = 1',
      'explain select * from orders where id = lie(1)',
      'copy (delete from orders where id = 1 returning id) to stdout',
      'select set_config($$a.b$$, $$c$$, false)',
      'select run_sql($$x$$)',
      'select unknown_function(1)',
      'select calls_unknown()',
      'select * from guarded',
      'insert into orders default values',
      'commit',
      'set x.y = 1',
      'fetch all from c',
      'execute p',
      'call monthly_close()',
      'do $$ begin null; end $$',
    ])('%s', async (text) => expect((await factsOf(text)).readOnly).toBe(false))
  })

  it('never calls a statement of the corpus read-only that a READ ONLY transaction refuses', async () => {
    const proven: string[] = []
    for (const { sql } of corpus.filter(({ setup }) => !setup)) {
      for (const text of provable(sql)) if ((await factsOf(text)).readOnly) proven.push(text)
    }
    expect(proven.length).toBeGreaterThan(90)
    expect(await refusedReadOnly(proven)).toEqual([])
  })

  const refusedReadOnly = async (texts: readonly string[]) => {
    const refused: string[] = []
    for (const text of texts.filter((one) => !/^\s*(copy|begin|start|savepoint|rollback|release)/i.test(one))) {
      await admin.query('BEGIN READ ONLY')
      const code = await admin.query(text).then(
        () => undefined,
        (error: { code: string }) => error.code,
      )
      await admin.query('ROLLBACK')
      if (code === '25006') refused.push(text)
    }
    return refused
  }

  describe('what a statement brings about', () => {
    const brought = async (text: string) =>
      (await factsOf(text)).uses.map(
        ({ action, object, through }) =>
          `${action} ${object.schema ? `${object.schema}.` : ''}${object.name} by ${through}`,
      )

    it.each<[string, string]>([
      ['update settings set value = $$x$$ where key = $$k1$$', 'delete public.employees by trigger'],
      [
        'insert into settings values ($$k1$$, $$x$$) on conflict (key) do update set value = $$y$$',
        'delete public.employees by trigger',
      ],
      ['update v_rule set status = $$x$$ where id = 1', 'delete public.orders by rule'],
      ['insert into inbox values (1)', 'delete public.sessions by rule'],
      ['delete from customers where id = 3', 'delete public.orders by cascade'],
      ['truncate customers cascade', 'truncate public.orders by cascade'],
      ['delete from active_customers where id = 1', 'delete public.customers by statement'],
      ['update pg_settings set setting = $$x$$ where name = $$role$$', 'write pg_catalog.pg_settings by statement'],
      ['select * from v_bad', 'delete public.customers by function'],
      ['select indirect()', 'delete public.customers by function'],
      ['insert into checked values (1)', 'delete public.audit_log by function'],
      ['select * from guarded', 'delete public.audit_log by function'],
      ['insert into indexed values (1)', 'delete public.audit_log by function'],
      ['analyze indexed', 'delete public.audit_log by function'],
      ['analyze', 'delete public.audit_log by function'],
      ['insert into with_generated(a) values (1)', 'delete public.audit_log by function'],
      ['insert into with_default default values', 'delete public.audit_log by function'],
      ['copy with_default from stdin', 'delete public.audit_log by function'],
      ['refresh materialized view mv_bad', 'delete public.audit_log by function'],
      ['delete from events where id = 1', 'delete public.audit_log by trigger'],
      ['call monthly_close()', 'write public.orders by function'],
      ['do $$ begin perform purge_customers(); end $$', 'delete public.customers by function'],
      ['select through_view_rule()', 'delete public.orders by rule'],
      ['execute nothing', 'unknown nothing by statement'],
      ['select run_sql($$x$$)', 'unknown run_sql() runs SQL that is built while it runs by function'],
      ['drop index orders_status_idx', 'drop public.orders by statement'],
      ['drop table orders', 'drop public.orders by statement'],
      ['grant select on customers to public', 'grant public.customers by statement'],
    ])('%s: %s', async (text, expected) => expect(await brought(text)).toContain(expected))
  })

  describe('a session of its own', () => {
    const session = (more: Partial<Session> = {}): Session => ({
      searchPath: ['pg_catalog', 'public'],
      temporary: new Map<string, 'table' | 'other'>([
        ['orders', 'table'],
        ['scratch', 'table'],
        ['customers', 'other'],
      ]),
      ...more,
    })
    const changes = ({ uses }: Facts) =>
      uses
        .filter(({ change }) => change)
        .map(({ temporary, object }) => `${temporary ? 'temporary' : object.schema} ${object.name}`)

    it('means its temporary tables, unless a schema is written', async () => {
      expect(changes(await factsOf('delete from orders', session()))).toEqual(['temporary orders'])
      expect(changes(await factsOf('delete from pg_temp.scratch', session()))).toEqual(['temporary scratch'])
      expect(changes(await factsOf('delete from public.orders', session()))).toEqual(['public orders'])
      expect(await factsOf('delete from orders', session())).toMatchObject({ unresolved: false, readOnly: false })
    })

    it('is not believed to mean what the side connection means', async () => {
      expect(await factsOf('select * from customers', session())).toMatchObject({ unresolved: true, readOnly: false })
      expect(await factsOf('explain select * from customers', session())).toMatchObject({ unresolved: true })
      expect(await factsOf('create view v as select * from scratch', session())).not.toHaveProperty('fails')
      expect(await factsOf("select pg_relation_size('scratch2')", session())).not.toHaveProperty('fails')
      expect(await factsOf('select * from payments', session())).toMatchObject({ unresolved: false, readOnly: true })
      expect(await factsOf('select * from no_such_table', session())).toMatchObject({ fails: '42P01' })
    })

    it('that has changed the schema is judged by text', async () =>
      expect(await factsOf('select * from payments', session({ changedSchema: true }))).toMatchObject({
        unresolved: true,
        readOnly: false,
      }))

    it('runs what it prepared, counted by what it prepared', async () => {
      const prepared = await factsOf('prepare p as delete from payments where order_id = $1')
      expect(prepared).toMatchObject({ readOnly: true, outputs: [] })
      expect(prepared.uses.every(({ deferred }) => deferred)).toBe(true)
      const executed = await factsOf('execute p(5)', session({ prepared: () => prepared }))
      expect(executed).toMatchObject({ readOnly: false, countable: true, unresolved: false })
      expect(executed.uses.find(({ action }) => action === 'delete')).toMatchObject({
        deferred: false,
        change: { index: 0 },
      })
      const planned = await factsOf('explain execute p(5)', session({ prepared: () => prepared }))
      expect(planned.actions).not.toContain('delete')
      const explained = await factsOf('explain analyze execute p(5)', session({ prepared: () => prepared }))
      expect(explained.actions).toContain('delete')
    })

    it('fetches what its cursor gives', async () => {
      const cursor = await factsOf('declare c cursor for select lower(email) from customers')
      expect(cursor.outputs).toEqual([])
      const fetched = await factsOf('fetch 5 from c', session({ cursor: () => cursor }))
      expect(fetched).toMatchObject({
        readOnly: true,
        outputs: [{ origins: [{ name: 'public.customers.email' }], derived: true }],
      })
      expect((await factsOf('fetch 5 from c', session())).outputs).toBeUndefined()
    })
  })

  it('says with which error the server refuses a statement, and that nothing is unresolved about it', async () => {
    expect(await factsOf('select * from no_such_table')).toMatchObject({
      fails: '42P01',
      unresolved: false,
      readOnly: false,
    })
    expect(await factsOf('select no_such_column from orders')).toMatchObject({ fails: '42703', unresolved: false })
    expect(await factsOf('select $$x$$::int')).toMatchObject({ fails: '22P02' })
  })

  it('does not believe an error that the side connection alone may have', async () => {
    await admin.query('CREATE SCHEMA IF NOT EXISTS hidden; CREATE TABLE IF NOT EXISTS hidden.t (a int)')
    const facts = await factsOf('select * from hidden.t')
    expect(facts.fails).toBeUndefined()
    expect(facts.unresolved).toBe(true)
  })

  it('analyses nothing along a path of which it may not see a part', async () => {
    await admin.query('CREATE TABLE hidden.customers (a int)')
    await side.path(['hidden', 'public'])
    expect(await factsOf('select * from customers')).toMatchObject({ unresolved: true, readOnly: false })
    await side.path(['public'])
  })

  it('does not believe what row security says to it alone', async () => {
    await admin.query('CREATE TABLE loop (a int); ALTER TABLE loop ENABLE ROW LEVEL SECURITY')
    await admin.query('CREATE POLICY p ON loop USING (EXISTS (SELECT 1 FROM loop))')
    expect(await factsOf('select * from loop')).not.toHaveProperty('fails')
  })

  it('is not misled by names that look like the tree’s own', async () => {
    const names = [
      'a b',
      ':resjunk',
      '{X :a 1}',
      '(',
      '"',
      '\\',
      'a\\',
      '<>',
      'a\nb',
      'ü',
      '[ 1 ]',
      ' ',
      '{'.repeat(30),
    ]
    for (const name of names) {
      const alias = `"${name.replaceAll('"', '""')}"`
      const found = await factsOf(`select ssn as ${alias}, 1 as plain from customers ${alias}`)
      expect(found.outputs?.map(({ origins }) => origins.map((origin) => origin.name))).toEqual([
        ['public.customers.ssn'],
        [],
      ])
    }
  })

  it('gives up on a name that the server may have broken in two', async () => {
    const facts = await factsOf(`select ssn as "${'('.repeat(63)}" from customers`)
    expect(facts).toMatchObject({ unresolved: true, readOnly: false, outputs: undefined })
  })

  it('has a version that follows the schema and not the statistics', async () => {
    const before = (await loadCatalogue(guard)).version
    await admin.query('INSERT INTO settings SELECT $1 || g, $1 FROM generate_series(1, 500) g', ['z'])
    await admin.query('ANALYZE settings')
    expect((await loadCatalogue(guard)).version).toBe(before)
    await admin.query('CREATE TABLE later (a int)')
    expect((await loadCatalogue(guard)).version).not.toBe(before)
  })

  it('is plain data, which may travel between threads', async () => {
    const text = 'delete from customers where id = 1 returning get_email(id)'
    const [command] = structuredClone(understand(text)).commands
    const analysis = structuredClone(await side.analyse(text, catalogue))
    const facts = judge(command!, analysis, structuredClone(catalogue))
    expect(structuredClone(facts)).toEqual(await factsOf(text))
  })

  it('is unresolved when a relation came after the catalogue was read', async () => {
    await admin.query('CREATE TABLE IF NOT EXISTS newer (a int)')
    expect(await factsOf('select * from newer')).toMatchObject({ unresolved: true, readOnly: false })
  })

  it('follows the search path of the session', async () => {
    await side.path(['evil', 'public', 'pg_catalog'])
    const shadowed = await factsOf("select lower('ABC'::text)")
    await side.path(['public'])
    expect(shadowed.uses).toContainEqual(
      expect.objectContaining({ action: 'delete', object: expect.objectContaining({ name: 'settings' }) }),
    )
    expect((await factsOf("select lower('ABC'::text)")).uses).toEqual([])
  })
})

const everyCustomer = `${'active address city country created_at dob email full_name id notes phone profile ssn tags'
  .split(' ')
  .map((column) => `customers.${column}`)
  .join('+')} derived`

/** The statements of a text that stand for themselves. */
const provable = (sql: string): readonly string[] => {
  try {
    return understand(sql).commands.length === 1 ? [sql] : []
  } catch (error) {
    if (error instanceof SqlSyntaxError) return []
    throw error
  }
}

/** More of everything that code can be attached to. */
const MORE = `
  CREATE VIEW v_bad AS SELECT purge_customers() AS n;
  CREATE FUNCTION wipe_now() RETURNS void LANGUAGE sql AS 'DELETE FROM public.audit_log';
  CREATE FUNCTION wipe_log(int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN PERFORM public.wipe_now(); RETURN 1; END $$;
  CREATE FUNCTION wsf(int, int) RETURNS int LANGUAGE plpgsql AS $$ BEGIN DELETE FROM audit_log; RETURN 1; END $$;
  CREATE AGGREGATE wipeagg(int) (SFUNC = wsf, STYPE = int, INITCOND = '0');
  CREATE TYPE mood_cast AS (a int);
  CREATE FUNCTION i2m(int) RETURNS mood_cast LANGUAGE plpgsql AS $$ BEGIN DELETE FROM audit_log; RETURN ROW($1)::mood_cast; END $$;
  CREATE CAST (int AS mood_cast) WITH FUNCTION i2m(int);
  CREATE DOMAIN evil_dom AS int CHECK (wipe_log(VALUE) > 0);
  CREATE FUNCTION lie(int) RETURNS int LANGUAGE plpgsql STABLE AS $$ BEGIN PERFORM run_sql('DELETE FROM audit_log'); RETURN 1; END $$;
  CREATE FUNCTION plain_sum(a int, b int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$ DECLARE c int := a; BEGIN c := c + b; RETURN c; END $$;
  CREATE FUNCTION indirect() RETURNS int LANGUAGE sql AS 'SELECT purge_customers()';
  CREATE FUNCTION calls_unknown() RETURNS int LANGUAGE plpgsql AS $$ BEGIN RETURN not_there_yet(); END $$;
  CREATE FUNCTION through_view_rule() RETURNS void LANGUAGE sql AS 'UPDATE v_rule SET status = NULL WHERE id = 1';
  CREATE TABLE checked (a int CHECK (wipe_log(a) > 0));
  CREATE TABLE guarded (a int);
  ALTER TABLE guarded ENABLE ROW LEVEL SECURITY;
  CREATE POLICY p ON guarded USING (wipe_log(a) > 0);
  CREATE TABLE indexed (a int);
  CREATE INDEX ON indexed (wipe_log(a));
  CREATE TABLE with_generated (a int, b int GENERATED ALWAYS AS (wipe_log(a)) STORED);
  CREATE TABLE with_default (a int DEFAULT wipe_log(1));
  CREATE MATERIALIZED VIEW mv_bad AS SELECT wipe_log(1) AS n WITH NO DATA;
  CREATE FUNCTION wipe_on() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN DELETE FROM audit_log; RETURN NULL; END $$;
  CREATE TRIGGER t AFTER DELETE ON events_2025 FOR EACH ROW EXECUTE FUNCTION wipe_on();
  CREATE TABLE pairs (a int, b int, c int, PRIMARY KEY (a, b));
  CREATE TABLE named (name varchar(20) UNIQUE);
  CREATE COLLATION blind (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
  CREATE TABLE parent (id int PRIMARY KEY);
  CREATE TABLE child () INHERITS (parent);
  CREATE TABLE partial (a int);
  CREATE UNIQUE INDEX ON partial (a) WHERE a > 0;
  CREATE TABLE generated (a int, b int GENERATED ALWAYS AS (a * 2) STORED);
  CREATE TABLE merged (a int, b int);
`
