import { setTimeout as sleep } from 'node:timers/promises'
import { supervise, type Running, type Supervised } from '@countersign/platform'
import type { Report } from './report.ts'

/** How each process is started. They say what; the stack says when. */
export interface Starters {
  readonly postgres: Starter
  /** Absent when ClickHouse is somebody else's. */
  readonly clickhouse?: Starter
  readonly control: Starter
  readonly proxy: Starter
  readonly audit: Starter
  /** Fills the demo database; once it is there this is quick. */
  readonly demoData: () => Promise<string>
}

const SETTLE_MS = 1_500

export type Starter = (stopping: AbortSignal) => Promise<Running>

export interface Stack {
  /** By name, as they run now. */
  readonly processes: ReadonlyMap<string, number>
  stop(): Promise<void>
}

/** How long each wave may take to stop: the node first, the stores last, less than 10 seconds in all. */
const WAVES = [
  { names: ['proxy'], graceMs: 3_500 },
  { names: ['control', 'audit'], graceMs: 2_500 },
  { names: ['clickhouse', 'postgres'], graceMs: 1_500 },
] as const

/**
 * Starts everything that does not wait for something else at the same time, keeps it running, and tells of every
 * change. When one thing cannot be started, or the signal is given, what was started is stopped again.
 */
export const startStack = async (
  starters: Starters,
  report: Report,
  changed: () => void,
  stopped: AbortSignal,
): Promise<Stack> => {
  const stopping = new AbortController()
  const signal = AbortSignal.any([stopping.signal, stopped])
  const processes = new Map<string, number>()
  const started: Supervised[] = []

  const run = async (name: string, start: Starter) => {
    signal.throwIfAborted()
    const onReady = (pid: number) => {
      report.step(name, processes.has(name) ? `runs again (pid ${pid})` : 'ready')
      processes.set(name, pid)
      changed()
    }
    started.push(await supervise({ name, start, onReady, onTrouble: (because) => report.step(name, because) }, signal))
  }

  const stop = async () => {
    stopping.abort()
    await stopAll(started)
    // What becomes ready while the others are being stopped. What does not ends with us: every child watches for that.
    await Promise.race([Promise.allSettled(starts), sleep(SETTLE_MS, undefined, { ref: false })])
    await stopAll(started)
  }

  const starts = schedule(starters, run, report)
  try {
    await untilAllOr(signal, starts)
  } catch (error) {
    await stop()
    throw error
  }
  return { processes, stop }
}

const schedule = (
  { postgres, clickhouse, control, proxy, audit, demoData }: Starters,
  run: (name: string, start: Starter) => Promise<void>,
  report: Report,
): readonly Promise<void>[] => {
  const stores = run('postgres', postgres)
  const filled = stores.then(demoData).then((what) => report.step('demo data', what))
  const analytics = clickhouse ? run('clickhouse', clickhouse) : Promise.resolve()
  return [filled.then(() => run('proxy', proxy)), run('control', control), analytics.then(() => run('audit', audit))]
}

const untilAllOr = async (signal: AbortSignal, starts: readonly Promise<void>[]): Promise<void> => {
  const { promise: stopped, reject } = Promise.withResolvers<never>()
  const stop = () => reject(signal.reason)
  signal.addEventListener('abort', stop)
  try {
    signal.throwIfAborted()
    await Promise.race([Promise.all(starts), stopped])
  } finally {
    signal.removeEventListener('abort', stop)
  }
}

const stopAll = async (started: Supervised[]): Promise<void> => {
  const parts = started.splice(0)
  for (const { names, graceMs } of WAVES) {
    const wave = parts.filter(({ name }) => names.some((each) => each === name))
    await Promise.all(wave.map((part) => part.stop(graceMs)))
  }
}
