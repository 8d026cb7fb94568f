import type { Suite } from '../suite.ts'
import { installGo, runGo, type GoSuite } from './go.ts'

const PGX: GoSuite = {
  name: 'pgx',
  module: 'github.com/jackc/pgx/v5',
  environment: ({ port, password }) => ({
    PGX_TEST_DATABASE: `host=127.0.0.1 port=${port} user=postgres password=${password} dbname=pgx_test sslmode=disable`,
  }),
  few: [
    './pgproto3/...',
    './pgtype',
    '-run',
    '^Test(Array|Bool|Bytea|Composite|Date|Hstore|Int|JSON|Numeric|Range|Text|UUID)',
  ],
}

/** Go. All five of its modes of execution, batches and pipelines, COPY, types both ways, large objects, database/sql. */
export const pgx: Suite = {
  name: 'pgx',
  databases: ['pgx_test'],
  user: 'postgres',
  setup: 'create extension hstore; create extension ltree; create domain uint64 as numeric(20, 0)',
  install: () => installGo(PGX),
  run: (folder, side, selection) => runGo(PGX, folder, side, selection),
}
