import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { mustRun } from './targets.ts'

/** Something to do through a target. Gives how much was done, in its own unit, and the seconds that it took. */
export interface Workload {
  readonly name: string
  readonly unit: 'statements' | 'rows' | 'connections'
  readonly run: (dsn: string, seconds: number) => Promise<Done>
}

export interface Done {
  readonly count: number
  readonly seconds: number
  readonly latencyMs?: number
}

const PROTOCOLS = ['simple', 'extended', 'prepared'] as const
const CLIENTS = [1, 8, 32] as const
const ROWS = 1_000_000
const EVENTS = `select * from events limit ${ROWS}`

export const workloads = (): readonly Workload[] => [
  ...PROTOCOLS.flatMap((protocol) =>
    CLIENTS.map((clients) => ({
      name: `${protocol}, ${clients} client${clients === 1 ? '' : 's'}`,
      unit: 'statements' as const,
      run: (dsn: string, seconds: number) => pgbench(dsn, ['-S', '-M', protocol, '-c', `${clients}`], seconds),
    })),
  ),
  {
    name: 'login, one statement, 8 clients',
    unit: 'connections',
    run: (dsn, s) => pgbench(dsn, ['-S', '-C', '-c', '8'], s),
  },
  { name: 'SELECT of 1,000,000 rows', unit: 'rows', run: selectAll },
  { name: 'COPY of 1,000,000 rows', unit: 'rows', run: copyAll },
]

const pgbench = async (dsn: string, args: readonly string[], seconds: number): Promise<Done> => {
  const said = await mustRun('pgbench', ['-n', '-j', '2', '-T', `${seconds}`, ...args, dsn])
  const number = (what: RegExp): number => {
    const found = what.exec(said)?.[1]
    if (found === undefined) throw new Error(`pgbench did not say ${what}: ${said}`)
    return Number(found)
  }
  return {
    count: number(/actually processed: (\d+)/),
    seconds,
    latencyMs: number(/latency average = ([\d.]+) ms/),
  }
}

/** An ordinary client that reads the whole result; psql would spend most of the time on laying it out. */
const selectAll = async (dsn: string): Promise<Done> => {
  const script = join(mkdtempSync(join(tmpdir(), 'countersign-bench-')), 'select.sql')
  writeFileSync(script, `${EVENTS};\n`)
  return timed(() => mustRun('pgbench', ['-n', '-t', '1', '-f', script, dsn]))
}

const copyAll = (dsn: string): Promise<Done> =>
  timed(() => mustRun('psql', [dsn, '-Xq', '-o', '/dev/null', '-c', `copy (${EVENTS}) to stdout`]))

const timed = async (work: () => Promise<unknown>): Promise<Done> => {
  const started = performance.now()
  await work()
  return { count: ROWS, seconds: (performance.now() - started) / 1_000 }
}
