/* postgres.js: everything prepared by name and pipelined, several queries on their way at once. */
import { pipeline } from 'node:stream/promises'
import { Readable } from 'node:stream'
import {
  AGENT,
  STATEMENTS,
  Tally,
  WRONG_DATABASE,
  WRONG_TOKEN,
  bytesTold,
  driver,
  fieldsOf,
  once,
  refusal,
  report,
  tellRows,
  withoutSide,
} from '../javascript/report.mjs'

const postgres = driver('postgres')

const FIELDS = {
  severity: 'severity',
  sqlstate: 'code',
  message: 'message',
  detail: 'detail',
  hint: 'hint',
  position: 'position',
  where: 'where',
  schema: 'schema_name',
  table: 'table_name',
  column: 'column_name',
  dataType: 'type_name',
  constraint: 'constraint_name',
}

const refused = (asked) => refusal(asked, FIELDS)

/** One connection, unless said otherwise. */
const withSql = async ({ dsn }, use, options = {}) => {
  const sql = postgres(dsn, { max: 1, onnotice: () => {}, connect_timeout: 10, ...options })
  try {
    return await use(sql)
  } finally {
    await sql.end({ timeout: 5 })
  }
}

const scalarOf = async (asked) => (await asked.values())[0]?.[0] ?? null

// -- who is it

const login = (side) =>
  withSql(side, async (sql) => {
    const one = await scalarOf(sql`select 1`)
    return { one, tls: sql.options.ssl !== undefined && sql.options.ssl !== false }
  })

const refusedLogin = (side) => withSql(side, (sql) => refused(sql`select 1`))

// -- what is read

const tableOf = async (asked) => {
  const rows = await asked.values()
  return { columns: rows.columns.map(({ name }) => name), rows: tellRows([...rows]) }
}

/** A text without parameters is sent by the simple protocol unless it is told not to. */
const UNNAMED = { simple: false }
const PREPARED = { simple: false, prepare: true }

const inEveryMode = async (sql, text) => ({
  simple: await tableOf(sql.unsafe(text).simple()),
  unnamed: await tableOf(sql.unsafe(text, [], UNNAMED)),
  prepared: await tableOf(sql.unsafe(text, [], PREPARED)),
  again: await tableOf(sql.unsafe(text, [], PREPARED)),
})

const masked = (side) =>
  withSql(side, async (sql) => {
    const told = {}
    for (const [name, text] of Object.entries(STATEMENTS.masked)) told[name] = await inEveryMode(sql, text)
    return told
  })

const types = (side) => withSql(side, (sql) => inEveryMode(sql, STATEMENTS.types))

const parameters = (side) =>
  withSql(side, async (sql) => {
    const moment = new Date(Date.UTC(2024, 1, 29, 1, 2, 3, 4))
    const ask = (value) => sql`
      select ${value(7)}::int4, ${value('-1099511627776')}::int8, ${value('12.340')}::numeric, ${value(0.1)}::float8,
        ${value(true)}::bool, ${value("text with 'quotes' and \\")}::text, ${value(Buffer.from([0, 255]))}::bytea,
        ${value('2024-02-29')}::date, ${value(moment)}::timestamptz, ${value([1, 3])}::int4[],
        ${value(['a', 'b,"c"'])}::text[], ${value({ a: [1, null] })}::jsonb, ${value(null)}::text`
    return { values: await tableOf(ask((value) => value)), nothing: await tableOf(ask(() => null)) }
  })

const prepared = (side) =>
  withSql(side, async (sql) => {
    const ask = (each) =>
      sql`select count(*), sum(duration_ms) from events where id between ${each * 10} and ${each * 10 + 9}`
    const told = []
    for (let each = 0; each < 100; each++) told.push(...(await ask(each)))
    await sql.unsafe('discard all').simple()
    // The driver knows by the routine that the error names that it must prepare again.
    const again = await ask(1)
    return { runs: told.length, first: told.slice(0, 3), last: told.at(-1), again: [...again] }
  })

