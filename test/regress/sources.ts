import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { sourceOptions } from './debian-sources.ts'

/*
 * PostgreSQL's own regression tests, of the very version of the server that is installed, from Debian's archive: the
 * source package for the tests and their C library. Nothing of it is kept in this repository.
 */

export interface Sources {
  /** `src/test/regress` of PostgreSQL: parallel_schedule, sql/, expected/, data/. */
  readonly inputs: string
  /** Libraries that tests load: regress.so, made from regress.c, and two of the server's own. */
  readonly libraries: readonly string[]
  /** PostgreSQL's own runner. */
  readonly runner: string
  /** `15.18` */
  readonly version: string
}

const HOME = '/usr/lib/postgresql/15'
export const BINARIES = join(HOME, 'bin')
const RUNNER = join(HOME, 'lib/pgxs/src/test/regress/pg_regress')
const CONTRIB = ['autoinc', 'refint'].map((name) => join(HOME, 'lib', `${name}.so`))
const CACHE = join(dirname(fileURLToPath(import.meta.url)), '../../.cache/regress')

/** What is missing, said so that somebody can do something about it. */
export class SourcesMissingError extends Error {
  readonly code = 'REGRESS_SOURCES_MISSING'
}

/** Brings what is not there yet, and keeps it in `.cache`. Throws `SourcesMissingError`. */
export const bringSources = (): Sources => {
  for (const file of [join(BINARIES, 'postgres'), RUNNER, ...CONTRIB]) {
    if (!existsSync(file)) throw new SourcesMissingError(`${file} is missing: install the Debian package postgresql-15`)
  }
  const version = /\d+\.\d+/.exec(must(join(BINARIES, 'postgres'), ['--version']))?.[0] ?? ''
  const home = join(CACHE, version)
  if (!existsSync(home)) {
    const making = `${home}.making`
    rmSync(making, { recursive: true, force: true })
    mkdirSync(join(making, 'lists', 'partial'), { recursive: true })
    make(making, version)
    renameSync(making, home)
  }
  return { inputs: join(home, 'regress'), libraries: [join(home, 'regress.so'), ...CONTRIB], runner: RUNNER, version }
}

const make = (folder: string, version: string): void => {
  const options = sourceOptions(folder)
  const debian = must('dpkg-query', ['-W', '-f', '${Version}', 'postgresql-15'])
  must('apt-get', [...options, '-qq', 'update'], folder)
  must('apt-get', [...options, '-qq', 'source', '--download-only', `postgresql-15=${debian}`], folder)
  must('apt-get', [...options, '-qq', 'download', `postgresql-server-dev-15=${debian}`], folder)
  const archive = find(folder, '.orig.tar.bz2')
  const root = `postgresql-${version}/src`
  must('tar', ['xjf', archive, `${root}/test/regress`, `${root}/include`], folder)
  // The source's own headers, and beside them those that `configure` makes.
  must('dpkg-deb', ['-x', find(folder, '.deb'), 'headers'], folder)
  const include = [`${root}/include`, 'headers/usr/include/postgresql/15/server'].map((path) => `-I${path}`)
  must('gcc', ['-O1', '-fPIC', '-shared', ...include, '-o', 'regress.so', `${root}/test/regress/regress.c`], folder)
  cpSync(join(folder, root, 'test/regress'), join(folder, 'regress'), { recursive: true })
  for (const name of readdirSync(folder))
    if (!['regress', 'regress.so'].includes(name)) rmSync(join(folder, name), { recursive: true })
}

const find = (folder: string, ending: string): string => {
  const found = readdirSync(folder).find((name) => name.endsWith(ending))
  if (found === undefined) throw new SourcesMissingError(`apt-get has brought nothing that ends in ${ending}`)
  return found
}

const must = (program: string, args: readonly string[], cwd?: string): string => {
  const { status, stdout, stderr, error } = spawnSync(program, args, { cwd, encoding: 'utf8' })
  if (status === 0) return stdout
  throw new SourcesMissingError(`${program} ${args.join(' ')}: ${error?.message ?? stderr.trim()}`)
}
