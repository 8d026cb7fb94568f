/* psql: scripts read from its input, so that errors, notices and results of one connection stand in one place. */
import { spawn } from 'node:child_process'
import { once as event } from 'node:events'
import {
  AGENT,
  STATEMENTS,
  WRONG_DATABASE,
  WRONG_TOKEN,
  bytesTold,
  digestOf,
  once,
  report,
  tell,
} from '../javascript/report.mjs'

/** Runs a script. Verbose errors leave nothing out that the server said, not even where in its source. */
const psql = async ({ dsn }, script, { options = [], interruptAfterMs } = {}) => {
  const child = spawn('psql', [dsn, '-X', '-v', 'VERBOSITY=verbose', ...options])
  const [out, errors] = [[], []]
  child.stdout.on('data', (bytes) => out.push(bytes))
  child.stderr.on('data', (bytes) => errors.push(bytes))
  child.stdin.on('error', () => {})
  child.stdin.end(typeof script === 'string' ? script : script.join('\n'))
  if (interruptAfterMs) setTimeout(() => child.kill('SIGINT'), interruptAfterMs)
  const [status] = await event(child, 'close')
  return { status, bytes: out, out: String(Buffer.concat(out)), said: String(Buffer.concat(errors)) }
}

/** What a script printed, and what it was told beside. */
const told = async (side, script, options) => {
  const { status, out, said } = await psql(side, script, options)
  return { status, out: out.split('\n'), said: said.split('\n') }
}

/** Separators that stand in no value. */
const UNALIGNED = ['-A', '-F', '\u001f', '-R', '\u001e', '-P', 'footer=off', '-P', 'null=\u001d']
const NULL = '\u001d'

const linesOf = (text) => text.split('\n').slice(0, -1)

// -- who is it

const login = async (side) => {
  const { out } = await psql(side, ['\\conninfo', 'select 1 as one \\gset', '\\echo :one'])
  return { one: Number(linesOf(out).at(-1)), tls: out.includes('SSL connection') }
}

const refusedLogin = async (side) => {
  const { status, said } = await psql(side, 'select 1')
  if (status !== 2) throw new Error('it was let in')
  return { message: said }
}

// -- what is read

const DOCUMENTS = ['profile', 'contact']

const cellOf = (text, column) => {
  if (text === NULL) return null
  return DOCUMENTS.includes(column) ? tell(JSON.parse(text)) : ['text', text]
}

const tableOf = async (side, query, options) => {
  const { out, said } = await psql(side, `${query};`, { options: [...UNALIGNED, ...options] })
  if (said) throw new Error(said)
  const [header, ...records] = out
    .replace(/\n$/, '')
    .split('\u001e')
    .map((record) => record.split('\u001f'))
  return { columns: header, rows: records.map((record) => record.map((text, at) => cellOf(text, header[at]))) }
}

/** At once, and in portions, for which psql puts a cursor around the query. */
const inEveryMode = async (side, query) => ({
  'at once': await tableOf(side, query, []),
  'in portions': await tableOf(side, query, ['-v', 'FETCH_COUNT=2']),
})

const masked = async (side) => {
  const seen = {}
  for (const [name, query] of Object.entries(STATEMENTS.masked)) seen[name] = await inEveryMode(side, query)
  return seen
}

const types = async (side) => ({
  ...(await inEveryMode(side, STATEMENTS.types)),
  described: await told(side, `${STATEMENTS.types} \\gdesc`),
})

const prepared = async (side) => {
  const statement =
    'prepare counted (int) as select count(*), sum(duration_ms) from events where id between $1 and $1 + 9;'
  const asked = Array.from({ length: 60 }, (_, each) => `execute counted (${each * 10});`)
  const { out } = await psql(side, [statement, ...asked, 'deallocate counted;'], { options: ['-A', '-t'] })
  const lines = linesOf(out)
  return { runs: lines.length - 2, first: lines.slice(0, 4), last: lines.slice(-2) }
}

const variables = (side) =>
  told(side, [
    "\\set text 'with ''quotes'' and more'",
    "select :'text' as text, :'text'::bytea as bytes;",
    'select id, kind from events where id = 7 \\gset event_',
    '\\echo :event_id :event_kind',
    'select n, m, n * m as product from generate_series(1, 3) n, generate_series(1, 3) m \\crosstabview',
    "select 'select ' || n || ' as n' from generate_series(1, 3) n \\gexec",
  ])