const large = (side) =>
  withSql(side, async (sql) => {
    const tally = new Tally()
    await sql.unsafe(STATEMENTS.large, [], UNNAMED).forEach((row) => tally.add(row))
    return tally.told
  })

const portions = (side) =>
  withSql(side, async (sql) => {
    const sizes = []
    for await (const rows of sql.unsafe(STATEMENTS.portions, [], UNNAMED).cursor(100)) sizes.push(rows.length)
    const some = []
    for await (const rows of sql`select id, city from customers order by id`.cursor(3)) {
      some.push(...rows)
      break
    }
    return { sizes, some, after: await scalarOf(sql`select 1`) }
  })

const manyResults = (side) =>
  withSql(side, async (sql) => {
    const results = await sql
      .unsafe("select 1; select 'two' where false; set client_min_messages to notice; select 3 as n, 'drei'")
      .simple()
    return results.map((result) => [result.command ?? null, result.count ?? null, [...result]])
  })

const errors = (side) =>
  withSql(side, async (sql) => {
    const told = {}
    for (const [name, text] of Object.entries(STATEMENTS.errors)) {
      told[name] = {
        simple: await refused(sql.unsafe(text).simple()),
        extended: await refused(sql.unsafe(text, [], UNNAMED)),
        prepared: await refused(sql.unsafe(text, [], PREPARED)),
      }
    }
    told['bad parameter'] = await refused(sql.unsafe('select $1::text::int', ['not a number']))
    told['still there'] = await scalarOf(sql`select 1`)
    return told
  })

const notices = async (side) => {
  const told = []
  const onnotice = (notice) => told.push(fieldsOf(notice, FIELDS))
  await withSql(
    side,
    async (sql) => {
      for (const text of [...STATEMENTS.notices, STATEMENTS.raised]) await sql.unsafe(text).simple()
    },
    { onnotice },
  )
  return told
}

const temporaryTables = (side) =>
  withSql(side, async (sql) => {
    await sql`create temporary table own (n int, label text)`
    await sql`insert into own ${sql([
      { n: 1, label: 'one' },
      { n: 2, label: 'two' },
    ])}`
    return { count: Number(await scalarOf(sql`select count(*) from own`)), rows: [...(await sql`select * from own`)] }
  })

// -- what is changed

const insertOf = (sql, side, number) =>
  sql`insert into client_scratch values (${side.name}, ${number}, ${`label ${number}`}, ${number / 4}, null)`

const batch = (side) =>
  withSql(side, async (sql) => {
    const results = await Promise.all(Array.from({ length: 500 }, (_, each) => insertOf(sql, side, each + 1)))
    const [, refusedOne] = await Promise.all([
      insertOf(sql, side, 501),
      refused(insertOf(sql, side, 1)),
      insertOf(sql, side, 502),
    ])
    return {
      inserted: results.reduce((sum, { count }) => sum + count, 0),
      refused: withoutSide(refusedOne),
      left: await scalarOf(sql`select count(*)::int from client_scratch where side = ${side.name}`),
    }
  })

/** All on one connection, none waited for before the next is sent, some refused. */
const pipelined = (side) =>
  withSql(side, (sql) =>
    Promise.all(
      Array.from({ length: 200 }, (_, each) =>
        each % 20 === 7
          ? refused(sql`select ${each}::int / 0`)
          : scalarOf(sql`select kind || ${String(each)} from events where id = ${each + 1}`),
      ),
    ),
  )

