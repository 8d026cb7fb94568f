import { rmSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  dropPostgres,
  ensureSelfSigned,
  loadConfig,
  stopLeftoverPostgres,
  type ClickhouseConfig,
  type Config,
  type LogConfig,
  type StartedProcess,
} from '@countersign/platform'
import type { Io } from '../command.ts'
import { dataFolders, type Home } from '../home.ts'
import { removeReady, writeReady, type Ready } from '../ready-file.ts'
import { serviceEnvironment } from '../service-environment.ts'
import { writeFileAtomically } from '../write-file.ts'
import { ChildrenFile, endLeftovers } from './children-file.ts'
import { renderConfig } from './config-file.ts'
import { ensureDirectoryFiles } from './directory-files.ts'
import { lockHome } from './home-lock.ts'
import { assertPortsFree, type Ports, type Wanted } from './ports.ts'
import { CLICKHOUSE_READER, CLICKHOUSE_USER, serviceEntries, startersOf, type ServiceEntries } from './processes.ts'
import { readyOf } from './ready.ts'
import type { Report } from './report.ts'
import { ensureSecrets, type Secrets } from './secrets.ts'
import { startStack } from './stack.ts'

export interface UpOptions {
  readonly home: Home
  readonly ports: Ports
  readonly log: LogConfig
  /** Deletes the data of the home first. */
  readonly fresh: boolean
  /** For tests: other services than ours. */
  readonly entries?: ServiceEntries
}

/**
 * Runs the whole system on this machine until it is told to stop. Calls `onReady` once everything can be used.
 *
 * Throws when it cannot be started; then nothing of it runs any more.
 */
export const runUp = async (
  options: UpOptions,
  io: Io,
  report: Report,
  onReady: (ready: Ready) => void,
): Promise<void> => {
  const { home } = options
  const lock = lockHome(home)
  try {
    await clearAway(home, report)
    const prepared = await prepare(options, io)
    await runStack(options, prepared, io, report, onReady)
  } finally {
    removeReady(home.ready)
    lock.release()
  }
}

/** What an `up` that was killed may have left: a file that says it runs, and processes. */
const clearAway = async (home: Home, report: Report): Promise<void> => {
  removeReady(home.ready)
  const ended = await endLeftovers(home.children)
  await stopLeftoverPostgres(home.postgres)
  if (ended.length > 0) report.step('left over', `ended ${ended.join(', ')} of a start that was killed`)
}

interface Prepared {
  readonly config: Config
  readonly secrets: Secrets
  readonly clickhouse: ClickhouseConfig
  readonly ownClickhouse: boolean
  readonly env: NodeJS.ProcessEnv
}

/** Everything that can be wrong is found out before data is dropped and before a process is started. */
const prepare = async ({ home, ports, log, fresh }: UpOptions, io: Io): Promise<Prepared> => {
  const env = serviceEnvironment(io.env)
  const secrets = ensureSecrets(home)
  const foreign = foreignClickhouse(io.env)
  const clickhouse = foreign ?? embeddedClickhouse(ports, secrets)
  writeFileAtomically(home.config, renderConfig({ home, ports, log, clickhouse, secrets }))
  const config = loadConfig(home.config, env)
  await assertPortsFree(wantedPorts(config, ports, foreign === undefined))

  if (fresh) dropHomeData(home)
  ensureDirectoryFiles(home, secrets, io.now())
  await ensureSelfSigned({ certificate: home.certificate, key: home.key }, io.now())
  const reader = { ...clickhouse, user: CLICKHOUSE_READER, password: secrets.clickhouseReader }
  return { config, secrets, clickhouse: foreign ?? reader, ownClickhouse: foreign === undefined, env }
}

/** `CLICKHOUSE_URL` names a server of one's own; `CLICKHOUSE_USER`, `_PASSWORD` and `_DATABASE` go with it. */
const foreignClickhouse = (env: NodeJS.ProcessEnv): ClickhouseConfig | undefined => {
  const url = env['CLICKHOUSE_URL']
  if (!url) return undefined
  return {
    url,
    user: env['CLICKHOUSE_USER'] ?? 'default',
    password: env['CLICKHOUSE_PASSWORD'] ?? '',
    database: env['CLICKHOUSE_DATABASE'] ?? 'countersign',
  }
}

const embeddedClickhouse = (ports: Ports, secrets: Secrets): ClickhouseConfig => ({
  url: `http://127.0.0.1:${ports.clickhouseHttp}`,
  user: CLICKHOUSE_USER,
  password: secrets.clickhouse,
  database: 'countersign',
})

const wantedPorts = ({ node, control, audit }: Config, ports: Ports, ownClickhouse: boolean): readonly Wanted[] => {
  const host = '127.0.0.1'
  return [
    { name: 'node', ...node.listen },
    { name: 'API and console', ...control.listen },
    ...(ownClickhouse ? [{ name: 'ClickHouse', host, port: ports.clickhouseHttp }] : []),
    { name: 'demo PostgreSQL', host, port: ports.postgres },
    { name: 'audit', ...audit.listen },
    { name: 'node admin', ...node.admin },
  ]
}

/** Secrets and the certificate stay, so that what people have written down and pinned goes on working. */
const dropHomeData = (home: Home): void => {
  dropPostgres(home.postgres)
  for (const path of [...dataFolders(home), home.identities, home.owners]) {
    rmSync(path, { recursive: true, force: true })
  }
}

const runStack = async (
  { home, ports, entries = serviceEntries() }: UpOptions,
  { config, secrets, clickhouse, ownClickhouse, env }: Prepared,
  io: Io,
  report: Report,
  onReady: (ready: Ready) => void,
): Promise<void> => {
  const children = new ChildrenFile(home.children)
  const onSpawn = (name: string, pid: number) => children.record(name, pid)
  const parts = new Map<string, readonly StartedProcess[]>()
  const onProcesses = (service: string, processes: readonly StartedProcess[]) => {
    parts.set(
      service,
      processes.map(({ name, pid }) => ({ name: `${service}/${name}`, pid })),
    )
    for (const { name, pid } of parts.get(service) ?? []) onSpawn(name, pid)
    changed()
  }
  const starters = startersOf({ home, ports, secrets, entries, env, ownClickhouse, onSpawn, onProcesses })
  const ready = () => readyOf(config, secrets, clickhouse, withParts(stack.processes, parts))
  let isReady = false
  const changed = () => {
    if (isReady) writeReady(home.ready, ready())
  }

  const stack = await startStack(starters, report, changed, io.stopping)
  try {
    isReady = true
    changed()
    onReady(ready())
    await untilAborted(io.stopping)
    report.step('everything', 'stops')
  } finally {
    isReady = false
    removeReady(home.ready)
    await stack.stop()
    children.remove()
  }
}

/** The processes that services have started are named after them: `proxy/w0`. */
const withParts = (
  processes: ReadonlyMap<string, number>,
  parts: ReadonlyMap<string, readonly StartedProcess[]>,
): ReadonlyMap<string, number> =>
  new Map([...processes, ...[...parts.values()].flat().map(({ name, pid }): [string, number] => [name, pid])])

const untilAborted = async (signal: AbortSignal): Promise<void> => {
  // The timer keeps the process alive while it waits, whatever else is open.
  while (!signal.aborted) await sleep(60_000, undefined, { signal }).catch(() => undefined)
}