const temporaryTables = async (side) => {
  const script = [
    'create temporary table own (n int, label text);',
    "insert into own values (1, 'one'), (2, 'two');",
    'select count(*) from own;',
    'select * from own order by n;',
  ]
  const { out } = await psql(side, script, { options: ['-A', '-t', '-q'] })
  const [count, ...rows] = linesOf(out)
  return { count: Number(count), rows }
}

const large = async (side) => {
  const atOnce = await psql(side, `${STATEMENTS.large};`, { options: ['-A', '-t'] })
  const inPortions = await psql(side, `${STATEMENTS.large};`, { options: ['-A', '-t', '-v', 'FETCH_COUNT=1000'] })
  const [one, other] = [atOnce, inPortions].map(({ out }) => ({ rows: linesOf(out).length, digest: digestOf(out) }))
  return { ...one, inPortions: other }
}

const portions = async (side) => {
  const fetches = Array.from({ length: 11 }, () => 'fetch 100 from parts;')
  const script = ['begin;', `declare parts cursor for ${STATEMENTS.portions};`, ...fetches, 'commit;']
  const { out } = await psql(side, script, { options: ['-A'] })
  return { sizes: [...out.matchAll(/^\((\d+) rows\)$/gm)].map(([, rows]) => Number(rows)), digest: digestOf(out) }
}

const manyResults = async (side) => {
  const text = "select 1; select 'two', 2 where false; set client_min_messages to notice; select 3, 'drei'"
  return [await told(side, '', { options: ['-c', text] }), await told(side, `${text.replaceAll(';', '\\;')};`)]
}

const catalogue = (side) =>
  told(side, [
    '\\dt client_*',
    '\\d client_types',
    '\\d+ client_rules',
    '\\d customers',
    '\\di+ client_rules*',
    '\\dT+ client_mood',
    '\\dD client_score',
    '\\dn',
    '\\dv',
    '\\df+ pg_catalog.upper',
    '\\sv+ pg_catalog.pg_indexes',
    '\\encoding',
  ])

/** Each on a connection of its own, which is used once more behind the error. */
const errors = async (side) => {
  const queries = {
    ...STATEMENTS.errors,
    'bad parameter': "prepare failing (int) as select $1; execute failing ('not a number')",
    'still there': 'select 1',
  }
  const seen = {}
  for (const [name, query] of Object.entries(queries)) {
    const { out, said } = await psql(side, '', { options: ['-A', '-t', '-c', query, '-c', "select 'still there'"] })
    seen[name] = { sqlstate: sqlstateIn(said), said: withoutPlaceInSource(said).split('\n'), out: out.split('\n') }
  }
  return seen
}

const sqlstateIn = (said) => /^ERROR: {2}(\w{5}):/m.exec(said)?.[1]

/** Where in the server's source an error was raised is the server's own: a node that finds it first has no such place. */
const withoutPlaceInSource = (said) => said.replaceAll(/^LOCATION: .*\n?/gm, '')

const notices = (side) =>
  told(
    side,
    [...STATEMENTS.notices, STATEMENTS.raised].map((text) => `${text};`),
  )

// -- what is changed

const batch = async (side) => {
  const row = `insert into client_scratch values ('${side.name}', %s, 'label %s', %s / 4.0, null)`
  const made = await psql(side, `select format($$${row}$$, n, n, n) from generate_series(1, 500) n \\gexec`)
  const refused = await psql(side, `insert into client_scratch values ('${side.name}', 1, 'double', 1, null);`)
  const left = await psql(side, `select count(*) from client_scratch where side = '${side.name}';`, {
    options: ['-A', '-t'],
  })
  return {
    inserted: made.out.match(/^INSERT 0 1$/gm)?.length ?? 0,
    refused: { sqlstate: sqlstateIn(refused.said), said: withoutSide(refused.said) },
    left: left.out,
  }
}

const withoutSide = (text) => text.replaceAll(/\b(node|direct)\b/g, 'SIDE')