const transactions = (side) =>
  withSql(side, async (sql) => {
    const count = async () =>
      scalarOf(sql`select count(*)::int from client_scratch where side = ${side.name} and row_no >= 1000`)
    const told = {}
    const add = (on, number) => on`insert into client_scratch (side, row_no) values (${side.name}, ${number})`
    told['failed'] = withoutSide(await refused(sql.begin(async (on) => [await add(on, 1000), await add(on, 1000)])))
    told['rolled back'] = await count()
    await sql.begin(async (on) => {
      await add(on, 1001)
      await on.savepoint(async (inner) => [await add(inner, 1002), await add(inner, 1002)]).catch(() => {})
      await on.savepoint((inner) => add(inner, 1003))
      await add(on, 1004)
    })
    told['savepoints'] = await count()
    // A transaction in which anything failed fails as a whole, even when the failure was caught.
    told.ended = await refused(
      sql.begin(async (on) => {
        told.undefined = (await refused(on`select missing_column from products`)).sqlstate
        told.aborted = await refused(on`select 1`)
      }),
    )
    told['read only'] = await refused(
      sql.begin('isolation level serializable read only', async (on) => {
        told.isolation = await scalarOf(on`show transaction_isolation`)
        await add(on, 1005)
      }),
    )
    return told
  })

const copyOut = (side) =>
  withSql(side, async (sql) => {
    const told = {}
    for (const format of ['text', 'csv', 'binary']) {
      const stream = await sql.unsafe(`copy (${STATEMENTS.copyOut}) to stdout (format ${format})`).readable()
      told[format] = bytesTold(await stream.toArray())
    }
    return told
  })

const LOAD = 'copy client_loads from stdin'

/** Only one that succeeds: the driver never ends one that the server refuses, node or not. */
const copyIn = (side) =>
  withSql(side, async (sql) => {
    const lines = Array.from({ length: 20_000 }, (_, at) => `${side.name}\t${at}\tlabel\t${at / 8}\t2024-01-01\n`)
    await pipeline(Readable.from(lines), await sql.unsafe(LOAD).writable())
    return [...(await sql`select count(*), sum(amount), count(label) from client_loads where side = ${side.name}`)]
  })

// -- what else happens on a connection

/** The driver listens on a connection of its own. */
const notifications = (side) =>
  withSql(side, async (sql) => {
    const heard = []
    await new Promise((resolve, reject) => {
      const hear = (payload) => heard.push(['client_news', payload]) === 2 && resolve()
      sql
        .listen('client_news', hear)
        .then(() => sql.notify('client_news', 'by itself'))
        .then(() => sql`select pg_notify('client_news', ${'with a parameter'})`)
        .catch(reject)
    })
    return { heard }
  })

const cancel = (side) =>
  withSql(side, async (sql) => {
    const running = sql.unsafe(STATEMENTS.endless)
    setTimeout(() => running.cancel(), 500)
    return { refused: await refused(running), after: await scalarOf(sql`select 1`) }
  })

const timeout = (side) =>
  withSql(side, async (sql) => [await refused(sql.unsafe(STATEMENTS.endless)), await scalarOf(sql`select 1`)], {
    connection: { statement_timeout: 200 },
  })

const connections = async (side) => {
  for (let each = 0; each < 50; each++) await withSql(side, (sql) => scalarOf(sql`select 1`))
  const pool = await withSql(
    side,
    (sql) => Promise.all(Array.from({ length: 60 }, (_, each) => scalarOf(sql`select ${each}::int * 2`))),
    { max: 20 },
  )
  return { pool }
}

// -- what is held

const held = () =>
  withSql(AGENT, async (sql) => {
    const scalar = () => scalarOf(sql`select 1`)
    const ask = (query) => once({ run: async () => (await query()).command, scalar, fields: FIELDS })
    return [
      await ask(() => sql`drop table client_doomed_postgres_js`),
      await ask(() => sql`update client_counts set times = times + 1 where client = ${'postgres-js'}`),
    ]
  })

await report({
  about: 'postgres.js',
  compared: {
    login,
    masked,
    types,
    parameters,
    prepared,
    large,
    portions,
    many_results: manyResults,
    errors,
    notices,
    temporary_tables: temporaryTables,
    batch,
    pipelined,
    transactions,
    copy_out: copyOut,
    notifications,
    cancel,
    timeout,
    connections,
  },
  loads: { copy_in: copyIn },
  clear: { login, masked },
  only: { wrong_token: () => refusedLogin(WRONG_TOKEN), wrong_database: () => refusedLogin(WRONG_DATABASE), held },
})
