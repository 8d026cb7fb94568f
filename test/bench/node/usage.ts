import { readFileSync } from 'node:fs'

/** What Linux accounts a process with, all its threads together. */
export interface Usage {
  readonly cpuMs: number
  readonly rssMiB: number
  /** The most that it has ever held. */
  readonly peakMiB: number
}

/** Of `/proc/<pid>/stat`; `sysconf(_SC_CLK_TCK)` is 100 on every Linux that we run on. */
const TICK_MS = 10

export const usageOf = (pid: number): Usage => {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const mib = (name: string) => Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(status)?.[1] ?? 0) / 1024
  return {
    cpuMs: (Number(fields[11]) + Number(fields[12])) * TICK_MS,
    rssMiB: mib('VmRSS'),
    peakMiB: mib('VmHWM'),
  }
}
