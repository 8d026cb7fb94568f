import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { LoneNode } from '../support/lone-node.ts'

const SAMPLE_MS = 250

/** Resident memory of a node, its worker processes together, in MiB. */
export const residentMiB = ({ pids }: LoneNode): number =>
  pids.reduce((sum, pid) => sum + statusOf(pid, 'VmRSS'), 0) / 1_024

const statusOf = (pid: number, field: string): number => {
  try {
    return Number(new RegExp(`${field}:\\s+(\\d+)`).exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0)
  } catch {
    return 0 // Gone meanwhile.
  }
}

const REST_MS = 1_500
const REST_BYTES_MAX = 512 * 1_024
const REST_TIMEOUT_MS = 120_000

/** Waits until a node reads nothing to speak of any more. Gives how many bytes it has read since it had read `from`. */
export const readAtRest = async (node: LoneNode, from: number): Promise<number> => {
  const deadline = performance.now() + REST_TIMEOUT_MS
  for (let before = readBytes(node); ;) {
    await sleep(REST_MS)
    const now = readBytes(node)
    if (now - before < REST_BYTES_MAX || performance.now() > deadline) return now - from
    before = now
  }
}

/** What its processes have read so far, from files and sockets. */
export const readBytes = ({ pids }: LoneNode): number =>
  pids.reduce((sum, pid) => sum + Number(/rchar: (\d+)/.exec(readFileSync(`/proc/${pid}/io`, 'utf8'))?.[1] ?? 0), 0)

/** Memory that a process has for itself and its share of what it has with others, in MiB. */
export const proportionalMiB = (pid: number): number => {
  try {
    return Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1] ?? 0) / 1_024
  } catch {
    return 0
  }
}

export interface Watched<T> {
  readonly value: T
  readonly seconds: number
  readonly beforeMiB: number
  readonly peakMiB: number
}

/** Does something, and looks at the node's memory meanwhile. */
export const watched = async <T>(node: LoneNode, work: () => Promise<T>): Promise<Watched<T>> => {
  const beforeMiB = residentMiB(node)
  let peakMiB = beforeMiB
  const sample = setInterval(() => (peakMiB = Math.max(peakMiB, residentMiB(node))), SAMPLE_MS)
  const started = performance.now()
  try {
    const value = await work()
    return { value, seconds: (performance.now() - started) / 1_000, beforeMiB, peakMiB }
  } finally {
    clearInterval(sample)
  }
}
