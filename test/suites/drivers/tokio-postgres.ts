import { cpSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { installed, step } from '../../clients/installed.ts'
import { run } from '../../support/run.ts'
import { rustResults } from '../read-results.ts'
import type { Results, Selection, Side, Suite } from '../suite.ts'
import { VERSIONS_FILE, versionOf } from './versions.ts'

const REMEDY = 'install Rust 1.85 or newer with cargo (https://rustup.rs); crates come from crates.io'
const NAME = 'tokio-postgres'

/** Conversions of its tests for a few libraries: each more is minutes of compiling, and nothing new on the wire. */
const FEATURES = 'array-impls,with-serde_json-1,with-uuid-1'

/** Tables of its manifest that only its benchmarks need, and libraries whose conversions are not tested. */
const NOT_NEEDED =
  /^\[\[bench\]\]\n(.+\n)+|^\[dev-dependencies\.(criterion|(?!serde_json-1\b|uuid-1\b)[a-z0-9_]+-\d+)\]\n(.+\n)+/gm

const install = (): Promise<string> =>
  installed(`suites/${NAME}`, [VERSIONS_FILE], async (folder) => {
    // Cargo gives the sources of what a package depends on, with their tests.
    writeFileSync(join(folder, 'Cargo.toml'), manifest(versionOf(NAME)))
    writeFileSync(join(folder, 'lib.rs'), '')
    await step(REMEDY, 'cargo', ['vendor', '--quiet', '--versioned-dirs', 'vendor'], { cwd: folder })
    const source = join(folder, 'source')
    cpSync(join(folder, 'vendor', `${NAME}-${versionOf(NAME)}`), source, { recursive: true })
    rmSync(join(folder, 'vendor'), { recursive: true })
    const toml = join(source, 'Cargo.toml')
    writeFileSync(toml, `${readFileSync(toml, 'utf8').replaceAll(NOT_NEEDED, '')}\n[workspace]\n`)
    cpSync(join(source, 'tests'), join(folder, 'tests'), { recursive: true })
    await step(REMEDY, 'cargo', ['test', '--quiet', '--no-run', '--features', FEATURES], { cwd: source })
  })

const manifest = (version: string): string =>
  `[package]\nname = "suites"\nversion = "0.0.0"\nedition = "2021"\n[lib]\npath = "lib.rs"\n` +
  `[dependencies]\n${NAME} = "=${version}"\n[workspace]\n`

/** Its tests are written for a server on port 5433 that asks its superuser for no password. */
const connectTo = (folder: string, { port, password }: Side): void => {
  const files = readdirSync(join(folder, 'tests'), { recursive: true, encoding: 'utf8' })
  for (const file of files.filter((each) => each.endsWith('.rs'))) {
    const text = readFileSync(join(folder, 'tests', file), 'utf8')
    // What it parses and does not connect to stays as it is.
    const changed = file.endsWith('parse.rs')
      ? text
      : text.replaceAll('5433', String(port)).replaceAll('user=postgres', `user=postgres password=${password}`)
    writeFileSync(join(folder, 'source', 'tests', file), changed)
  }
}

const runTests = async (folder: string, side: Side, selection: Selection): Promise<Results> => {
  connectTo(folder, side)
  const few = selection === 'few' ? ['types'] : []
  const args = ['test', '--features', FEATURES, '--test', 'test', '--', '--test-threads=4', ...few]
  const { stdout, stderr } = await run('cargo', args, { cwd: join(folder, 'source') })
  const results = rustResults(stdout)
  if (results.size === 0) throw new Error(`cargo test ran nothing:\n${stderr}`)
  return results
}

/** Rust. Everything prepared, binary and pipelined; COPY, portals, cancellation, notifications. */
export const tokioPostgres: Suite = {
  name: NAME,
  databases: ['postgres'],
  user: 'postgres',
  setup: 'create extension hstore; create extension citext; create extension ltree',
  install,
  run: runTests,
}
