import { mkdirSync, writeFileSync } from 'node:fs'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { Client } from 'pg'
import { installed, startPostgres, type Postgres } from '../corpus/postgres.ts'
import { pythonProgram } from '../clients/runtimes/python.ts'
import { run } from '../support/run.ts'
import { framed, startup } from '../support/wire-bytes.ts'

/*
 * Writes down what real clients and a real server say to each other: recordings/<client>.client.bin and .server.bin,
 * each direction's bytes as they were. Run it again when a client or server of another version should be heard:
 *
 *   node --conditions=source test/fuzz/record.ts
 */

const FOLDER = new URL('recordings/', import.meta.url)

const main = async (): Promise<void> => {
  const [binaries] = installed()
  if (!binaries) throw new Error('no PostgreSQL here')
  const server = await startPostgres(binaries)
  try {
    mkdirSync(FOLDER, { recursive: true })
    for (const [name, talk] of Object.entries(CLIENTS)) await record(name, server, talk)
  } finally {
    await server.stop()
  }
}

const record = async (name: string, server: Postgres, talk: (dsn: string) => Promise<void>): Promise<void> => {
  const relay = await relayTo(server.port)
  await talk(`postgres://postgres@127.0.0.1:${relay.port}/postgres?sslmode=disable&gssencmode=disable`)
  relay.server.close()
  writeFileSync(new URL(`${name}.client.bin`, FOLDER), Buffer.concat(relay.client))
  writeFileSync(new URL(`${name}.server.bin`, FOLDER), Buffer.concat(relay.fromServer))
  console.log(name, Buffer.concat(relay.client).length, Buffer.concat(relay.fromServer).length)
}

interface Relay {
  readonly server: Server
  readonly port: number
  readonly client: Buffer[]
  readonly fromServer: Buffer[]
}

