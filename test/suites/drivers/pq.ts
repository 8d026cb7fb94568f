import type { Suite } from '../suite.ts'
import { installGo, runGo, type GoSuite } from './go.ts'

const PQ: GoSuite = {
  name: 'pq',
  module: 'github.com/lib/pq',
  environment: ({ port, password }) => ({
    PGHOST: '127.0.0.1',
    PGPORT: String(port),
    PGUSER: 'pqgo',
    PGPASSWORD: password,
    PGDATABASE: 'pqgo',
    PGSSLMODE: 'disable',
  }),
  few: ['.', '-run', '^Test(Array|Bytea|Copy|Error|Exec|Notice|Null|Prepare|Query|Row|Time|Tx)'],
}

/** Go. database/sql only: simple and extended protocol, COPY, LISTEN. */
export const pq: Suite = {
  name: 'pq',
  databases: ['pqgo'],
  user: 'pqgo',
  install: () => installGo(PQ),
  run: (folder, side, selection) => runGo(PQ, folder, side, selection),
}
