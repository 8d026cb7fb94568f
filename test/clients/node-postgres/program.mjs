/* node-postgres: the simple protocol by default, the extended one with parameters, names or cursors. */
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
  tell,
  tellRows,
  withoutSide,
} from '../javascript/report.mjs'

const { Client, Pool } = driver('pg')
const Cursor = driver('pg-cursor')
const QueryStream = driver('pg-query-stream')
const copies = driver('pg-copy-streams')

const FIELDS = {
  severity: 'severity',
  sqlstate: 'code',
  message: 'message',
  detail: 'detail',
  hint: 'hint',
  position: 'position',
  internalPosition: 'internalPosition',
  internalQuery: 'internalQuery',
  where: 'where',
  schema: 'schema',
  table: 'table',
  column: 'column',
  dataType: 'dataType',
  constraint: 'constraint',
}

const withClient = async ({ dsn }, use, options = {}) => {
  const client = new Client({ connectionString: dsn, ...options })
  client.on('error', () => {})
  await client.connect()
  try {
    return await use(client)
  } finally {
    await client.end()
  }
}

const scalarOf = async (client, text, values) =>
  (await client.query({ text, values, rowMode: 'array' })).rows[0]?.[0] ?? null

const refused = (asked) => refusal(asked, FIELDS)

// -- who is it

const login = (side) =>
  withClient(side, async (client) => ({
    one: await scalarOf(client, 'select 1'),
    tls: client.connection.stream.encrypted === true,
  }))

const refusedLogin = ({ dsn }) => refused(new Client({ connectionString: dsn }).connect())

// -- what is read

/** Every way of asking, by what it adds to the query. Its binary results fail in the driver itself, node or not. */
const MODES = {
  simple: () => ({}),
  extended: () => ({ queryMode: 'extended' }),
  named: (name) => ({ name: `named ${name}` }),
}

const tableOf = async (client, text, mode) => {
  const { fields, rows } = await client.query({ text, rowMode: 'array', ...mode })
  return { columns: fields.map(({ name }) => name), rows: tellRows(rows) }
}

const inEveryMode = async (client, name, text) => {
  const told = {}
  for (const [mode, options] of Object.entries(MODES)) {
    for (let time = 0; time < 2; time++) told[mode] = await tableOf(client, text, options(name))
  }
  return told
}

const masked = (side) =>
  withClient(side, async (client) => {
    const told = {}
    for (const [name, text] of Object.entries(STATEMENTS.masked)) told[name] = await inEveryMode(client, name, text)
    return told
  })

const types = (side) => withClient(side, (client) => inEveryMode(client, 'types', STATEMENTS.types))

const VALUES = {
  int4: 7,
  int8: -(2 ** 40),
  numeric: '12.340',
  float8: 0.1,
  bool: true,
  text: "text with 'quotes' and \\",
  bytea: Buffer.from([0, 255]),
  varchar: null,
  date: '2024-02-29',
  timestamptz: new Date(Date.UTC(2024, 1, 29, 1, 2, 3, 4)),
  uuid: '00000000-0000-0000-0000-000000000007',
  'int4[]': [1, null, 3],
  'text[]': ['a', 'b,"c"'],
  jsonb: { a: [1, null] },
  client_mood: 'calm',
}

const parameters = (side) =>
  withClient(side, async (client) => {
    const text = `select ${Object.keys(VALUES).map((type, at) => `$${at + 1}::${type}`)}`
    const ask = (values) => client.query({ text, values, rowMode: 'array' })
    const values = Object.values(VALUES)
    return {
      values: tellRows((await ask(values)).rows),
      nothing: tellRows((await ask(values.map(() => null))).rows),
    }
  })

const prepared = (side) =>
  withClient(side, async (client) => {
    const text = 'select count(*), sum(duration_ms) from events where id between $1 and $2'
    const told = []
    for (let each = 0; each < 100; each++) {
      const { rows } = await client.query({ name: 'counted', text, values: [each * 10, each * 10 + 9] })
      told.push(rows[0])
    }
    await client.query('deallocate counted')
    const gone = await refused(client.query({ name: 'counted', text, values: [1, 2] }))
    return { runs: told.length, first: told.slice(0, 3), last: told.at(-1), gone }
  })

