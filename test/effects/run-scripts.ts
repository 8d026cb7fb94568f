import {
  chmodSync,
  cpSync,
  createReadStream,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { createInterface } from 'node:readline'
import type { AccessEvent } from '@countersign/contracts'
import { startPostgres, type Binaries } from '../corpus/postgres.ts'
import { MAKE_DATABASE, DATABASE } from '../regress/run-suite.ts'
import { startAllowAllNode, type AllowAllNode } from '../support/allow-all-node.ts'
import { start } from '../support/run.ts'

/*
 * Scripts of psql, one after the other, through a real node to a real server that writes down what each statement does
 * (measure.c). The node understands each statement under a policy that looks and lets everything pass.
 */

export interface Measured {
  readonly events: readonly { readonly type: string; readonly data: unknown }[]
  /** What the server has written down, line by line. */
  readonly lines: readonly string[]
  /** Scripts that did not come to their end. */
  readonly broken: readonly string[]
  readonly seconds: number
}

export interface Scripts {
  readonly binaries: Binaries
  /** `measure.c`, made for this version of the server. */
  readonly measure: string
  /** `src/test/regress` of PostgreSQL, or another folder with `sql` and `data` in it. */
  readonly inputs: string
  readonly libraries: readonly string[]
  /** The names of the scripts, in order. */
  readonly tests: readonly string[]
  readonly said?: (words: string) => void
}

const ROLE = 'postgres'
const POLICY = readFileSync(new URL('./looking.cedar', import.meta.url), 'utf8')

export const runScripts = async (scripts: Scripts): Promise<Measured> => {
  const folder = mkdtempSync(join(tmpdir(), 'effects-'))
  chmodSync(folder, 0o755)
  const lines = join(folder, 'lines.jsonl')
  writeFileSync(lines, '')
  chmodSync(lines, 0o666)
  const measure = join(folder, 'measure.so')
  cpSync(scripts.measure, measure)
  process.env['COUNTERSIGN_EFFECTS'] = lines
  const server = await startPostgres(scripts.binaries, {
    settings: { shared_preload_libraries: measure, max_prepared_transactions: 2, max_wal_size: '4GB' },
  })
  delete process.env['COUNTERSIGN_EFFECTS']
  try {
    const admin = await server.connect('postgres')
    for (const sql of MAKE_DATABASE.filter((text) => !text.includes('timezone_abbreviations'))) await admin.query(sql)
    await admin.end()
    const behind = { port: server.port, database: DATABASE, role: ROLE }
    const node = await startAllowAllNode({ ...behind, policy: POLICY, workers: 1 })
    try {
      const begun = performance.now()
      const broken = await runEach(scripts, folder, node)
      const seconds = (performance.now() - begun) / 1000
      const events = await node.recorded()
      return { events, lines: await linesOf(lines, events), broken, seconds }
    } finally {
      await node.stop()
    }
  } finally {
    await server.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** The node asks much of the server for itself, on connections of its own: only those of clients matter. */
const linesOf = async (file: string, events: Measured['events']): Promise<readonly string[]> => {
  const processes = new Set(
    (events as readonly AccessEvent[]).flatMap(({ type, data }) =>
      type === 'session.opened' ? [`{"pid":${data.upstream.processId},`] : [],
    ),
  )
  const found: string[] = []
  for await (const line of createInterface({ input: createReadStream(file) }))
    if (processes.has(line.slice(0, line.indexOf(',') + 1))) found.push(line)
  return found
}

/** Longer than any of them takes; some wait for another session that is not there. */
const TEST_TIMEOUT_MS = 600_000

const runEach = async (scripts: Scripts, folder: string, node: AllowAllNode): Promise<readonly string[]> => {
  const output = join(folder, 'output')
  for (const name of [output, join(output, 'results')]) {
    mkdirSync(name)
    chmodSync(name, 0o777)
  }
  for (const library of scripts.libraries) cpSync(library, join(folder, nameOf(library)))
  const broken: string[] = []
  for (const test of scripts.tests) {
    const begun = performance.now()
    const args = ['-X', '-q', '-a', '-h', '127.0.0.1', '-p', `${node.port}`, '-U', ROLE, '-d', DATABASE]
    const variables = ['-v', 'HIDE_TABLEAM=on', '-v', 'HIDE_TOAST_COMPRESSION=on']
    const file = join(scripts.inputs, 'sql', `${test}.sql`)
    const psql = start('psql', [...args, ...variables, '-f', file], { env: environment(scripts, folder, node) })
    const tooLate = setTimeout(() => psql.kill('SIGTERM'), TEST_TIMEOUT_MS)
    const { status } = await psql.ended
    clearTimeout(tooLate)
    if (status !== 0) broken.push(test)
    scripts.said?.(`${test}: ${((performance.now() - begun) / 1000).toFixed(1)} s${status === 0 ? '' : `, ${status}`}`)
  }
  return broken
}

/** Made for a version, they have its number in their name; a test loads them by the bare one. */
const nameOf = (library: string): string => basename(library).replace(/-\d+(?=\.so$)/, '')

/** What `pg_regress` tells psql. */
const environment = ({ inputs }: Scripts, folder: string, node: AllowAllNode): NodeJS.ProcessEnv => ({
  PGPASSWORD: node.token,
  PGCONNECT_TIMEOUT: '60',
  PGTZ: 'America/Los_Angeles',
  PGDATESTYLE: 'Postgres, MDY',
  PG_ABS_SRCDIR: inputs,
  PG_ABS_BUILDDIR: join(folder, 'output'),
  PG_LIBDIR: folder,
  PG_DLSUFFIX: '.so',
})
