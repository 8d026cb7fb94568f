import { FRONTEND, cstring, int16, message, parse, query, SYNC } from '@countersign/pgwire'
import { defaultPolicies } from '@countersign/policy'
import { freePorts, memoryLog } from '@countersign/testing'
import type { Client } from 'pg'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { installed, startPostgres, type Postgres } from '../../../../../test/corpus/postgres.ts'
import { run } from '../../../../../test/support/run.ts'
import { until } from '../../../../../test/support/until.ts'
import { Approving } from '../testing/approving.ts'
import { LiveNode, LOGIN, ROLE, type WatchedClient } from '../testing/live-node.ts'
import { RawConnection, type Address } from '../testing/raw-connection.ts'
import { bind, close, describe as describeOf, execute, flush } from '../testing/wire.ts'

/*
 * Statements that may change so many rows and no more, before a real server: those that were approved with a number, and
 * those that policy bounds. Whatever the client, the protocol and the moment: what is too much does not stand, and the
 * connection goes on.
 */

const SCHEMA = `
CREATE TABLE held (id int PRIMARY KEY, note text);
CREATE TABLE few (id int PRIMARY KEY, note text);
CREATE TABLE few_loaded (id int);
CREATE TABLE parent (id int PRIMARY KEY);
CREATE TABLE twin (id int PRIMARY KEY, parent int REFERENCES parent DEFERRABLE INITIALLY DEFERRED, note text);
CREATE FUNCTION wipes() RETURNS int LANGUAGE sql AS $$ DELETE FROM public.few; SELECT 1 $$;
CREATE FUNCTION tells() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE NOTICE 'row %', OLD.id; RETURN OLD; END $$;
CREATE TRIGGER tells BEFORE DELETE ON twin FOR EACH ROW EXECUTE FUNCTION tells();
GRANT ALL ON ALL TABLES IN SCHEMA public TO ${ROLE};
`
const ROWS = `
DELETE FROM held; DELETE FROM few; DELETE FROM few_loaded; DELETE FROM twin; DELETE FROM parent;
INSERT INTO held SELECT g, 'old' FROM generate_series(1, 10) g;
INSERT INTO few SELECT g, 'old' FROM generate_series(1, 10) g;
INSERT INTO parent VALUES (1), (2);
INSERT INTO twin SELECT g, 1, 'old' FROM generate_series(1, 10) g;
`

