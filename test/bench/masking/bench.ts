/*
 * How fast rows go through the mask, beside what is usually done: every cell as a string, through regular expressions.
 *
 *   npm run build && node test/bench/masking/bench.ts [--json] [SECONDS_PER_CASE]
 */
import { CopyMask, RowMask, type ColumnPlan, type DataClass } from '@countersign/masking'
import { naiveRow } from './naive.ts'

const ROWS = 20_000
const seconds = Number(process.argv.find((word) => /^[\d.]+$/.test(word)) ?? 1)

const plan = (action: ColumnPlan['action'], dataClass: DataClass = 'clear', typeOid = 25): ColumnPlan => ({
  action,
  class: dataClass,
  kind: 'partial',
  whole: false,
  typeOid,
  typmod: -1,
  format: 'text',
})

const WORDS =
  'the quick brown fox jumps over a lazy dog while seventeen other animals watch from behind a well-known fence'.split(
    ' ',
  )

const prose = (i: number, count: number): string =>
  Array.from({ length: count }, (_, k) => WORDS[(i * 7 + k * 3) % WORDS.length]).join(' ')

const address = (i: number) => `person${i}@example.com`
const social = (i: number) => `${100 + (i % 565)}-${10 + (i % 89)}-${1000 + (i % 8999)}`
const time = (i: number) => `2024-01-${10 + (i % 20)} 03:04:05.${100 + (i % 800)}`

const profile = (i: number, hits: boolean): string =>
  JSON.stringify({
    plan: i % 2 ? 'pro' : 'free',
    seats: i % 50,
    flags: ['a', 'b', 'c'],
    last: { page: '/orders', at: time(i), ms: i % 900 },
    ...(hits ? { email: address(i), contact: { phone: `415-555-${1000 + (i % 9000)}` } } : {}),
  })

interface Case {
  readonly name: string
  readonly columns: readonly ColumnPlan[]
  readonly row: (i: number) => readonly string[]
}

const pass = plan('pass', 'clear', 20)
const customer = (i: number) => [`${i}`, `Person ${i}`, address(i), social(i), prose(i, 8)]

const CASES: readonly Case[] = [
  {
    name: 'all columns pass',
    columns: [pass, plan('pass'), plan('pass'), plan('pass'), plan('pass')],
    row: customer,
  },
  {
    name: 'scan: prose, nothing in it',
    columns: [pass, plan('scan'), plan('scan', 'free-text')],
    row: (i) => [`${i}`, prose(i, 12), prose(i, 40)],
  },
  {
    name: 'scan: short words and numbers',
    columns: [pass, plan('scan'), plan('scan'), plan('scan'), plan('scan')],
    row: (i) => [`${i}`, WORDS[i % WORDS.length] ?? '', `A-${i}`, time(i), `order ${i}, 3.25 kg, 199.99 EUR`],
  },
  {
    name: 'scan: log lines, UUIDs',
    columns: [pass, plan('scan'), plan('scan')],
    row: (i) => [
      `${i}`,
      `${time(i)} INFO request ${i} took ${i % 50} ms path=/api/v1/orders/${i}?page=2 status=200`,
      `550e8400-e29b-41d4-a716-${(446_655_440_000 + i).toString(16).padStart(12, '0')}`,
    ],
  },
  {
    name: 'scan: a value in every second cell',
    columns: [pass, plan('scan'), plan('scan'), plan('scan'), plan('scan')],
    row: customer,
  },
  {
    name: 'mask: known columns, same length',
    columns: [pass, plan('pass'), plan('pass'), plan('mask', 'ssn'), plan('pass')],
    row: customer,
  },
  {
    name: 'mask: known columns, new length',
    columns: [pass, plan('mask', 'person-name'), plan('mask', 'email'), plan('mask', 'ssn'), plan('pass')],
    row: customer,
  },
  {
    name: 'scan: JSON, nothing in it',
    columns: [pass, plan('scan', 'free-text', 3802)],
    row: (i) => [`${i}`, profile(i, false)],
  },
  {
    name: 'scan: JSON with two values',
    columns: [pass, plan('scan', 'free-text', 3802)],
    row: (i) => [`${i}`, profile(i, true)],
  },
]

