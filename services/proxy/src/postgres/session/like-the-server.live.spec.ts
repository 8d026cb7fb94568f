import { cstring, FRONTEND, int16, int32, message, query, SYNC } from '@countersign/pgwire'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { installed, startPostgres, type Postgres } from '../../../../../test/corpus/postgres.ts'
import { startAllowAllNode, type AllowAllNode } from '../../../../../test/support/allow-all-node.ts'
import { RawConnection, type Address } from '../testing/raw-connection.ts'
import { bind, close, copyData, copyDone, copyFail, describe as describeOf, execute, flush } from '../testing/wire.ts'

/*
 * Under a policy that allows everything a node is to be told from its server by nothing: the same messages to either,
 * and every message that comes back is the same.
 */

type Talk = (connection: RawConnection) => Promise<readonly string[]>

/** Says all of this at once, and hears so many ReadyForQuery. */
const said =
  (readies: number, ...messages: readonly Buffer[]): Talk =>
  (connection) => {
    connection.say(...messages)
    return connection.answers(readies)
  }

/** One after the other, each when the one before it is answered. */
const inTurn =
  (...talks: readonly Talk[]): Talk =>
  async (connection) => {
    const lines: string[] = []
    for (const talk of talks) lines.push(...(await talk(connection)))
    return lines
  }

/** Says this, and hears up to a message that begins so. */
const upTo =
  (tag: string, ...messages: readonly Buffer[]): Talk =>
  async (connection) => {
    connection.say(...messages)
    await connection.until((told) => told.tag === tag)
    return connection.news()
  }

const q = (sql: string) => said(1, query(sql))

const p = (name: string, sql: string, types: readonly number[] = []) =>
  message(FRONTEND.parse, cstring(name), cstring(sql), int16(types.length), ...types.map(int32))

const INT4 = 23
const TEXT = 25

const call = (oid: number, formats: readonly number[], values: readonly (Buffer | null)[], resultFormat: number) =>
  message(
    FRONTEND.functionCall,
    int32(oid),
    int16(formats.length),
    ...formats.map(int16),
    int16(values.length),
    ...values.flatMap((value) => (value === null ? [int32(-1)] : [int32(value.length), value])),
    int16(resultFormat),
  )

const INT4PL = 177
const TEXTLEN = 1257
const numbered = (count: number) => Array.from({ length: count }, (_, index) => index + 1)

