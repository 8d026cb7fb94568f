import { existsSync, readFileSync, rmSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { identityOf } from '@countersign/platform'
import { z } from 'zod'
import { jsonOf } from '../json.ts'
import { writeFileAtomically } from '../write-file.ts'

const Children = z.array(z.object({ name: z.string(), pid: z.int().positive(), identity: z.string() }))

/**
 * The processes that were started, on disk, for the `up` after one that was killed. A number alone would not do: it
 * may have been given to somebody else since, so the moment at which the process started is kept with it.
 */
export class ChildrenFile {
  readonly #file: string
  readonly #children = new Map<string, { readonly pid: number; readonly identity: string }>()

  constructor(file: string) {
    this.#file = file
  }

  record(name: string, pid: number): void {
    const identity = identityOf(pid)
    if (identity === undefined) return
    this.#children.set(name, { pid, identity })
    const list = [...this.#children].map(([name, child]) => ({ name, ...child }))
    writeFileAtomically(this.#file, JSON.stringify(list))
  }

  remove(): void {
    rmSync(this.#file, { force: true })
  }
}

/** Ends what an `up` that was killed left running in this home. Most of it has noticed by itself already. */
export const endLeftovers = async (file: string): Promise<readonly string[]> => {
  const children = existsSync(file) ? (Children.safeParse(jsonOf(readFileSync(file, 'utf8'))).data ?? []) : []
  const alive = children.filter(({ pid, identity }) => identityOf(pid) === identity)
  await Promise.all(alive.map(({ pid, identity }) => end(pid, identity)))
  rmSync(file, { force: true })
  return alive.map(({ name }) => name)
}

const GRACE_MS = 5_000
const POLL_MS = 50

const end = async (pid: number, identity: string): Promise<void> => {
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    signalTo(pid, signal)
    for (let waited = 0; waited < GRACE_MS; waited += POLL_MS) {
      if (identityOf(pid) !== identity) return
      await sleep(POLL_MS)
    }
  }
}

const signalTo = (pid: number, signal: NodeJS.Signals): void => {
  try {
    process.kill(pid, signal)
  } catch {
    // It has just ended.
  }
}