const large = (side) =>
  withClient(side, async (client) => {
    const tally = new Tally()
    for await (const row of client.query(new QueryStream(STATEMENTS.large, [], { batchSize: 1_000 }))) tally.add(row)
    return tally.told
  })

const portions = (side) =>
  withClient(side, async (client) => {
    const sizes = []
    const cursor = client.query(new Cursor(STATEMENTS.portions))
    for (;;) {
      const { length } = await cursor.read(100)
      if (length === 0) break
      sizes.push(length)
    }
    await cursor.close()
    const abandoned = client.query(new Cursor('select id, city from customers order by id'))
    const some = await abandoned.read(3)
    await abandoned.close()
    return { sizes, some, after: await scalarOf(client, 'select 1') }
  })

const manyResults = (side) =>
  withClient(side, async (client) => {
    const text = "select 1; select 'two' where false; set client_min_messages to notice; select 3, 'drei'"
    const results = await client.query({ text, rowMode: 'array' })
    const empty = await client.query('-- nothing')
    return { results: results.map(({ command, rowCount, rows }) => [command, rowCount, rows]), empty: empty.rows }
  })

const errors = (side) =>
  withClient(side, async (client) => {
    const told = {}
    for (const [name, text] of Object.entries(STATEMENTS.errors)) {
      told[name] = {
        simple: await refused(client.query(text)),
        extended: await refused(client.query({ text, queryMode: 'extended' })),
        named: await refused(client.query({ text, name: `failing ${name}` })),
      }
    }
    told['bad parameter'] = await refused(client.query('select $1::int', ['not a number']))
    told['still there'] = await scalarOf(client, 'select 1')
    return told
  })

const notices = (side) =>
  withClient(side, async (client) => {
    const told = []
    client.on('notice', (notice) => told.push(fieldsOf(notice, FIELDS)))
    for (const text of [...STATEMENTS.notices, STATEMENTS.raised]) await client.query(text)
    return told
  })

const temporaryTables = (side) =>
  withClient(side, async (client) => {
    await client.query('create temporary table own (n int, label text)')
    await client.query('insert into own values ($1, $2), (2, $3)', [1, 'one', 'two'])
    const count = Number(await scalarOf(client, 'select count(*) from own'))
    return { count, rows: (await client.query('select * from own order by n')).rows }
  })

// -- what is changed

const INSERT = 'insert into client_scratch values ($1, $2, $3, $4, $5)'

/** Queries that are not waited for stand in a row in the driver. */
const batch = (side) =>
  withClient(side, async (client) => {
    const insert = (number) =>
      client.query({ name: 'insert', text: INSERT, values: [side.name, number, `label ${number}`, number / 4, null] })
    const results = await Promise.all(Array.from({ length: 500 }, (_, each) => insert(each + 1)))
    const broken = [insert(501), refused(insert(1)), insert(502)]
    const [, refusedOne] = await Promise.all(broken)
    return {
      inserted: results.reduce((sum, { rowCount }) => sum + rowCount, 0),
      refused: withoutSide(refusedOne),
      left: await scalarOf(client, 'select count(*) from client_scratch where side = $1', [side.name]),
    }
  })

const transactions = (side) =>
  withClient(side, async (client) => {
    const add = (number) =>
      client.query('insert into client_scratch (side, row_no) values ($1, $2)', [side.name, number])
    const count = async () =>
      Number(
        await scalarOf(client, 'select count(*) from client_scratch where side = $1 and row_no >= 1000', [side.name]),
      )
    const told = {}
    await client.query('begin')
    await add(1000)
    await client.query('rollback')
    told['rolled back'] = await count()
    await client.query('begin')
    await add(1001)
    await client.query('savepoint here')
    told['failed inside'] = withoutSide(await refused(add(1001)))
    await client.query('rollback to savepoint here')
    await add(1002)
    await client.query('release here')
    await add(1003)
    await client.query('commit')
    told['savepoints'] = await count()
    await client.query('begin')
    told.undefined = (await refused(client.query('select missing_column from products'))).sqlstate
    told.aborted = await refused(client.query('select 1'))
    told.ended = (await client.query('commit')).command
    await client.query('begin isolation level serializable read only')
    told.isolation = await scalarOf(client, 'show transaction_isolation')
    told['read only'] = await refused(add(1005))
    await client.query('rollback')
    return told
  })

