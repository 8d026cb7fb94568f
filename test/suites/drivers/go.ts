import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { installed, step } from '../../clients/installed.ts'
import { run } from '../../support/run.ts'
import { goResults } from '../read-results.ts'
import type { Results, Selection, Side } from '../suite.ts'
import { VERSIONS_FILE, versionOf } from './versions.ts'

const REMEDY = 'install Go 1.25 or newer (https://go.dev/dl); modules come from the Go module proxy'

export interface GoSuite {
  readonly name: string
  readonly module: string
  /** Environment variables by which its tests are told where to connect. */
  readonly environment: (side: Side) => NodeJS.ProcessEnv
  /** Arguments of `go test` beside what to report. */
  readonly few: readonly string[]
  /** What must be another text in a file of it, because it is meant for its authors' own machines. */
  readonly changes?: Readonly<Record<string, readonly (readonly [from: string, to: string])[]>>
}

/** A module with its tests, as the module proxy gives it: those who publish it publish them with it. */
export const installGo = ({ name, module, changes = {} }: GoSuite): Promise<string> =>
  installed(`suites/${name}`, [VERSIONS_FILE], async (folder) => {
    const env = goIn(folder)
    writeFileSync(join(folder, 'go.mod'), 'module suites\n')
    await step(REMEDY, 'go', ['mod', 'download', `${module}@${versionOf(module)}`], { cwd: folder, env })
    const source = join(folder, 'source')
    cpSync(join(folder, 'modules', `${module}@${versionOf(module)}`), source, { recursive: true })
    for (const [file, texts] of Object.entries(changes)) change(join(source, file), texts)
    await step(REMEDY, 'go', ['mod', 'download'], { cwd: source, env })
  })

const change = (file: string, texts: readonly (readonly [string, string])[]): void => {
  let text = readFileSync(file, 'utf8')
  for (const [from, to] of texts) {
    if (!text.includes(from)) throw new Error(`${file} does not say ${from}: look at this version's tests anew`)
    text = text.replaceAll(from, to)
  }
  writeFileSync(file, text)
}

/** Modules stay writable, so that the folder can be removed. */
const goIn = (folder: string): NodeJS.ProcessEnv => ({
  GOMODCACHE: join(folder, 'modules'),
  GOCACHE: join(folder, 'build'),
  GOFLAGS: '-modcacherw -buildvcs=false -mod=mod',
})

/** One after the other, because they share a database, and some wait for an answer for less than a second. */
export const runGo = async (
  { environment, few }: GoSuite,
  folder: string,
  side: Side,
  selection: Selection,
): Promise<Results> => {
  const args = [
    'test',
    '-json',
    '-vet=off',
    '-p=1',
    '-count=1',
    '-parallel=1',
    '-timeout=30m',
    ...(selection === 'few' ? few : ['./...']),
  ]
  const { stdout, stderr } = await run('go', args, {
    cwd: join(folder, 'source'),
    env: { ...goIn(folder), ...environment(side) },
  })
  const results = goResults(stdout)
  if (results.size === 0) throw new Error(`go test ran nothing:\n${stderr}${stdout.slice(0, 2_000)}`)
  return results
}