const CONVERSATIONS: Readonly<Record<string, Talk>> = {
  'a simple query': q('select 1 as a, null as b, $$x$$::text as c'),
  'several commands in one text': q('select 1; select 2; create temp table z (a int); select 3'),
  'nothing at all': inTurn(q(''), q(' -- nothing'), q(';')),
  'an error among several commands': inTurn(q('select 1; select 1/0; select 2'), q('select 3')),
  'a syntax error': inTurn(q('selekt 1'), q('select from where'), q("select 'abc"), q('select 1 $$')),
  'names that are not there': inTurn(
    q('select nothing from t1'),
    q('select * from nowhere'),
    q('select nofunction(1)'),
  ),
  'a transaction that fails': inTurn(
    q('begin'),
    q('insert into t1 values (100, $$x$$)'),
    q('select 1/0'),
    q('select 1'),
    q('commit'),
    q('select count(*) from t1'),
  ),
  'a syntax error in a transaction': inTurn(q('begin'), q('selekt'), q('select 1'), q('rollback')),
  savepoints: inTurn(
    q('begin; savepoint a; insert into t1 values (101, null); savepoint b'),
    q('select 1/0'),
    q('rollback to b; release a; commit'),
    q('select count(*) from t1'),
    q('delete from t1 where id > 50'),
  ),
  'changes of rows': inTurn(
    q("insert into t1 values (60, 'sixty') returning id, name"),
    q("update t1 set name = 'x' where id = 60"),
    q('insert into t1 values (60, null)'),
    q('delete from t1 where id = 60 returning *'),
    q('insert into t1 values (null, $$a@example.com$$)'),
  ),
  'notices and warnings': inTurn(
    q("do $$ begin raise notice 'n %', 1; raise warning 'mail a@example.com'; end $$"),
    q('drop table if exists nowhere'),
    q('rollback'),
    q("do $$ begin raise exception 'x' using detail = 'd', hint = 'h', errcode = 'ZZ123', table = 't1'; end $$"),
  ),
  'settings that are reported': inTurn(
    q("set timezone = 'Asia/Tokyo'"),
    q("set datestyle = 'SQL, DMY'; set application_name = 'mine'"),
    q('begin; set local timezone = 0; rollback'),
    q('reset timezone; reset datestyle'),
    q('show timezone'),
  ),
  'one statement of the extended protocol': said(
    1,
    p('', 'select $1::int + 1 as a, $2::text as b', [INT4, 0]),
    bind('', '', { parameters: ['41', null] }),
    describeOf('P'),
    execute(),
    SYNC,
  ),
  'binary parameters and results': said(
    1,
    p('', 'select $1::int4 as a, $2::text as b'),
    bind('', '', { parameters: ['\u0000\u0000\u0001\u0002', 'text'], parameterFormats: [1, 0], resultFormats: [1] }),
    describeOf('P'),
    execute(),
    SYNC,
  ),
  'what was prepared before and behind code that could have replaced it': inTurn(
    q('begin'),
    said(1, p('one', 'select 1'), SYNC),
    q("do $$ begin execute 'select 1'; end $$"),
    said(1, p('two', 'end'), SYNC),
    said(1, bind('', 'two'), execute(), SYNC),
    said(1, bind('', 'one'), execute(), SYNC),
    q('begin'),
    q("do $$ begin execute 'select 1'; end $$"),
    said(1, close('S', 'one'), p('one', 'rollback'), SYNC),
    said(1, bind('', 'one'), execute(), SYNC),
    said(1, bind('', 'two'), execute(), SYNC),
    said(1, close('S', 'two'), p('three', 'select 3'), SYNC),
    q("do $$ begin execute 'select 1'; end $$"),
    said(1, bind('', 'one'), execute(), SYNC),
    said(1, bind('', 'three'), execute(), SYNC),
  ),
  'as many parameters as there can be': said(
    2,
    p('', `select cardinality(array[${numbered(65_535).map((n) => `$${n}`)}]::int[])`),
    bind('', '', { parameters: numbered(65_535).map(String) }),
    execute(),
    SYNC,
    bind('', '', { parameters: numbered(65_534).map(String) }),
    SYNC,
  ),
  'a bad binary parameter': said(
    1,
    p('', 'select $1::int4'),
    bind('', '', { parameters: ['abc'], parameterFormats: [1] }),
    execute(),
    SYNC,
  ),
  'a bad text parameter': said(1, p('', 'select $1::int4'), bind('', '', { parameters: ['abc'] }), execute(), SYNC),
  'too few and too many parameters': said(
    2,
    p('', 'select $1::int4'),
    bind('', ''),
    execute(),
    SYNC,
    bind('', '', { parameters: ['1', '2'] }),
    execute(),
    SYNC,
  ),
  'a wrong number of formats': said(
    2,
    p('', 'select $1::int4, $2::int4'),
    bind('', '', { parameters: ['1', '2'], parameterFormats: [0, 0, 0] }),
    SYNC,
    bind('', '', { parameters: ['1', '2'], resultFormats: [0, 0, 0] }),
    SYNC,
  ),
  'named statements and portals': inTurn(
    said(1, p('s1', 'select id, name from t1 where id >= $1 order by id', [INT4]), describeOf('S', 's1'), SYNC),
    said(1, bind('p1', 's1', { parameters: ['2'] }), describeOf('P', 'p1'), execute('p1'), SYNC),
    said(1, execute('p1'), SYNC),
    said(1, p('s1', 'select 2'), SYNC),
    said(1, close('S', 's1'), close('S', 'never'), close('P', 'never'), SYNC),
    said(1, bind('', 's1', { parameters: ['2'] }), SYNC),
    said(1, p('s1', 'select 2'), describeOf('S', 's1'), SYNC),
    q('deallocate s1'),
    said(1, describeOf('S', 's1'), SYNC),
  ),
  'statements prepared in SQL and by message': inTurn(
    q('prepare s2 (int) as select $1 + 1 as n'),
    said(1, describeOf('S', 's2'), bind('', 's2', { parameters: ['5'] }), execute(), SYNC),
    said(1, p('s3', 'select 7 as n'), SYNC),
    q('execute s3'),
    q('deallocate all'),
    q('execute s3'),
  ),
  'the unnamed statement replaced': inTurn(
    said(1, p('', 'select 1 as one'), p('', 'select 2 as two'), bind('', ''), execute(), SYNC),
    said(1, bind('', ''), describeOf('P'), execute(), SYNC),
    said(1, p('', 'selekt'), SYNC),
    said(1, bind('', ''), execute(), SYNC),
    said(1, p('', 'select 3 as three'), SYNC),
    q('select 4'),
    said(1, bind('', ''), execute(), SYNC),
  ),
  'a portal in pieces': inTurn(
    q('begin'),
    said(1, p('', 'select id from t1 order by id'), bind('c', ''), execute('c', 2), SYNC),
    said(1, execute('c', 2), execute('c', 1), SYNC),
    said(1, execute('c', 0), execute('c', 0), SYNC),
    q('commit'),
    said(1, execute('c', 1), SYNC),
  ),
  'a portal outside a transaction': said(
    2,
    p('', 'select id from t1 order by id'),
    bind('c', ''),
    execute('c', 1),
    SYNC,
    execute('c', 1),
    SYNC,
  ),
  'a change in pieces': said(
    1,
    p('', 'insert into t2 select g from generate_series(1, 5) g returning *'),
    bind('', ''),
    execute('', 2),
    execute('', 2),
    execute('', 2),
    SYNC,
  ),
  'a pipeline with errors in the middle': said(
    4,
    p('', 'select 1'),
    bind('', ''),
    execute(),
    SYNC,
    p('', 'select 1/0'),
    bind('', ''),
    execute(),
    p('', 'select 2'),
    bind('', ''),
    execute(),
    SYNC,
    p('', 'selekt'),
    bind('', ''),
    describeOf('P'),
    execute(),
    SYNC,
    p('', 'select 3 as n'),
    bind('', ''),
    describeOf('P'),
    execute(),
    SYNC,
  ),
  'a pipeline that undoes its changes': inTurn(
    said(
      1,
      p('', 'insert into t2 values (77)'),
      bind('', ''),
      execute(),
      p('', 'insert into t2 values ($1::int)'),
      bind('', '', { parameters: ['x'] }),
      execute(),
      SYNC,
    ),
    q('select count(*) from t2 where a = 77'),
  ),
  'answers asked for by Flush': inTurn(
    upTo('t', p('f', 'select $1::text', [TEXT]), describeOf('S', 'f'), flush),
    upTo('C', bind('', 'f', { parameters: ['x'] }), execute(), flush),
    upTo('E', bind('', 'nope'), flush),
    said(1, execute(), flush, SYNC),
  ),
  'simple queries behind a group that is only described, as asyncpg does it: each is committed by itself': inTurn(
    q('create table described (n int)'),
    upTo('n', p('d', 'insert into described values (1)'), describeOf('S', 'd'), flush),
    q('insert into described values (2)'),
    q('drop table described'),
    q("select to_regclass('described')"),
    q('rollback'),
    q("select to_regclass('described')"),
    said(1, SYNC),
  ),
  'a portal that SQL moves and fetches from': inTurn(
    q('begin'),
    said(1, p('', 'select generate_series(0, 100)'), bind('moved', ''), SYNC),
    q('move forward 42 in moved'),
    said(1, execute('moved', 1), SYNC),
    q('fetch 2 from moved'),
    said(1, execute('moved', 2), SYNC),
    q('close moved'),
    said(1, execute('moved'), SYNC),
    q('rollback'),
  ),
  'a simple query in the middle of a group': said(
    2,
    p('', 'select 1'),
    bind('', ''),
    execute(),
    query('select 2'),
    execute(),
    SYNC,
  ),
  'what is not there': said(
    4,
    bind('', 'nope'),
    SYNC,
    execute('nope'),
    SYNC,
    describeOf('P', 'nope'),
    SYNC,
    describeOf('S', 'nope'),
    SYNC,
  ),
  'an empty statement': said(1, p('', ''), bind('', ''), describeOf('P'), execute(), SYNC),
  'several commands in a prepared text': said(1, p('', 'select 1; select 2'), SYNC),
  'a parameter whose type nobody knows': said(1, p('', 'select $1'), describeOf('S'), SYNC),
  'a declared type that does not fit': said(1, p('', 'select $1 || 1', [600]), describeOf('S'), SYNC),
  'transaction control by message': said(
    3,
    p('', 'begin'),
    bind('', ''),
    execute(),
    SYNC,
    p('', 'select 1/0'),
    bind('', ''),
    execute(),
    SYNC,
    p('', 'rollback'),
    bind('', ''),
    execute(),
    SYNC,
  ),
  'COPY out, in each format': inTurn(
    q('copy t1 to stdout'),
    q("copy t1 to stdout (format csv, header, null '-')"),
    q('copy (select id, name from t1 order by id) to stdout (format binary)'),
    said(1, p('', 'copy t1 to stdout'), bind('', ''), describeOf('P'), execute(), SYNC),
    q('copy nowhere to stdout'),
  ),
  'COPY in, in each format': inTurn(
    upTo('G', query('copy t2 from stdin')),
    said(1, copyData('1\n2\n'), copyData('3\n\\N\n'), copyDone),
    upTo('G', query('copy t2 from stdin (format csv, header)')),
    said(1, copyData('a\n4\n'), copyDone),
    upTo('G', query('copy t2 from stdin (format binary)')),
    said(1, copyData('nothing that is binary'), copyDone),
    q('select count(*) from t2 where a < 10'),
  ),
  'COPY in that fails': inTurn(
    upTo('G', query('copy t2 from stdin')),
    said(1, copyData('5\n'), copyFail('the client says no')),
    upTo('G', query('copy t2 from stdin')),
    said(1, copyData('5\nnot a number\n'), copyData('6\n'), copyDone),
    q('select 1'),
    said(1, copyDone, copyFail('late'), copyData('late'), query('select 2')),
  ),
  'COPY in by message': inTurn(
    upTo('G', p('', 'copy t2 from stdin'), bind('', ''), execute(), flush),
    said(1, copyData('8\n'), copyDone, SYNC),
    said(1, p('', 'copy t2 from stdin'), bind('', ''), execute(), SYNC, copyData('9\n'), copyDone, SYNC),
    upTo('G', p('', 'copy t2 from stdin'), bind('', ''), execute(), flush),
    said(1, copyFail('no'), SYNC),
  ),
  'several COPY in one text': inTurn(
    upTo('G', query('copy t2 from stdin; select 1; copy t2 from stdin')),
    upTo('G', copyData('10\n'), copyDone),
    said(1, copyData('11\n'), copyDone),
  ),
  cursors: inTurn(
    q('begin; declare c cursor for select id from t1 order by id'),
    q('fetch 2 from c'),
    q('move 1 in c'),
    said(1, describeOf('P', 'c'), SYNC),
    q('fetch all from c; close c; fetch c'),
    q('rollback'),
    q('fetch c'),
    q('declare h cursor with hold for select id, name from t1 order by id'),
    q('fetch 1 from h'),
    q('close all'),
  ),
  'a cursor executed by message': inTurn(
    q('begin; declare c cursor for select id, name from t1 order by id'),
    said(1, describeOf('P', 'c'), execute('c', 1), SYNC),
    said(1, execute('c', 0), SYNC),
    said(1, close('P', 'c'), SYNC),
    q('fetch c'),
    q('rollback'),
  ),
  'a portal fetched by SQL': inTurn(
    q('begin'),
    said(1, p('', 'select id from t1 order by id'), bind('c', ''), SYNC),
    q('fetch 2 from c'),
    said(1, execute('c', 1), SYNC),
    q('close c'),
    said(1, execute('c', 1), SYNC),
    q('rollback'),
  ),
  'functions called by number': inTurn(
    said(1, call(INT4PL, [1], [int32(40), int32(2)], 1)),
    said(1, call(INT4PL, [], [Buffer.from('40'), Buffer.from('2')], 0)),
    said(1, call(INT4PL, [1, 0], [int32(40), Buffer.from('3')], 0)),
    said(1, call(INT4PL, [1], [int32(40), null], 1)),
    said(1, call(TEXTLEN, [0], [Buffer.from('hällo')], 0)),
    said(1, call(INT4PL, [1], [int32(40)], 1)),
    said(1, call(INT4PL, [1, 1, 1], [int32(40), int32(40)], 1)),
    said(1, call(INT4PL, [1], [int32(40), Buffer.from('abc')], 1)),
    said(1, call(INT4PL, [1], [int32(0x7fffffff), int32(1)], 1)),
    said(1, call(99_999_999, [], [], 0)),
  ),
  'functions called in a transaction': inTurn(
    q('begin'),
    said(1, call(INT4PL, [1], [int32(1), int32(2)], 1)),
    said(1, call(INT4PL, [1], [int32(0x7fffffff), int32(1)], 1)),
    said(1, call(INT4PL, [1], [int32(1), int32(2)], 1)),
    q('rollback'),
  ),
  'a function called between messages of a group': said(
    2,
    p('', 'select 1'),
    bind('', ''),
    execute(),
    call(INT4PL, [1], [int32(1), int32(2)], 1),
    SYNC,
  ),
  'large objects': inTurn(
    q('begin'),
    q("select lo_create(4711), lo_put(4711, 0, 'large')"),
    said(1, call(952, [1], [int32(4711), int32(0x60000)], 1)), // lo_open
    said(1, call(954, [1], [int32(0), int32(3)], 1)), // loread
    said(1, call(955, [1], [int32(0), Buffer.from('X')], 1)), // lowrite
    said(1, call(953, [1], [int32(0)], 1)), // lo_close
    q('select lo_get(4711), lo_unlink(4711)'),
    q('commit'),
  ),
  'notifications of one’s own': inTurn(
    q('listen ch'),
    q("notify ch, 'one'"),
    q("begin; notify ch, 'two'; select pg_notify('ch', 'three'); commit"),
    said(1, p('', "notify ch, 'four'"), bind('', ''), execute(), p('', 'select 1'), bind('', ''), execute(), SYNC),
    q("begin; notify ch, 'never'; rollback"),
    q('unlisten *'),
    q("notify ch, 'unheard'"),
  ),
  'texts in other alphabets': inTurn(
    q("select 'Zażółć 日本語 🐘' as \"Größe\", length('🐘')"),
    q("select 'Zażółć' + größe"),
  ),
  'a message that nobody knows': async (connection) => {
    connection.say(message('y'.charCodeAt(0)))
    await connection.closed()
    return connection.news().map((line) => line.slice(0, 40).replace(/ C:.*/, ''))
  },
}