/** Clients one after the other: what they say is one stream. */
const relayTo = async (port: number): Promise<Relay> => {
  const client: Buffer[] = []
  const fromServer: Buffer[] = []
  const pass = (from: Socket, to: Socket, heard: Buffer[]) => {
    from.on('data', (bytes) => {
      heard.push(bytes)
      to.write(bytes)
    })
    from.on('end', () => to.end())
    from.on('error', () => to.destroy())
  }
  const server = createServer((socket) => {
    const upstream = connect(port, '127.0.0.1')
    pass(socket, upstream, client)
    pass(upstream, socket, fromServer)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return { server, port: address.port, client, fromServer }
}

const mustRun = async (program: string, args: readonly string[], input = ''): Promise<void> => {
  const { status, stderr } = await run(program, args, { input })
  if (status !== 0) throw new Error(`${program} ended with ${status}: ${stderr}`)
}

const PSQL_SCRIPT = String.raw`
create table people (id int primary key, name text, born date, tags text[], photo bytea, data jsonb, score numeric);
insert into people values (1, 'Ana', '1990-02-03', '{a,b}', '\xdeadbeef', '{"a": [1, null]}', 1.50), (2, null, null, null, null, null, null);
select * from people order by id;
select id, name as "nämé", 'ö'::text || repeat('x', 300) from people where id > $$0$$;
select from people; select; ;
insert into people values (1, 'twice'); select 1/0; select nonsense; selec 1;
begin; savepoint a; select 1/0; rollback to a; select count(*) from people; commit; rollback;
copy people (id, name) from stdin;
3	Bo
4	\N
\.
copy (select id, name from people order by id) to stdout;
\copy (select 1) to '/dev/null'
do $$ begin raise notice 'hello %', 1 using detail = 'd', hint = 'h'; raise warning 'w'; end $$;
listen here; notify here, 'a payload'; unlisten *;
set datestyle = 'German'; set timezone = 'Europe/Berlin'; show datestyle;
begin; declare c cursor for select generate_series(1, 5); fetch 2 from c; move 1 from c; close c; commit;
prepare p as select $1::int + 1; execute p(4); deallocate p;
explain select * from people; \d people
\gdesc
select 1 as one \gdesc
update people set name = 'X' where id = 1 returning *; delete from people; truncate people; drop table people;
`

const bySql = async (dsn: string): Promise<void> => mustRun('psql', [dsn, '-X', '-q'], PSQL_SCRIPT)

const byPgbench = async (dsn: string): Promise<void> => {
  await mustRun('pgbench', ['-i', '-q', '-s', '1', '--init-steps=dt', dsn])
  await mustRun('psql', [
    dsn,
    '-Xqc',
    'insert into pgbench_branches values (1, 0, null); insert into pgbench_tellers select g, 1, 0, null from generate_series(1, 10) g',
  ])
  for (const mode of ['simple', 'extended', 'prepared']) await mustRun('pgbench', ['-n', '-t', '3', '-M', mode, dsn])
}

const byNodePostgres = async (dsn: string): Promise<void> => {
  const client = new Client(dsn.replace(/\?.*/, ''))
  await client.connect()
  await client.query('select $1::int, $2::text, $3::bytea, $4::text[]', [7, 'é', Buffer.from([0, 1, 255]), ['a', null]])
  for (const value of [1, 2]) await client.query({ name: 'named', text: 'select $1::int8 as n', values: [value] })
  await client.query({ text: 'select generate_series(1, 3)', rowMode: 'array' })
  await client.query('select 1/$1::int', [0]).catch(() => undefined)
  await client.query('select 1; select 2, 3')
  await client.query('select null::int, true, 1.5::float8, now()')
  await client.end()
}

const byPsycopg = async (dsn: string): Promise<void> => {
  const { command, env } = await pythonProgram('psycopg', 'blocking.py')
  const script = `
import psycopg, sys
with psycopg.connect(sys.argv[1], autocommit=True) as c:
    cur = c.cursor(binary=True)
    cur.execute("select %b::int4, %b::text, %b::float8, %b::int4[], %b::timestamptz", (1, "é", 2.5, [1, None, 3], "2020-01-01 00:00+00"))
    cur.fetchall()
    cur.execute("create temp table t (id int, name text)")
    with cur.copy("copy t from stdin (format binary)") as copy:
        copy.set_types(["int4", "text"])
        for i in range(5): copy.write_row((i, "n%d" % i if i else None))
    with cur.copy("copy t to stdout (format binary)") as copy:
        list(copy.rows())
    try:
        with cur.copy("copy t from stdin") as copy:
            copy.write("1\\tx\\n"); raise RuntimeError
    except RuntimeError: pass
    for i in range(8): cur.execute("select id, name from t where id = %s", (i,)); cur.fetchall()
    try:
        with c.pipeline() as p:
            for i in range(4): c.execute("select %s::int", (i,))
            p.sync()
            c.execute("select 1/%s", (0,)); c.execute("select 2"); p.sync()
    except psycopg.Error: pass
    with c.transaction():
        s = c.cursor(name="s"); s.itersize = 2
        s.execute("select id from t order by id"); list(s)
    cur.executemany("insert into t values (%s, %s)", [(i, "m") for i in range(5)])
    for row in cur.stream("select generate_series(1, 4)"): pass
`
  const { status, stderr } = await run(command, ['-c', script, dsn], env ? { env } : {})
  if (status !== 0) throw new Error(stderr)
}

/** What drivers seldom do: part of a result, a description of a statement, names given away, a flush in the middle. */
const byHand = async (dsn: string): Promise<void> => {
  const socket = connect(Number(new URL(dsn).port), '127.0.0.1')
  const text = (...parts: readonly string[]) => Buffer.from(parts.join('\0'), 'latin1')
  const heard = (ending: string) =>
    new Promise<void>((resolve) => {
      const look = (bytes: Buffer) => {
        if (!bytes.toString('latin1').endsWith(ending)) return
        socket.off('data', look)
        resolve()
      }
      socket.on('data', look)
    })
  socket.write(startup({ user: 'postgres', database: 'postgres' }))
  await heard('Z\0\0\0\x05I')
  socket.write(
    Buffer.concat([
      framed('P', text('s', 'select generate_series(1, $1::int)', '\0', '')),
      framed('D', text('Ss', '')),
      framed('B', text('p', 's', '\0\0\0\x01\0\0\0\x015\0\0')),
      framed('E', text('p', '\0\0\0\x02')),
      framed('H', Buffer.alloc(0)),
    ]),
  )
  await heard('s\0\0\0\x04')
  socket.write(
    Buffer.concat([
      framed('E', text('p', '\0\0\0\0')),
      framed('C', text('Pp', '')),
      framed('C', text('Ss', '')),
      framed('S', Buffer.alloc(0)),
    ]),
  )
  await heard('Z\0\0\0\x05I')
  socket.end(framed('X', Buffer.alloc(0)))
  await new Promise((resolve) => socket.once('close', resolve))
}

const CLIENTS: Readonly<Record<string, (dsn: string) => Promise<void>>> = {
  psql: bySql,
  pgbench: byPgbench,
  'node-postgres': byNodePostgres,
  psycopg: byPsycopg,
  'by-hand': byHand,
}

await main()