const transactions = async (side) => {
  const add = (number) => `insert into client_scratch (side, row_no) values ('${side.name}', ${number});`
  const count = `select count(*) from client_scratch where side = '${side.name}' and row_no >= 1000;`
  const script = [
    ['begin;', add(1000), 'rollback;', count],
    ['begin;', add(1001), 'savepoint here;', add(1001), 'rollback to here;', add(1002), 'release here;', 'commit;'],
    [count, 'begin;', 'select missing_column from products;', 'select 1;', 'commit;'],
    // From here on psql puts a savepoint of its own around each statement.
    ['\\set ON_ERROR_ROLLBACK on', 'begin;', add(1003), add(1003), add(1004), 'commit;', count],
    ['begin isolation level serializable read only;', 'show transaction_isolation;', add(1005), 'rollback;'],
  ]
  const { out, said } = await psql(side, script.flat())
  return { out: out.split('\n'), said: withoutSide(said).split('\n') }
}

/** In one transaction or not at all. */
const singleTransaction = async (side) => {
  const text = `insert into client_scratch (side, row_no) values ('${side.name}', 2000); select 1 / 0;`
  const { status } = await psql(side, text, { options: ['-1', '-v', 'ON_ERROR_STOP=1', '-f', '-'] })
  return [status, await told(side, `select * from client_scratch where row_no = 2000;`)]
}

const copyOut = async (side) => {
  const seen = {}
  for (const format of ['text', 'csv', 'binary']) {
    const script = `\\copy (${STATEMENTS.copyOut}) to stdout (format ${format})`
    seen[format] = bytesTold((await psql(side, script)).bytes)
  }
  seen.statement = bytesTold((await psql(side, `copy (${STATEMENTS.copyOut}) to stdout;`)).bytes)
  return seen
}

const copyIn = async (side) => {
  const lines = Array.from({ length: 20_000 }, (_, at) => `${side.name}\t${at}\tlabel\t${at / 8}\t2024-01-01`)
  const data = [...lines, '\\.']
  const count = `select count(*), sum(amount), count(label) from client_loads where side = '${side.name}';`
  return {
    loaded: await told(side, ['copy client_loads from stdin;', ...data, count]),
    again: await told(side, ['\\copy client_loads from pstdin', ...data.slice(-11), count]),
    bad: await told(side, ['copy client_loads from stdin;', 'side\tnot a number\tlabel\t1\t2024-01-01', '\\.', count]),
  }
}

// -- what else happens on a connection

const notifications = async (side) => {
  const { out } = await psql(side, [
    'listen client_news;',
    "notify client_news, 'by itself';",
    "select pg_notify('client_news', 'with a parameter');",
  ])
  const heard = out.matchAll(/^Asynchronous notification "(.+?)" with payload "(.+?)" received/gm)
  return { heard: [...heard].map(([, channel, payload]) => [channel, payload]) }
}

/** Ctrl-C while a statement runs; the script goes on behind it. */
const cancel = (side) => told(side, [`${STATEMENTS.endless};`, 'select 1;'], { interruptAfterMs: 1_000 })

const timeout = (side) => told(side, ["set statement_timeout = '200ms';", `${STATEMENTS.endless};`, 'select 1;'])

const scalarOf = async (side, query) => Number((await psql(side, `${query};`, { options: ['-A', '-t'] })).out)

const connections = async (side) => {
  for (let each = 0; each < 50; each++) await scalarOf(side, 'select 1')
  const pool = []
  for (let first = 0; first < 60; first += 20) {
    const twenty = Array.from({ length: 20 }, (_, each) => scalarOf(side, `select 2 * ${first + each}`))
    pool.push(...(await Promise.all(twenty)))
  }
  return { pool }
}

// -- what is held

/** psql keeps nothing of an error but what it prints. */
const asked = async (statement) => {
  const { out, said } = await psql(AGENT, [`${statement};`, "select 'usable';"])
  if (!out.includes('usable')) throw new Error(`the connection is gone: ${said}`)
  const code = sqlstateIn(said)
  if (!code) return out.split('\n')[0]
  throw Object.assign(new Error(said), { code, detail: /^DETAIL: {2}(.*)$/m.exec(said)?.[1] })
}

const held = async () => {
  const scalar = () => scalarOf(AGENT, 'select 1')
  const fields = { sqlstate: 'code', detail: 'detail' }
  const ask = (statement) => once({ run: () => asked(statement), scalar, fields })
  return [
    await ask('drop table client_doomed_psql'),
    await ask("update client_counts set times = times + 1 where client = 'psql'"),
  ]
}

await report({
  about: 'psql',
  compared: {
    login,
    masked,
    types,
    prepared,
    variables,
    temporary_tables: temporaryTables,
    large,
    portions,
    many_results: manyResults,
    catalogue,
    errors,
    notices,
    batch,
    transactions,
    single_transaction: singleTransaction,
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