const SETUP = `
  create table t1 (id int primary key, name text);
  insert into t1 values (1, 'one'), (2, 'two'), (3, null), (4, 'four@example.com');
  create table t2 (a int)`

describe.each(installed())('a node before $label', (binaries) => {
  let server: Postgres
  let node: AllowAllNode
  let direct: Address
  let through: Address

  beforeAll(async () => {
    server = await startPostgres(binaries)
    const admin = await server.connect('postgres')
    for (const name of ['direct', 'through']) await admin.query(`create database ${name}`)
    await admin.end()
    for (const name of ['direct', 'through']) {
      const client = await server.connect(name)
      await client.query(SETUP)
      await client.end()
    }
    node = await startAllowAllNode({ port: server.port, database: 'through', role: 'postgres' })
    direct = { port: server.port, user: 'postgres', password: '', database: 'direct' }
    through = { port: node.port, user: 'postgres', password: node.token, database: 'through' }
  })
  afterAll(async () => {
    await node?.stop()
    await server?.stop()
  })

  it.each(Object.entries(CONVERSATIONS))('answers like it: %s', async (_, talk) => {
    const [expected, found] = [await heard(direct, talk), await heard(through, talk)]
    expect(found).toEqual(expected)
    expect(expected.length).toBeGreaterThan(0)
  })
})

const heard = async (address: Address, talk: Talk): Promise<readonly string[]> => {
  const connection = await RawConnection.loggedIn(address)
  connection.news()
  try {
    return await talk(connection)
  } finally {
    connection.end()
  }
}
