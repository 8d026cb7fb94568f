import { createRequire } from 'node:module'
import { join } from 'node:path'
import { startClickhouse, type RunningClickhouse } from '@countersign/clickhouse'
import { startNodeService, startPostgres, type StartedProcess } from '@countersign/platform'
import type { Home } from '../home.ts'
import { ensureDemoDatabase } from './demo-database.ts'
import type { Ports } from './ports.ts'
import type { Secrets } from './secrets.ts'
import type { Starter, Starters } from './stack.ts'

const READY_TIMEOUT_MS = 60_000

/** The modules of our services. A test may run others in their place. */
export type ServiceEntries = Readonly<Record<'proxy' | 'control' | 'audit', string>>

export const serviceEntries = (): ServiceEntries => {
  const main = (name: string) => createRequire(import.meta.url).resolve(`@countersign/${name}`)
  return { proxy: main('proxy'), control: main('control'), audit: main('audit') }
}

export interface ProcessPlan {
  readonly home: Home
  readonly ports: Ports
  readonly secrets: Secrets
  readonly entries: ServiceEntries
  readonly env: NodeJS.ProcessEnv
  readonly ownClickhouse: boolean
  /** Told of every process as soon as it exists. */
  readonly onSpawn: (name: string, pid: number) => void
  /** Told of the processes that a service has started itself, whenever they change. */
  readonly onProcesses: (service: string, processes: readonly StartedProcess[]) => void
}

export const startersOf = (plan: ProcessPlan): Starters => ({
  postgres: postgresStarter(plan),
  ...(plan.ownClickhouse && { clickhouse: clickhouseStarter(plan) }),
  control: serviceStarter('control', plan),
  proxy: serviceStarter('proxy', plan),
  audit: serviceStarter('audit', plan),
  demoData: async () => {
    const { ports, secrets } = plan
    const server = { port: ports.postgres, superuserPassword: secrets.postgres, passwords: secrets.roles }
    return ensureDemoDatabase(server)
  },
})

/**
 * The SQL parser is one huge function of WebAssembly. Left to itself, V8 optimises it a second after the start, takes
 * 500 MiB for that, and gains nothing that can be measured.
 */
const NODE_ARGS: Partial<Record<keyof ServiceEntries, readonly string[]>> = { proxy: ['--liftoff-only'] }

const serviceStarter =
  (name: keyof ServiceEntries, { home, entries, env, onSpawn, onProcesses }: ProcessPlan): Starter =>
  (stopping) =>
    startNodeService(
      {
        name,
        entry: entries[name],
        args: ['--config', home.config],
        nodeArgs: NODE_ARGS[name] ?? [],
        env,
        logFile: join(home.logs, `${name}.log`),
        readyTimeoutMs: READY_TIMEOUT_MS,
        onSpawn: (pid) => onSpawn(name, pid),
        onProcesses: (processes) => onProcesses(name, processes),
      },
      stopping,
    )

const postgresStarter =
  ({ home, ports, secrets }: ProcessPlan): Starter =>
  (stopping) =>
    startPostgres(
      {
        directory: home.postgres,
        port: ports.postgres,
        password: secrets.postgres,
        logFile: join(home.logs, 'postgres.log'),
      },
      stopping,
    )

export const CLICKHOUSE_USER = 'countersign'
export const CLICKHOUSE_READER = 'sre'

const clickhouseStarter =
  ({ home, ports, secrets, onSpawn }: ProcessPlan): Starter =>
  async () => {
    const { promise: ended, resolve } = Promise.withResolvers<string>()
    const server = await startClickhouse({
      directory: home.clickhouse,
      httpPort: ports.clickhouseHttp,
      user: CLICKHOUSE_USER,
      password: secrets.clickhouse,
      readers: [{ user: CLICKHOUSE_READER, password: secrets.clickhouseReader }],
      onExit: ({ code, signal }) => resolve(signal ?? `exit code ${code}`),
    })
    onSpawn('clickhouse', server.pid)
    const stop = async (graceMs: number) => {
      await stopWithin(graceMs, server)
      resolve('stopped')
    }
    return { pid: server.pid, ended, stop }
  }

const stopWithin = async (graceMs: number, server: RunningClickhouse): Promise<void> => {
  const impatience = setTimeout(() => process.kill(server.pid, 'SIGKILL'), graceMs)
  await server.stop()
  clearTimeout(impatience)
}
