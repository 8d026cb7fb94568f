import type { Suite } from '../suite.ts'
import { installPython, runPython, type PythonSuite } from './python.ts'

const ASYNCPG: PythonSuite = {
  name: 'asyncpg',
  driver: 'asyncpg',
  needs: ['distro==1.9.0'],
  tests: 'tests',
  few: ['tests/test_execute.py', 'tests/test_prepare.py', 'tests/test_cursor.py', 'tests/test_copy.py'],
  all: ['tests'],
  environment: ({ port, password }) => ({
    PGHOST: '127.0.0.1',
    PGPORT: String(port),
    PGUSER: 'postgres',
    PGPASSWORD: password,
    PGDATABASE: 'postgres',
    PGSSLMODE: 'disable',
  }),
}

/** Python, with a protocol of its own: everything binary and prepared, types looked up in the catalogue. */
export const asyncpg: Suite = {
  name: 'asyncpg',
  databases: ['postgres'],
  makes: ['asyncpg_intro_test', 'testdb'],
  user: 'postgres',
  install: () => installPython(ASYNCPG),
  run: (folder, side, selection) => runPython(ASYNCPG, folder, side, selection),
}
