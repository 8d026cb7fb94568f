import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { installed, OTHER_VERSIONS, OTHERS, type Binaries } from '../corpus/postgres.ts'
import { sourceOptions } from '../regress/debian-sources.ts'
import { SourcesMissingError } from '../regress/sources.ts'

/*
 * PostgreSQL's regression tests and headers of several major versions, from the releases of Debian that have them, and
 * `measure.c` made with each. Nothing of it is kept in this repository.
 */

/** Debian has never released the others. */
const RELEASES = { 13: 'bullseye', 15: 'bookworm', 17: 'trixie', 18: 'sid' } as const

export type Major = keyof typeof RELEASES
export const MAJORS = Object.keys(RELEASES).map(Number) as Major[]

export interface EffectSources {
  readonly binaries: Binaries
  /** `src/test/regress` of PostgreSQL. */
  readonly inputs: string
  readonly libraries: readonly string[]
  readonly measure: string
  /** In the order of the parallel schedule. */
  readonly tests: readonly string[]
}

const HERE = dirname(fileURLToPath(import.meta.url))
const CACHE = join(HERE, '../../.cache/effects')

/** Brings what is not there yet, and keeps it in `.cache`. Throws `SourcesMissingError`. */
export const bringEffectSources = (major: Major): EffectSources => {
  const binaries = binariesOf(major)
  const home = join(CACHE, `${major}`)
  if (!existsSync(home)) {
    const making = `${home}.making`
    rmSync(making, { recursive: true, force: true })
    mkdirSync(join(making, 'lists', 'partial'), { recursive: true })
    download(making, major)
    renameSync(making, home)
  }
  const inputs = join(home, 'src/test/regress')
  const [measure, regress] = [join(home, 'measure.so'), join(home, `regress-${major}.so`)]
  compile(home, major, join(HERE, 'measure.c'), measure)
  compile(home, major, join(inputs, 'regress.c'), regress)
  return { binaries, inputs, libraries: [regress], measure, tests: scheduled(join(inputs, 'parallel_schedule')) }
}

const binariesOf = (major: Major): Binaries => {
  const own = installed().find(({ label }) => label.endsWith(` ${major}`))
  const other = OTHER_VERSIONS.find((version) => version.startsWith(`${major}.`)) ?? ''
  const found = own ?? { label: `embedded ${major}`, folder: join(OTHERS, other, 'package/native/bin') }
  if (existsSync(join(found.folder, 'postgres'))) return found
  throw new SourcesMissingError(`PostgreSQL ${major} is missing: \`vitest run --project versions\` fetches it`)
}

const download = (folder: string, major: Major): void => {
  const options = sourceOptions(folder, [RELEASES[major]])
  const debian = `postgresql-${major}`
  must('apt-get', [...options, '-qq', 'update'], folder)
  must('apt-get', [...options, '-qq', 'source', '--download-only', debian], folder)
  must('apt-get', [...options, '-qq', 'download', `postgresql-server-dev-${major}`], folder)
  const wanted = ['--strip-components=1', '--wildcards', '*/src/test/regress', '*/src/include']
  must('tar', ['xf', find(folder, /\.orig\.tar\.\w+$/), ...wanted], folder)
  // The source's own headers, and beside them those that `configure` makes.
  must('dpkg-deb', ['-x', find(folder, /\.deb$/), 'headers'], folder)
  for (const name of readdirSync(folder))
    if (!['src', 'headers'].includes(name)) rmSync(join(folder, name), { recursive: true })
  must('chmod', ['-R', 'a+rX', folder], folder)
}

const compile = (home: string, major: Major, source: string, target: string): void => {
  const include = ['src/include', `headers/usr/include/postgresql/${major}/server`].map(
    (path) => `-I${join(home, path)}`,
  )
  must('gcc', ['-O1', '-fPIC', '-shared', '-w', ...include, '-o', target, source], home)
  chmodSync(target, 0o755)
}

const scheduled = (file: string): readonly string[] =>
  readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('test:'))
    .flatMap((line) => line.slice('test:'.length).trim().split(/\s+/))

const find = (folder: string, ending: RegExp): string => {
  const found = readdirSync(folder).find((name) => ending.test(name))
  if (found === undefined) throw new SourcesMissingError(`apt-get has brought nothing that ends in ${ending.source}`)
  return found
}

const must = (program: string, args: readonly string[], cwd: string): void => {
  const { status, stderr, error } = spawnSync(program, args, { cwd, encoding: 'utf8' })
  if (status !== 0) throw new SourcesMissingError(`${program} ${args.join(' ')}: ${error?.message ?? stderr.trim()}`)
}