const dataRow = (values: readonly string[]): Buffer => {
  const cells = values.map((value) => Buffer.from(value))
  const length = 6 + cells.reduce((sum, cell) => sum + 4 + cell.length, 0)
  const row = Buffer.alloc(1 + length)
  row.write('D')
  row.writeInt32BE(length, 1)
  row.writeInt16BE(values.length, 5)
  let at = 7
  for (const cell of cells) {
    at = row.writeInt32BE(cell.length, at)
    at += cell.copy(row, at)
  }
  return row
}

/**
 * The least of many runs: what else the machine does only ever adds. Rows are masked where they lie, so each run has
 * its own.
 */
const nanosecondsOf = (original: Buffer, run: (bytes: Buffer) => void): number => {
  const bytes = Buffer.allocUnsafeSlow(original.length)
  let best = Number.POSITIVE_INFINITY
  for (const until = performance.now() + seconds * 1000; performance.now() < until;) {
    bytes.set(original)
    const started = process.hrtime.bigint()
    run(bytes)
    best = Math.min(best, Number(process.hrtime.bigint() - started))
  }
  return best
}

const CHUNK = 64 * 1024

/** As rows come from a socket: in runs of whole messages of about 64 KiB. */
const runsOf = (bytes: Buffer): readonly (readonly [number, number])[] => {
  const runs: [number, number][] = []
  let start = 0
  for (let at = 0; at < bytes.length;) {
    at += 1 + bytes.readInt32BE(at + 1)
    if (at - start < CHUNK && at < bytes.length) continue
    runs.push([start, at])
    start = at
  }
  return runs
}

const measure = ({ name, columns, row }: Case) => {
  const bytes = Buffer.concat(Array.from({ length: ROWS }, (_, i) => dataRow(row(i))))
  const runs = runsOf(bytes)
  const mask = new RowMask(columns)
  const ours = nanosecondsOf(bytes, (copy) => {
    for (const [start, end] of runs) mask.applyRun(copy, start, end)
  })
  const naive = nanosecondsOf(bytes, (copy) => {
    for (let at = 0; at < copy.length;) at = naiveRow(copy, at)
  })
  return result(name, bytes.length, ours, naive, ROWS * columns.filter((column) => column.action !== 'pass').length)
}

const measureCopy = () => {
  const { columns, row } = CASES[6] ?? CASES[0] ?? { columns: [], row: () => [] }
  const lines = Array.from({ length: ROWS }, (_, i) => Buffer.from(`${row(i).join('\t')}\n`))
  const bytes = Buffer.concat(lines)
  const ours = nanosecondsOf(bytes, (copy) => {
    const mask = new CopyMask(columns, { format: 'text' })
    let at = 0
    for (const line of lines) {
      mask.push(copy.subarray(at, at + line.length))
      at += line.length
    }
    mask.end()
  })
  return result('COPY text: known columns, new length', bytes.length, ours, undefined, ROWS * 3)
}

const result = (name: string, length: number, ours: number, naive: number | undefined, cells: number) => ({
  case: name,
  // When all columns pass nothing is read, and there is no speed to speak of.
  'MB/s': cells === 0 ? 'not read' : Math.round((length / ours) * 1000),
  'ns/row': Math.round(ours / ROWS),
  'ns/cell read': cells === 0 ? 0 : Math.round(ours / cells),
  'naive MB/s': naive === undefined ? '' : Math.round((length / naive) * 1000),
  times: naive === undefined || cells === 0 ? '' : (naive / ours).toFixed(1),
})

const results = [...CASES.map(measure), measureCopy()]
if (process.argv.includes('--json')) console.log(JSON.stringify(results))
else console.table(results)
