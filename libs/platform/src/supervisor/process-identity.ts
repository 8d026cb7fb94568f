import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

/** Whether the process runs. One that has ended and only waits to be collected by its parent does not. */
export const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
  return stateOf(pid) !== 'Z'
}

/**
 * Says which process this is, so that a number that has been given to another one since is not taken for it:
 * the moment at which it started. Undefined when there is none.
 */
export const identityOf = (pid: number): string | undefined => {
  if (!isAlive(pid)) return undefined
  if (process.platform === 'linux') return fieldsOf(pid)?.[STARTED]
  try {
    return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim()
  } catch {
    return undefined
  }
}

// SPEC: proc(5), /proc/pid/stat. Counted from field 3, the first behind the name, which may itself hold spaces.
const STATE = 0
const STARTED = 19

const stateOf = (pid: number): string | undefined => fieldsOf(pid)?.[STATE]

const fieldsOf = (pid: number): readonly string[] | undefined => {
  if (process.platform !== 'linux') return undefined
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  } catch {
    return undefined
  }
}
