import { cpSync, globSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { installed, step } from '../../clients/installed.ts'
import { run, type Ran } from '../../support/run.ts'

/** Where to migrate. */
export interface Place {
  readonly port: number
  readonly database: string
  readonly password: string
}

/** A tool that makes a schema, and uses it. Returns what it printed, or throws with that. */
export type Migrate = (place: Place) => Promise<string>

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

const environmentOf = ({ port, database, password }: Place): NodeJS.ProcessEnv => ({
  PGPORT: String(port),
  PGDATABASE: database,
  PGPASSWORD: password,
  DATABASE_URL: `postgresql://postgres:${password}@127.0.0.1:${port}/${database}?sslmode=disable`,
  JDBC_URL: `jdbc:postgresql://127.0.0.1:${port}/${database}?sslmode=disable`,
  PYTHONDONTWRITEBYTECODE: '1',
})

const printed = async (ran: Promise<Ran>): Promise<string> => {
  const { status, stdout, stderr } = await ran
  if (status !== 0) throw new Error(`it ended with ${status}:\n${stdout}${stderr}`)
  return stdout
}

const python = async (): Promise<string> => {
  const remedy = 'install Python 3.10 or newer with venv and pip; packages come from PyPI'
  const requirements = here('python-requirements.txt')
  const folder = await installed('suites/migrations-python', [requirements], async (folder) => {
    await step(remedy, 'python3', ['-m', 'venv', join(folder, 'venv')])
    const pip = ['-m', 'pip', 'install', '--quiet', '--no-input', '--only-binary', ':all:', '-r', requirements]
    await step(remedy, join(folder, 'venv', 'bin', 'python'), pip)
  })
  return join(folder, 'venv', 'bin')
}

export const django: Migrate = async (place) => {
  const bin = await python()
  const work = join(bin, '..', '..', place.database)
  mkdirSync(work, { recursive: true })
  cpSync(here('django'), work, { recursive: true })
  const manage = (...args: readonly string[]) =>
    printed(run(join(bin, 'python'), ['manage.py', ...args], { cwd: work, env: environmentOf(place) }))
  const migrations = await manage('makemigrations', 'shop')
  const migrated = await manage('migrate', '--verbosity', '1')
  const tested = await manage('test', '--keepdb', '--noinput')
  return [migrations, migrated, await manage('showmigrations'), await manage('inspectdb'), tested].join('\n')
}

export const alembic: Migrate = async (place) => {
  const bin = await python()
  const { DATABASE_URL = '', ...others } = environmentOf(place)
  const psycopg = DATABASE_URL.replace('postgresql:', 'postgresql+psycopg:')
  const env = { ...others, DATABASE_URL: psycopg, PYTHONPATH: here('alembic') }
  const command = (...args: readonly string[]) =>
    printed(run(join(bin, 'alembic'), ['-c', here('alembic/alembic.ini'), ...args], { env }))
  for (const args of [
    ['upgrade', 'head'],
    ['downgrade', '0001'],
    ['upgrade', 'head'],
  ])
    await command(...args)
  return (await command('current')) + (await command('check'))
}

export const drizzle: Migrate = async (place) => {
  const pins = ['package.json', 'package-lock.json'].map((file) => here(`drizzle/${file}`))
  const folder = await installed('suites/migrations-drizzle', pins, (folder) => {
    for (const file of pins) cpSync(file, join(folder, file.slice(here('drizzle/').length)))
    const ci = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel', 'error']
    return step('install npm 10 or newer; packages come from the npm registry', 'npm', ci, { cwd: folder })
  })
  const env = { ...environmentOf(place), MIGRATION_MODULES: folder, NODE_OPTIONS: '' }
  return printed(run(process.execPath, [here('drizzle/migrate.mjs')], { env }))
}

const COPY_DEPENDENCIES = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies'

export const flyway: Migrate = async (place) => {
  const remedy = 'install a JDK 17 or newer and Maven (Debian: apt-get install openjdk-17-jdk-headless maven)'
  const pom = here('flyway/pom.xml')
  const folder = await installed('suites/migrations-flyway', [pom], (folder) => {
    const goal = [COPY_DEPENDENCIES, '-DincludeScope=runtime', `-DoutputDirectory=${join(folder, 'jars')}`]
    return step(`${remedy}; jars come from Maven Central`, 'mvn', ['-q', '-B', '-f', pom, ...goal])
  })
  const [classes, jars] = [join(folder, 'classes'), join(folder, 'jars', '*')]
  await step(remedy, 'javac', ['-nowarn', '-d', classes, '-cp', jars, ...globSync(here('flyway/src/*.java'))])
  return printed(
    run('java', ['-cp', `${classes}:${jars}`, 'Migrate', here('flyway/sql')], { env: environmentOf(place) }),
  )
}
