import { mkdirSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { installed, step } from '../../clients/installed.ts'
import { run } from '../../support/run.ts'
import { junitResults } from '../read-results.ts'
import type { Results, Selection, Side } from '../suite.ts'
import { VERSIONS_FILE, versionOf } from './versions.ts'

const REMEDY =
  'install Python 3.10 or newer with venv and pip (Debian: apt-get install python3-venv python3-pip); packages come from PyPI'

export interface PythonSuite {
  readonly name: string
  /** The distribution whose sources hold the tests, and the one that is installed to be tested. */
  readonly driver: string
  readonly wheel?: string
  /** What else its tests import. */
  readonly needs: readonly string[]
  /** Folder of the tests in the sources. */
  readonly tests: string
  readonly few: readonly string[]
  readonly all: readonly string[]
  readonly environment: (side: Side) => NodeJS.ProcessEnv
}

const PYTEST = ['pytest==9.2.0', 'pytest-timeout==2.4.0']

/** The driver as a wheel; its tests from the source distribution. */
export const installPython = ({ name, driver, wheel = driver, needs, tests }: PythonSuite): Promise<string> =>
  installed(`suites/${name}`, [VERSIONS_FILE], async (folder) => {
    const python = join(folder, 'venv', 'bin', 'python')
    const version = versionOf(driver)
    await step(REMEDY, 'python3', ['-m', 'venv', join(folder, 'venv')])
    const pip = (...args: readonly string[]) => step(REMEDY, python, ['-m', 'pip', ...args, '--quiet', '--no-input'])
    await pip('install', '--only-binary', ':all:', `${wheel}==${version}`, ...PYTEST, ...needs)
    const sources = join(folder, 'sources')
    await pip('download', '--no-deps', '--no-binary', driver, '--dest', sources, `${driver}==${version}`)
    const [archive = ''] = readdirSync(sources)
    mkdirSync(join(folder, 'tests'))
    await step('install tar', 'tar', [
      '-xzf',
      join(sources, archive),
      '-C',
      join(folder, 'tests'),
      '--strip-components=1',
      `${driver}-${version}/${tests}`,
    ])
  })

const TEST_TIMEOUT_SECONDS = 120

export const runPython = async (
  { few, all, environment }: PythonSuite,
  folder: string,
  side: Side,
  selection: Selection,
): Promise<Results> => {
  const report = join(folder, `${side.name}.xml`)
  rmSync(report, { force: true })
  const args = [
    '-m',
    'pytest',
    '-q',
    '-p',
    'no:cacheprovider',
    `--timeout=${TEST_TIMEOUT_SECONDS}`,
    `--junitxml=${report}`,
  ]
  const { stdout, stderr } = await run(
    join(folder, 'venv', 'bin', 'python'),
    [...args, ...(selection === 'few' ? few : all)],
    {
      cwd: join(folder, 'tests'),
      env: { PYTHONDONTWRITEBYTECODE: '1', ...environment(side) },
    },
  )
  const results = junitResults(readFileSync(report, 'utf8'))
  if (results.size === 0) throw new Error(`pytest ran nothing:\n${stdout}${stderr}`)
  return results
}
