import type { Suite } from '../suite.ts'
import { installPython, runPython, type PythonSuite } from './python.ts'

const PG8000: PythonSuite = {
  name: 'pg8000',
  driver: 'pg8000',
  needs: ['pytz==2026.6', 'pytest-mock==3.17.0'],
  tests: 'test',
  few: ['test/native/test_query.py', 'test/native/test_copy.py', 'test/native/test_prepared_statement.py'],
  all: ['test/native', 'test/dbapi', 'test/legacy', '--ignore-glob=*/test_benchmarks.py'],
  environment: ({ port, password }) => ({ PGHOST: '127.0.0.1', PGPORT: String(port), PGPASSWORD: password }),
}

/** Python, with a protocol of its own: everything extended and as text, three ways to use it. */
export const pg8000: Suite = {
  name: 'pg8000',
  databases: ['postgres'],
  user: 'postgres',
  setup: 'create extension hstore',
  install: () => installPython(PG8000),
  run: (folder, side, selection) => runPython(PG8000, folder, side, selection),
}
