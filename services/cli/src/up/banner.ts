import type { Home } from '../home.ts'
import { HOME_DEFAULT } from '../home.ts'
import type { Ready } from '../ready-file.ts'
import { DATABASE } from './demo-database.ts'
import { DEMO_PRINCIPALS } from './demo-principals.ts'

/** What people see when everything runs: how each demo person gets in, and one thing to try. */
export const banner = (home: Home, ready: Ready, cwd: string): string => {
  const at = home.directory === `${cwd}/${HOME_DEFAULT}` ? '' : ` --home ${home.directory}`
  const ana = ready.principals.find(({ id }) => id === 'ana')
  return [
    '',
    `Countersign is up. The database "${DATABASE}", through the node:`,
    '',
    ...ready.principals.map((principal) => `  ${label(principal.id)}  psql '${principal.dsn}'`),
    '',
    `  ${'console'.padEnd(LABEL_WIDTH)}  ${ready.console}  (sign in with a token: the password in a line above)`,
    `  ${'ClickHouse'.padEnd(LABEL_WIDTH)}  ${ready.clickhouse.url}  as ${ready.clickhouse.user}`,
    `  ${'all of it'.padEnd(LABEL_WIDTH)}  ${home.ready}`,
    '',
    'Try: in one terminal, as ana,',
    `  psql '${ana?.dsn ?? ''}' -c 'drop table customers'`,
    'and while it waits, in another, as bo, who owns the data,',
    `  npx countersign requests ls --as bo${at}`,
    `  npx countersign requests approve <id> --as bo${at}`,
    '',
    'Ctrl-C stops everything. The next start keeps the data; --fresh starts anew.',
  ].join('\n')
}

const LABEL_WIDTH = Math.max(...DEMO_PRINCIPALS.map(({ id, title }) => `${id}, ${title}`.length))

const label = (id: string): string => {
  const known = DEMO_PRINCIPALS.find((principal) => principal.id === id)
  return (known ? `${id}, ${known.title}` : id).padEnd(LABEL_WIDTH)
}
