import type { Suite } from '../suite.ts'
import { installPython, runPython, type PythonSuite } from './python.ts'

const PSYCOPG2: PythonSuite = {
  name: 'psycopg2',
  driver: 'psycopg2',
  wheel: 'psycopg2-binary',
  needs: [],
  tests: 'tests',
  few: ['tests/test_cursor.py', 'tests/test_async.py', 'tests/test_types_basic.py', 'tests/test_notify.py'],
  all: ['tests'],
  environment: ({ port, password }) => ({
    PSYCOPG2_TESTDB: 'psycopg2_test',
    PSYCOPG2_TESTDB_HOST: '127.0.0.1',
    PSYCOPG2_TESTDB_PORT: String(port),
    PSYCOPG2_TESTDB_USER: 'postgres',
    PSYCOPG2_TESTDB_PASSWORD: password,
    PGHOST: '127.0.0.1',
    PGPORT: String(port),
    PGUSER: 'postgres',
    PGPASSWORD: password,
  }),
}

/** Python on libpq. The simple protocol, asynchronous use, named cursors, COPY, large objects, two-phase commit. */
export const psycopg2: Suite = {
  name: 'psycopg2',
  databases: ['psycopg2_test'],
  user: 'postgres',
  setup: 'create extension hstore',
  install: () => installPython(PSYCOPG2),
  run: (folder, side, selection) => runPython(PSYCOPG2, folder, side, selection),
}
