import { resolve } from 'node:path'

/** Where everything of one `countersign up` lies. */
export interface Home {
  readonly directory: string
  readonly lock: string
  readonly holder: string
  readonly children: string
  readonly ready: string
  readonly secrets: string
  readonly config: string
  readonly identities: string
  readonly owners: string
  readonly certificate: string
  readonly key: string
  readonly eventLog: string
  readonly clickhouse: string
  readonly postgres: string
  readonly node: string
  readonly logs: string
}

export const HOME_DEFAULT = '.countersign'

export const homeAt = (directory: string = HOME_DEFAULT, cwd = '.'): Home => {
  const root = resolve(cwd, directory)
  const at = (...parts: readonly string[]) => resolve(root, ...parts)
  return {
    directory: root,
    lock: at('lock'),
    holder: at('lock.pid'),
    children: at('children.json'),
    ready: at('ready.json'),
    secrets: at('secrets.json'),
    config: at('countersign.yaml'),
    identities: at('identities.yaml'),
    owners: at('DATAOWNERS'),
    certificate: at('tls', 'node.crt'),
    key: at('tls', 'node.key'),
    eventLog: at('log'),
    clickhouse: at('clickhouse'),
    postgres: at('postgres'),
    node: at('node'),
    logs: at('logs'),
  }
}

/** What `up` fills, and `--fresh` drops. */
export const dataFolders = (home: Home): readonly string[] => [
  home.eventLog,
  home.clickhouse,
  home.postgres,
  home.node,
  home.logs,
]
