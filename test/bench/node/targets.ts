import { Product } from '../../support/product.ts'
import { run } from '../../support/run.ts'
import { until } from '../../support/until.ts'
import { startPgBouncer } from './pgbouncer.ts'

/** A way to the same database, and the processes whose time it costs. */
export interface Target {
  readonly name: 'direct' | 'pgbouncer' | 'node'
  readonly dsn: string
  /** The one in the middle, if there is one. */
  readonly pid: number | undefined
}

export interface Targets {
  readonly all: readonly Target[]
  /** The product's other processes, which record and project what the node publishes. */
  readonly behind: readonly { readonly name: string; readonly pid: number }[]
  stop(): Promise<void>
}

const SCALE = '10'

const BEHIND = new Set(['control', 'audit', 'clickhouse'])

/** The product as `npm start` runs it, everything on, and PgBouncer beside it in front of the same PostgreSQL. */
export const startTargets = async (): Promise<Targets> => {
  const product = await Product.start()
  try {
    const upstream = product.ready.upstream
    await mustRun('pgbench', ['-i', '-q', '-s', SCALE, upstream])
    await mustRun('psql', [upstream, '-Xqc', 'grant select, insert, update on all tables in schema public to public'])
    const node = product.dsn('etl', { sslmode: 'disable' })
    await until(async () => {
      const { status } = await run('psql', [node, '-Xqc', 'select abalance from pgbench_accounts where aid = 1'])
      return status === 0 ? true : undefined
    }, 60_000)
    const pgbouncer = await startPgBouncer(new URL(upstream))
    return {
      all: [
        { name: 'direct', dsn: upstream, pid: undefined },
        { name: 'pgbouncer', dsn: pgbouncer.dsn, pid: pgbouncer.pid },
        { name: 'node', dsn: node, pid: product.pid('proxy') },
      ],
      behind: product.ready.processes.filter(({ name }) => BEHIND.has(name)),
      stop: async () => {
        await pgbouncer.stop()
        await product.dispose()
      },
    }
  } catch (error) {
    await product.dispose()
    throw error
  }
}

export const mustRun = async (program: string, args: readonly string[]): Promise<string> => {
  const { status, stdout, stderr } = await run(program, args)
  if (status !== 0) throw new Error(`${program} ended with ${status}: ${stderr.trim()}`)
  return stdout
}