const copyOut = (side) =>
  withClient(side, async (client) => {
    const told = {}
    for (const format of ['text', 'csv', 'binary']) {
      const stream = client.query(copies.to(`copy (${STATEMENTS.copyOut}) to stdout (format ${format})`))
      told[format] = { ...bytesTold(await stream.toArray()), rows: stream.rowCount }
    }
    return told
  })

const LOAD = 'copy client_loads from stdin'

const copyIn = (side) =>
  withClient(side, async (client) => {
    const lines = Array.from({ length: 20_000 }, (_, at) => `${side.name}\t${at}\tlabel\t${at / 8}\t2024-01-01\n`)
    const loading = client.query(copies.from(LOAD))
    await pipeline(Readable.from(lines), loading)
    const bad = await refused(
      pipeline(Readable.from(['side\tnot a number\tlabel\t1\t2024-01-01\n']), client.query(copies.from(LOAD))),
    )
    const text = 'select count(*), sum(amount), count(label) from client_loads where side = $1'
    return { rows: loading.rowCount, bad, found: (await client.query(text, [side.name])).rows }
  })

// -- what else happens on a connection

const notifications = (side) =>
  withClient(side, (listener) =>
    withClient(side, async (speaker) => {
      const heard = []
      const both = new Promise((resolve) => {
        listener.on('notification', ({ channel, payload }) => heard.push([channel, payload]) === 2 && resolve())
      })
      await listener.query('listen client_news')
      await speaker.query("notify client_news, 'by itself'")
      await speaker.query('select pg_notify($1, $2)', ['client_news', 'with a parameter'])
      await both
      return { heard }
    }),
  )

const cancel = (side) =>
  withClient(side, async (client) => {
    // The driver's way of cancelling: another client that is never connected otherwise, always in clear.
    const running = client.query(STATEMENTS.endless)
    const { activeQuery } = client
    setTimeout(() => new Client({ connectionString: side.dsn }).cancel(client, activeQuery), 500)
    return { refused: await refused(running), after: await scalarOf(client, 'select 1') }
  })

const timeout = (side) =>
  withClient(
    side,
    async (client) => [await refused(client.query(STATEMENTS.endless)), await scalarOf(client, 'select 1')],
    { statement_timeout: 200, idle_in_transaction_session_timeout: 60_000 },
  )

const connections = async (side) => {
  for (let each = 0; each < 50; each++) await withClient(side, (client) => scalarOf(client, 'select 1'))
  const both = await withClient(side, (one) =>
    withClient(side, async (other) => {
      await one.query("set timezone = 'Asia/Tokyo'")
      return [await scalarOf(one, 'show timezone'), await scalarOf(other, 'show timezone')]
    }),
  )
  const pool = new Pool({ connectionString: side.dsn, max: 20 })
  const asked = Array.from({ length: 60 }, (_, each) => pool.query('select $1::int * 2 as twice', [each]))
  const answers = (await Promise.all(asked)).map(({ rows }) => rows[0].twice)
  await pool.end()
  return { both, pool: answers }
}

// -- what is held

const held = () =>
  withClient(AGENT, async (client) => {
    const scalar = () => scalarOf(client, 'select 1')
    const ask = (text, values) =>
      once({ run: async () => tell((await client.query(text, values)).command), scalar, fields: FIELDS })
    return [
      await ask('drop table client_doomed_node_postgres'),
      await ask('update client_counts set times = times + 1 where client = $1', ['node-postgres']),
    ]
  })

await report({
  about: `node-postgres ${driver('pg/package.json').version}`,
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