const POLICIES = `
@id("all") permit (principal, action, resource);
@id("hold-held") @effect("hold") @approvers("owners") @because("it is kept")
forbid (principal, action in [Action::"write", Action::"delete"], resource is Relation)
when { resource.name == "public.held" };
@id("guard-few") @guard("3")
permit (principal, action in [Action::"write", Action::"delete", Action::"copyIn"], resource is Relation)
when { resource.name like "public.few*" };
@id("guard-twin") @guard("1000000")
permit (principal, action in [Action::"write", Action::"delete"], resource is Relation)
when { resource.name like "public.twin*" };
`
const SHIPPED = defaultPolicies().flatMap(({ text }) =>
  [...text.matchAll(/^@id\("([^"]+)"\)/gm)].map(([, id]) => id ?? ''),
)

const WAITING = { options: '-c countersign.hold=30' }
const BLOCKED = `SELECT count(*)::int AS n FROM pg_stat_activity WHERE usename = '${ROLE}' AND wait_event_type = 'Lock'`

describe.each(installed())('a guard before $label', (binaries) => {
  let server: Postgres
  let node: LiveNode
  let approving: Approving
  let client: WatchedClient
  let other: Client
  let through: Address
  let direct: Address

  beforeAll(async () => {
    server = await startPostgres(binaries)
    const log = memoryLog()
    const ports = await freePorts(3)
    node = await LiveNode.start({ server, log, ports, schema: SCHEMA, without: SHIPPED, policies: POLICIES })
    approving = new Approving(log, node.control)
    other = await server.connect('shop')
    const admin = await server.connect('postgres')
    await admin.query('CREATE DATABASE twin')
    await admin.end()
    const twin = await server.connect('twin')
    await twin.query(SCHEMA)
    await twin.query(ROWS)
    await twin.end()
    through = { port: node.port, user: LOGIN.user, password: LOGIN.token, database: LOGIN.database }
    direct = { port: server.port, user: ROLE, password: '', database: 'twin' }
  })
  beforeEach(async () => {
    await other.query('ROLLBACK')
    await other.query(ROWS)
    client = await node.client(WAITING)
  })
  afterEach(async () => {
    await client.end()
  })
  afterAll(async () => {
    await other?.end()
    await node?.stop()
    await server?.stop()
  })

  const events: Approving['events'] = (type) => approving.events(type)

  const notesOf = async (table: string) => {
    const { rows } = await other.query<{ note: string; n: number }>(
      `SELECT note, count(*)::int AS n FROM ${table} GROUP BY note ORDER BY note`,
    )
    return Object.fromEntries(rows.map(({ note, n }) => [note, n]))
  }

  const isBlocked = async () => (await node.admin.query<{ n: number }>(BLOCKED)).rows[0]?.n === 1 || undefined

  /** An owner approves what is held, while somebody else adds rows that nobody sees before it is about to run. */
  const approvedWhile = async <T>(added: string, work: () => Promise<T>) => {
    const { held, running } = await approving.heldBy(work)
    await other.query('BEGIN')
    // Counting does not wait for this lock, and changing does.
    await other.query('LOCK TABLE held IN EXCLUSIVE MODE')
    await other.query(added)
    await approving.approve(held)
    await until(isBlocked)
    await other.query('COMMIT')
    const { statementId, rows } = held.statement
    return { ended: await running, statementId, rows }
  }

  /** Prepared in a transaction of its own: what is only prepared locks its tables up to the end of the group. */
  const prepared = (text: string, values: readonly number[]) => async (sent: WatchedClient) => {
    const { held, running } = await approving.heldBy(() => sent.query({ name: 's', text, values: [1000] }))
    await approving.approve(held)
    await running
    return () => sent.query({ name: 's', text, values: [...values] })
  }

  const MORE = "INSERT INTO held SELECT g, 'new' FROM generate_series(11, 15) g"
  /** Makes ready, and returns what is to be run. */
  type Work = (sent: WatchedClient) => Promise<() => Promise<{ rowCount: number | null }>>
  const simply = (text: string) => async (sent: WatchedClient) => () => sent.query(text)
  const outcome = (work: Promise<{ rowCount: number | null }>) =>
    work.then(
      ({ rowCount }) => `changed ${rowCount}`,
      ({ code, message: text }: { code?: string; message: string }) => `${code}: ${text}`,
    )
  const TOO_MANY = 'ZA003: it changed 15 rows, 10 were approved: rolled back'

  const settlementOf = async (statementId: string) => {
    const settled = await until(async () => {
      const found = (await events('statement.settled')).filter((each) => each.statementId === statementId)
      return found.length > 0 ? found : undefined
    })
    return settled.map(({ outcome: how, sqlstate, command, rowsAffected }) => ({
      how,
      sqlstate,
      command,
      rowsAffected,
    }))
  }

  describe('of what was approved, when rows come between the last count and the run', () => {
    it.each<[string, string, Work]>([
      ['a simple query', 'DELETE', simply('DELETE FROM held')],
      ['a prepared one', 'DELETE', prepared('DELETE FROM held WHERE id <> $1', [0])],
      ['an update', 'UPDATE', simply("UPDATE held SET note = 'mine'")],
      ['rows that come back', 'DELETE', simply('DELETE FROM held RETURNING id')],
      [
        'rows that come back, prepared',
        'UPDATE',
        prepared("UPDATE held SET note = 'mine' WHERE id <> $1 RETURNING *", [0]),
      ],
      [
        'an insert of what is there',
        'INSERT 0',
        simply("INSERT INTO held SELECT id + 100, 'mine' FROM held ON CONFLICT (id) DO UPDATE SET note = 'x'"),
      ],
    ])('rolls back %s', async (_, tag, work) => {
      const run = await work(client)
      await other.query(ROWS)
      const { ended, statementId, rows } = await approvedWhile(MORE, () => outcome(run()))
      expect(rows).toMatchObject({ rows: 10 })
      expect(ended).toBe(TOO_MANY)
      expect(await notesOf('held')).toEqual({ new: 5, old: 10 })
      expect(await settlementOf(statementId)).toEqual([
        { how: 'failed', sqlstate: 'ZA003', command: `${tag} 15`, rowsAffected: 15 },
      ])
      expect((await events('statement.guarded')).find((each) => each.statementId === statementId)).toMatchObject({
        rowsMax: 10,
        by: 'approval',
        kept: true,
      })
      expect(await client.tries('SELECT 1')).toEqual([[['1']]])
      expect(await client.tries('INSERT INTO parent VALUES (99); DELETE FROM parent WHERE id = 99')).toEqual([[], []])
    })

    it.each<[string, Work]>([
      ['a simple query', simply('DELETE FROM held')],
      ['a prepared one', prepared('DELETE FROM held WHERE id <> $1', [0])],
    ])('fails the transaction that %s stands in', async (_, work) => {
      const run = await work(client)
      await other.query(ROWS)
      await client.query('BEGIN')
      await client.query('INSERT INTO parent VALUES (3)')
      const { ended } = await approvedWhile(MORE, () => outcome(run()))
      expect(ended).toBe(TOO_MANY)
      expect(await client.tries('SELECT 1')).toBe('25P02')
      expect(await client.tries('COMMIT')).toEqual([[]])
      expect(await notesOf('held')).toEqual({ new: 5, old: 10 })
      expect((await other.query('SELECT id FROM parent WHERE id = 3')).rows).toEqual([])
      expect(await client.tries('SELECT 1')).toEqual([[['1']]])
    })

    it('lets through what stays within it, and less', async () => {
      const less = await approvedWhile('DELETE FROM held WHERE id > 8', () => outcome(client.query('DELETE FROM held')))
      expect(less.ended).toBe('changed 8')
      expect(await notesOf('held')).toEqual({})
      expect(await settlementOf(less.statementId)).toMatchObject([{ how: 'completed', rowsAffected: 8 }])
    })

    it('is what psql is told as well', async () => {
      const dsn = `host=127.0.0.1 port=${node.port} user=${LOGIN.user} dbname=${LOGIN.database} options='-c countersign.hold=30'`
      const args = [dsn, '-X', '-A', '-t', '-v', 'VERBOSITY=verbose', '-c', 'DELETE FROM held', '-c', 'SELECT 42']
      const { ended } = await approvedWhile(MORE, () => run('psql', args, { env: { PGPASSWORD: LOGIN.token } }))
      expect(ended).toMatchObject({ stdout: '42\n' })
      expect((ended as { stderr: string }).stderr).toContain(
        'ERROR:  ZA003: it changed 15 rows, 10 were approved: rolled back',
      )
      expect(await notesOf('held')).toEqual({ new: 5, old: 10 })
    })

    it('rolls back all of a text of several commands', async () => {
      const text = 'INSERT INTO parent VALUES (3); DELETE FROM held; INSERT INTO parent VALUES (4)'
      const { ended } = await approvedWhile(MORE, () => client.tries(text))
      expect(ended).toBe('ZA003')
      expect(await notesOf('held')).toEqual({ new: 5, old: 10 })
      expect((await other.query('SELECT id FROM parent WHERE id > 2')).rows).toEqual([])
      expect(await client.tries('SELECT 1')).toEqual([[['1']]])
    })

    it('cannot be kept beside a COMMIT in the same text, and the record says so', async () => {
      const { ended, statementId } = await approvedWhile(MORE, () => client.tries('BEGIN; DELETE FROM held; COMMIT'))
      expect(ended).toEqual([[], [], []])
      const guarded = (await events('statement.guarded')).filter((each) => each.statementId === statementId)
      expect(guarded).toMatchObject([{ kept: false, because: 'transaction-control', rowsMax: 10 }])
    })
  })

  describe('that policy asks for', () => {
    const ALL = { old: 10 }

    it.each([
      ['a delete', 'DELETE FROM few WHERE id <= 4'],
      ['an update', "UPDATE few SET note = 'mine'"],
      ['an insert', "INSERT INTO few SELECT g, 'mine' FROM generate_series(100, 110) g"],
      ['a merge', "MERGE INTO few USING held ON few.id = held.id WHEN MATCHED THEN UPDATE SET note = 'mine'"],
      ['rows that come back', 'DELETE FROM few RETURNING id'],
      ['one among several', 'DELETE FROM few WHERE id = 1; DELETE FROM few WHERE id > 5; DELETE FROM few WHERE id = 2'],
    ])('trips %s', async (_, text) => {
      expect(await client.tries(text)).toBe('ZA003')
      expect(await notesOf('few')).toEqual(ALL)
      expect(await client.tries('DELETE FROM few WHERE id <= 3 RETURNING id')).toEqual([[['1'], ['2'], ['3']]])
      expect(await notesOf('few')).toEqual({ old: 7 })
    })

    it('trips what was prepared in SQL', async () => {
      expect(await client.tries('PREPARE p AS DELETE FROM few WHERE id > $1')).toEqual([[]])
      expect(await client.tries('EXECUTE p(2)')).toBe('ZA003')
      expect(await client.tries('EXECUTE p(8)')).toEqual([[]])
      expect(await notesOf('few')).toEqual({ old: 8 })
    })

    it.each([
      ['below WITH', 'WITH d AS (DELETE FROM few RETURNING 1) SELECT count(*) FROM d'],
      ['in several places', "WITH d AS (DELETE FROM few RETURNING 1) UPDATE few SET note = '' WHERE id = 1"],
      ['in EXPLAIN ANALYZE', 'EXPLAIN ANALYZE DELETE FROM few'],
      ['in a block of code', 'DO $$ BEGIN DELETE FROM few; END $$'],
      ['in a function', 'SELECT wipes()'],
      ['beside COMMIT', 'BEGIN; DELETE FROM few WHERE id = 1; COMMIT'],
      ['behind a SELECT that is prepared', 'PREPARE q AS WITH d AS (DELETE FROM few RETURNING 1) SELECT 1; EXECUTE q'],
      ['by COPY', 'COPY few_loaded FROM STDIN'],
    ])('denies what changes rows %s, of which nobody would tell how many', async (_, text) => {
      expect(await client.tries(text)).toBe('42501')
      expect(await notesOf('few')).toEqual(ALL)
    })

    const said = async (readies: number, ...messages: readonly Buffer[]) => {
      const raw = await RawConnection.loggedIn(through)
      raw.news()
      raw.say(...messages)
      const lines = await raw.answers(readies)
      raw.end()
      return lines
    }

    it('shows no more rows than may be changed, and then the error', async () => {
      const lines = await said(1, query('DELETE FROM few RETURNING id'))
      expect(lines.map((line) => line[0])).toEqual(['T', 'D', 'D', 'D', 'E', 'Z'])
      expect(await notesOf('few')).toEqual(ALL)
    })

    it('is not gone around by sending everything at once', async () => {
      const lines = await said(
        2,
        parse('', 'DELETE FROM few'),
        bind('', ''),
        execute(),
        parse('', 'COMMIT'),
        bind('', ''),
        execute(),
        SYNC,
        query('SELECT 1'),
      )
      expect(lines.map((line) => line[0])).toEqual(['1', '2', 'E', 'Z', 'T', 'D', 'C', 'Z'])
      expect(await notesOf('few')).toEqual(ALL)
    })

    it('is not gone around by asking for a part of the rows', async () => {
      const lines = await said(
        2,
        parse('', 'DELETE FROM few RETURNING id'),
        bind('p', ''),
        execute('p', 1),
        close('P', 'p'),
        SYNC,
        query('SELECT 1'),
      )
      expect(lines.map((line) => line[0])).toEqual(['1', '2', 'D', 'E', 'Z', 'T', 'D', 'C', 'Z'])
      expect(await notesOf('few')).toEqual(ALL)
    })

    it('lets a limit on rows be where none come back, as JDBC asks for', async () => {
      const lines = await said(1, parse('', 'DELETE FROM few WHERE id < 3'), bind('', ''), execute('', 1), SYNC)
      expect(lines.map((line) => line[0])).toEqual(['1', '2', 'C', 'Z'])
      expect(await notesOf('few')).toEqual({ old: 8 })
    })

    it('undoes what stood before it in the same group', async () => {
      const one = [parse('', 'DELETE FROM few WHERE id = 1'), bind('', ''), execute()]
      await said(1, ...one, parse('', 'DELETE FROM few'), bind('', ''), execute(), SYNC)
      expect(await notesOf('few')).toEqual(ALL)
    })

    it('commits nothing when its client is gone without a Sync', async () => {
      const raw = await RawConnection.loggedIn(through)
      raw.news()
      raw.say(parse('', 'DELETE FROM few WHERE id < 3'), bind('', ''), execute(), flush)
      await raw.until(({ tag }) => tag === 'C')
      raw.end()
      await until(async () => {
        const { rows } = await node.admin.query<{ n: number }>(
          `SELECT count(*)::int AS n FROM pg_stat_activity WHERE usename = '${ROLE}' AND state LIKE 'idle in%'`,
        )
        return rows[0]?.n === 0 || undefined
      })
      expect(await notesOf('few')).toEqual(ALL)
    })
  })

  describe('that does not trip', () => {
    const p = (name: string, sql: string) => message(FRONTEND.parse, cstring(name), cstring(sql), int16(0))
    it.each<[string, number, readonly Buffer[]]>([
      ['a delete with notices', 1, [query('DELETE FROM twin WHERE id < 3')]],
      ['rows that come back', 1, [query("UPDATE twin SET note = 'x' WHERE id < 5 RETURNING id, note")]],
      ['nothing to change', 1, [query('DELETE FROM twin WHERE id > 100')]],
      ['an error', 1, [query("INSERT INTO twin VALUES (1, 1, 'again')")]],
      ['an error at the end of the transaction', 1, [query('UPDATE twin SET parent = 77')]],
      ['the same, prepared', 1, [p('', 'UPDATE twin SET parent = 77'), bind('', ''), describeOf('P'), execute(), SYNC]],
      [
        'several commands',
        1,
        [query("UPDATE twin SET note = 'y' WHERE id = 4; SELECT 1 AS one; DELETE FROM twin WHERE id = 4")],
      ],
      ['several, the last of which fails', 1, [query('DELETE FROM twin WHERE id = 5; SELECT 1/0')]],
      ['several that fail in the end', 1, [query('SELECT 1; UPDATE twin SET parent = 77')]],
      [
        'a block',
        4,
        ['BEGIN', 'DELETE FROM twin WHERE id = 5', 'INSERT INTO twin VALUES (1, 77)', 'COMMIT'].map(query),
      ],
      [
        'a block that fails',
        4,
        ['BEGIN', 'DELETE FROM twin WHERE id = 5', 'UPDATE twin SET parent = 77', 'COMMIT'].map(query),
      ],
      [
        'a group',
        1,
        [
          p('s', 'DELETE FROM twin WHERE id = 6 RETURNING *'),
          describeOf('S', 's'),
          bind('', 's'),
          execute(),
          bind('', 's'),
          execute(),
          SYNC,
        ],
      ],
      ['a savepoint', 5, ['BEGIN', 'SAVEPOINT a', 'UPDATE twin SET id = 1', 'ROLLBACK TO a', 'COMMIT'].map(query)],
      ['what has no right to be', 1, [query('DELETE FROM twin WHERE nothing')]],
      ['a parameter that nobody gives', 1, [query('DELETE FROM twin WHERE id = $1')]],
      ['what follows it', 2, [query('DELETE FROM twin WHERE id = 7'), query('SELECT count(*) FROM twin')]],
    ])('is answered as by the server: %s', async (_, readies, messages) => {
      const heard = async (address: Address) => {
        const raw = await RawConnection.loggedIn(address)
        raw.news()
        raw.say(...messages)
        const lines = await raw.answers(readies)
        raw.end()
        return lines
      }
      const twin = await server.connect('twin')
      await twin.query(ROWS)
      const [expected, found] = [await heard(direct), await heard(through)]
      expect(found).toEqual(expected)
      const rows = 'SELECT * FROM twin ORDER BY id'
      expect((await other.query(rows)).rows).toEqual((await twin.query(rows)).rows)
      await twin.end()
    })
  })
})
