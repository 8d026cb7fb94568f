/*
 * npm test [-- PATTERN…]: build, lint, format, types, then every test of every project. What failed is said again at
 * the end; the very last line is `N passed, N failed`, each of the four steps counting as one.
 */
import { spawnSync } from 'node:child_process'
import fs, { mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { isNewEnough, prepare, ROOT, runtime, SetupError } from './toolchain.mjs'

const REPORT = join(ROOT, '.cache', 'vitest.json')
const tool = (path) => join(ROOT, 'node_modules', ...path.split('/'))

const main = async (patterns) => {
  const results = [await buildStep(), ...steps(), ...(await tests(patterns))]
  const failed = results.filter(({ ok }) => !ok)
  if (failed.length > 0) console.log('\nfailed:')
  for (const { name } of failed) console.log(`  ${name}`)
  console.log(`\n${results.length - failed.length} passed, ${failed.length} failed`)
  process.exitCode = failed.length === 0 ? 0 : 1
}

const buildStep = async () => {
  try {
    await prepare()
    return said('build', true)
  } catch (error) {
    console.error(error instanceof SetupError ? error.message : error.stack)
    return said('build', false)
  }
}

const steps = () => [
  step('lint', [tool('oxlint/bin/oxlint'), '--deny-warnings']),
  step('format', [tool('oxfmt/bin/oxfmt'), '--check', '.']),
  step('types', [tool('typescript/bin/tsc'), '-p', 'tsconfig.test.json']),
]

const step = (name, args) => {
  const { status, stdout, stderr, error } = spawnSync(runtime(), args, {
    cwd: ROOT,
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  })
  if (status !== 0) console.error(`${stdout ?? ''}${stderr ?? ''}${error?.message ?? ''}`.trim())
  return said(name, status === 0)
}

const said = (name, ok) => {
  console.log(`${name.padEnd(8)} ${ok ? 'ok' : 'FAILED'}`)
  return { name, ok }
}

/** One result per test, one for each file that could not be run, and one for each project that ran none of its files. */
const tests = async (patterns) => {
  mkdirSync(join(ROOT, '.cache'), { recursive: true })
  rmSync(REPORT, { force: true })
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${REPORT}`]
  const args = [tool('vitest/vitest.mjs'), 'run', '--passWithNoTests', ...reporters, ...patterns]
  const { status } = spawnSync(runtime(), args, { cwd: ROOT, stdio: 'inherit' })
  const files = readReport()
  const results = files.flatMap(resultsOf)
  const empty = patterns.length === 0 ? await emptyProjects(new Set(files.map(({ name }) => name))) : []
  const all = [...results, ...empty]
  if (all.length === 0) return [{ name: 'vitest: no test was run', ok: false }]
  // An error outside of any test fails the run, and no test of its own.
  if (status !== 0 && all.every(({ ok }) => ok)) return [...all, { name: `vitest: ended with ${status}`, ok: false }]
  return all
}

const readReport = () => {
  try {
    return JSON.parse(readFileSync(REPORT, 'utf8')).testResults
  } catch {
    return []
  }
}

/** A test that was skipped has not passed: nobody knows what it would have said. */
const resultsOf = ({ name, status, assertionResults }) => {
  const file = relative(ROOT, name)
  const each = assertionResults.map(({ fullName, status }) => ({
    name: `${file}: ${fullName}`,
    ok: status === 'passed',
  }))
  const broken = status !== 'passed' && each.every(({ ok }) => ok)
  return broken ? [...each, { name: `${file}: could not be run`, ok: false }] : each
}

const emptyProjects = async (ran) => {
  const { default: config } = await import(pathToFileURL(join(ROOT, 'vitest.config.ts')))
  return config.test.projects
    .map(({ test: { name, include, exclude = [] } }) => ({ name, files: fs.globSync(include, { cwd: ROOT, exclude }) }))
    .filter(({ files }) => files.length > 0 && !files.some((file) => ran.has(join(ROOT, file))))
    .map(({ name, files }) => ({ name: `project ${name}: none of its ${files.length} files was run`, ok: false }))
}

/** `globSync` and TypeScript without a build need a newer Node.js than the one that npm may have been started with. */
const withRuntime = async () => {
  await prepare().catch(() => undefined)
  if (isNewEnough(process.version)) return main(process.argv.slice(2))
  const { status } = spawnSync(runtime(), [fileURLToPath(import.meta.url), ...process.argv.slice(2)], {
    stdio: 'inherit',
  })
  process.exitCode = status ?? 1
}

withRuntime().catch((error) => {
  console.error(error instanceof SetupError ? error.message : error.stack)
  process.exitCode = 1
})
