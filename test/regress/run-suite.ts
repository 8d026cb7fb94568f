import { chmodSync, cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { start } from '../support/run.ts'
import { BINARIES, type Sources } from './sources.ts'

/** How the runner comes to the database. */
export interface Way {
  readonly port: number
  readonly user: string
  readonly password: string
}

export interface SuiteRun {
  /** What psql printed in each test. */
  readonly results: ReadonlyMap<string, string>
  readonly seconds: number
}

export const DATABASE = 'regression'

/** As `pg_regress` makes it when it may make one itself. */
export const MAKE_DATABASE: readonly string[] = [
  `CREATE DATABASE ${DATABASE} TEMPLATE = template0`,
  ...['lc_messages', 'lc_monetary', 'lc_numeric', 'lc_time'].map(
    (name) => `ALTER DATABASE ${DATABASE} SET ${name} TO 'C'`,
  ),
  `ALTER DATABASE ${DATABASE} SET bytea_output TO 'hex'`,
  `ALTER DATABASE ${DATABASE} SET timezone_abbreviations TO 'Default'`,
]

/** A folder where the server, which is another account, can read the tests and write beside their results. */
export class Workplace {
  readonly #folder = mkdtempSync(join(tmpdir(), 'regress-'))
  readonly #runner: string

  constructor({ inputs, libraries, runner }: Sources) {
    this.#runner = runner
    chmodSync(this.#folder, 0o755)
    cpSync(inputs, join(this.#folder, 'inputs'), { recursive: true })
    for (const library of libraries) cpSync(library, join(this.#folder, basename(library)))
  }

  /**
   * Runs the tests by PostgreSQL's own runner: all of the schedule, or these in this order. Each run has the same
   * paths, because results speak of them.
   */
  async run({ port, user, password }: Way, tests: readonly string[]): Promise<SuiteRun> {
    const output = join(this.#folder, 'output')
    rmSync(output, { recursive: true, force: true })
    for (const folder of [output, ...['results', 'sql', 'expected'].map((name) => join(output, name))]) {
      mkdirSync(folder)
      chmodSync(folder, 0o777)
    }
    const inputs = join(this.#folder, 'inputs')
    const args = [
      '--use-existing',
      `--bindir=${BINARIES}`,
      `--dlpath=${this.#folder}`,
      `--inputdir=${inputs}`,
      `--outputdir=${output}`,
      '--host=127.0.0.1',
      `--port=${port}`,
      `--user=${user}`,
      `--dbname=${DATABASE}`,
      '--max-connections=20',
      ...(tests.length > 0 ? tests : [`--schedule=${join(inputs, 'parallel_schedule')}`]),
    ]
    const began = performance.now()
    const ran = await this.#watched(args, { PGPASSWORD: password, PGCONNECT_TIMEOUT: '60' })
    const seconds = (performance.now() - began) / 1000
    const results = new Map(
      readdirSync(join(output, 'results'))
        .filter((name) => name.endsWith('.out'))
        .toSorted()
        .map((name) => [name.slice(0, -4), readFileSync(join(output, 'results', name), 'utf8')]),
    )
    if (results.size === 0) throw new Error(`pg_regress has run nothing:\n${ran}`)
    return { results, seconds }
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true })
  }

  async #watched(args: readonly string[], env: NodeJS.ProcessEnv): Promise<string> {
    const running = start(this.#runner, args, { env })
    const atExit = () => running.kill('SIGTERM')
    process.once('exit', atExit)
    const { stdout, stderr } = await running.ended
    process.off('exit', atExit)
    return `${stdout}${stderr}`
  }
}
