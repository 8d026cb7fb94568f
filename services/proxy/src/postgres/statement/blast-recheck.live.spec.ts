import { beyondReach } from '@countersign/approval'
import { Principal, type Target, type WorkerId } from '@countersign/contracts'
import { Secret, type DatabaseConfig } from '@countersign/platform'
import { compilePolicies, defaultPolicies } from '@countersign/policy'
import type { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { installed, startPostgres, type Postgres } from '../../../../../test/corpus/postgres.ts'
import { Knowledge } from '../catalogue/knowledge.ts'
import { Parser } from '../understanding/parser.ts'
import { Servers } from '../upstream/servers.ts'
import { BlastRadius } from './blast-radius.ts'
import { DatabaseJudge } from './database-judge.ts'
import type { Asking, Circumstances } from './judge.ts'
import type { PostgresJudgement } from './postgres-judgement.ts'

/*
 * A statement is judged, something changes beside it, and it is judged again: as between its approval and its release.
 */

describe.each(installed().slice(0, 1))('between approval and release, with $label', (binaries) => {
  let server: Postgres
  let admin: Client
  let parser: Parser
  let knowledge: Knowledge
  let blast: BlastRadius
  let judge: DatabaseJudge

  beforeAll(async () => {
    server = await startPostgres(binaries)
    const first = await server.connect('postgres')
    await first.query('CREATE ROLE guard LOGIN; GRANT pg_read_all_data TO guard')
    await first.query('CREATE DATABASE shop')
    await first.end()
    admin = await server.connect('shop')
    await admin.query(SCHEMA)
    parser = new Parser(() => {})
    const config = configOf(server.port)
    const servers = new Servers(config.upstream, { now: () => new Date().toISOString() })
    knowledge = new Knowledge({
      config,
      servers,
      parser,
      worker: 'node-1/w0/boot' as WorkerId,
      now: () => new Date().toISOString(),
      record: () => {},
      logger: { info: () => {}, warn: () => {}, error: () => {} },
      changed: () => judge.forget(),
    })
    blast = new BlastRadius({ upstream: config.upstream, servers, classOf: (column) => knowledge.classOf(column) })
    const policy = { set: compilePolicies(defaultPolicies()), version: 'v1' }
    judge = new DatabaseJudge({ knowledge, parser, policy: () => policy, now: () => new Date(), blast })
    await knowledge.refresh()
  })
  afterAll(async () => {
    await knowledge?.close()
    await blast?.close()
    await parser?.close()
    await admin?.end()
    await server?.stop()
  })

  const judged = async (sql: string, more: Asking = { reach: true }): Promise<PostgresJudgement> => {
    const [judgement] = await judge.ask(sql, CIRCUMSTANCES, more)
    if (!judgement) throw new Error('nothing was judged')
    return judgement
  }

  it.each<[string, string, string, string | undefined]>([
    ['DELETE FROM people', 'INSERT INTO notes VALUES (101, 1)', 'DELETE FROM notes WHERE id = 101', 'more-rows'],
    ['DELETE FROM people', 'DELETE FROM notes WHERE id = 2', 'INSERT INTO notes VALUES (2, 2)', undefined],
    [
      'DELETE FROM people',
      'CREATE TABLE more (person int REFERENCES people ON DELETE CASCADE)',
      'DROP TABLE more',
      'wider-reach',
    ],
    ['DROP TABLE notes CASCADE', 'CREATE VIEW noted AS SELECT * FROM notes', 'DROP VIEW noted', 'wider-reach'],
    ['TRUNCATE people CASCADE', 'CREATE TABLE more (person int REFERENCES people)', 'DROP TABLE more', 'wider-reach'],
    [
      'ALTER TABLE thing RENAME TO other',
      'ALTER INDEX thing RENAME TO was; CREATE TABLE thing (a int)',
      'DROP TABLE thing; ALTER INDEX was RENAME TO thing',
      'stronger-lock',
    ],
    [
      'ALTER TABLE people ALTER COLUMN code TYPE varchar(20)',
      'ALTER TABLE people ALTER COLUMN code TYPE varchar(30)',
      'ALTER TABLE people ALTER COLUMN code TYPE varchar(10)',
      'new-rewrite',
    ],
    [
      'ALTER TABLE people ALTER COLUMN x SET NOT NULL',
      'ALTER TABLE people DROP CONSTRAINT known',
      'ALTER TABLE people ADD CONSTRAINT known CHECK (x IS NOT NULL)',
      'new-rewrite',
    ],
  ])('%s, and meanwhile %s', async (sql, meanwhile, undo, because) => {
    const approved = await judged(sql)
    expect(approved).toMatchObject({ verdict: 'hold', blast: { unknown: [] } })
    expect(beyondReach((await judged(sql)).blast, approved.blast)).toBeUndefined()
    await admin.query(meanwhile)
    await knowledge.refresh()
    const now = await judged(sql)
    await admin.query(undo)
    await knowledge.refresh()
    expect(beyondReach(now.blast, approved.blast)?.because).toBe(because)
  })

  it('what is not held is not looked into, nor what is only prepared', async () => {
    expect((await judged('SELECT 1')).blast).toBeUndefined()
    expect((await judged('DELETE FROM people', {})).blast).toBeUndefined()
  })

  it('what is executed under a name reaches what was prepared', async () => {
    const prepared = { text: 'DELETE FROM people WHERE id > $1', types: [23] }
    const [judgement] = await judge.ask(
      'EXECUTE gone (5)',
      { ...CIRCUMSTANCES, prepared: () => prepared },
      { reach: true },
    )
    expect(judgement?.blast?.relations).toMatchObject([
      { name: 'public.people', rows: { rows: 15, exact: true } },
      { name: 'public.notes', rows: { rows: 15, exact: true } },
    ])
  })

  it('says what triggers change, of which nobody can say how much', async () => {
    const { blast: found } = await judged('DELETE FROM watched')
    expect(found?.relations).toMatchObject([
      { name: 'public.watched', rows: { rows: 1, exact: true } },
      { name: 'public.audited', effect: 'updates', through: 'a trigger' },
    ])
    expect(found?.unknown).toEqual(['how many rows of public.audited a trigger changes'])
  })

  it('shows nothing of a sensitive column', async () => {
    const { blast: found } = await judged('DELETE FROM people')
    expect(found?.sample?.columns).toEqual(['id', 'email', 'code', 'x'])
    expect(JSON.stringify(found)).not.toMatch(/person\d+@/)
  })

  it('explains it without a row', async () => {
    const [judgement] = await judge.ask('EXPLAIN (POLICY) DELETE FROM people', CIRCUMSTANCES)
    const rows = await admin.query<{ POLICY: string }>(judgement?.replacement ?? '')
    const said = rows.rows.map(({ POLICY }) => POLICY).join('\n')
    expect(said).toContain('reaches: deletes 20 rows of public.people; 20 rows of public.notes go with them')
    expect(said).not.toContain('***')
  })
})

const SCHEMA = `
CREATE TABLE people (id int PRIMARY KEY, email text, code varchar(10), x int CONSTRAINT known CHECK (x IS NOT NULL));
INSERT INTO people SELECT i, 'person' || i || '@example.com', 'c', i FROM generate_series(1, 20) i;
CREATE TABLE notes (id int PRIMARY KEY, person int REFERENCES people ON DELETE CASCADE);
INSERT INTO notes SELECT i, i FROM generate_series(1, 20) i;
CREATE TABLE indexed (a int);
CREATE INDEX thing ON indexed (a);
CREATE TABLE watched (id int);
INSERT INTO watched VALUES (1);
CREATE TABLE audited (n int);
CREATE FUNCTION audits() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO audited VALUES (1); RETURN OLD; END $$;
CREATE TRIGGER audits AFTER DELETE ON watched FOR EACH ROW EXECUTE FUNCTION audits();
ANALYZE;
`

const CIRCUMSTANCES: Circumstances = {
  principal: Principal.parse({ id: 'ana', kind: 'person', groups: ['developers'] }),
  target: { environment: 'prod', database: 'shop' } as Target,
  role: 'app',
  processId: 0,
  session: {
    searchPath: ['pg_catalog', 'public'],
    temporary: [],
    changedSchema: false,
    tentative: false,
    tainted: false,
  },
  namesKey: 'public\n',
  types: [],
  transaction: 'idle',
  reason: undefined,
  ticket: undefined,
  prepared: () => undefined,
  cursor: () => undefined,
}

const configOf = (port: number): DatabaseConfig => ({
  name: 'shop',
  environment: 'prod',
  upstream: {
    host: '127.0.0.1',
    port,
    database: 'shop',
    tls: 'disable',
    channelBinding: 'prefer',
    guard: { role: 'guard', password: new Secret('trusted') },
    roles: {},
    targetSessionAttrs: 'any',
    loadBalanceHosts: 'disable',
    connectTimeoutMs: 5_000,
  },
})
