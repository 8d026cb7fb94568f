import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'

/*
 * A slot is a worker's place in its node: `<node>/w<index>`. Processes come and go in it, one after the other; what
 * one of them leaves open in the record, the next one closes.
 */
export const slotOf = (node: string, index: number): string => `${node}/w${index}`

/** Whose stream this is: `<node>/w<index>/<boot>`. Undefined when it is not one of this node's workers. */
export const indexIn = (node: string, stream: string): number | undefined => {
  if (!stream.startsWith(`${node}/w`)) return undefined
  const [, index] = /^w(\d+)\//.exec(stream.slice(node.length + 1)) ?? []
  return index === undefined ? undefined : Number(index)
}

/** Somebody else still lives in the slot. */
export class SlotTakenError extends Error {
  readonly code = 'PROXY_SLOT_TAKEN'

  constructor(slot: string, pid: string, options?: ErrorOptions) {
    super(
      `worker slot ${slot} is still in use by process ${pid}: end it, or give each node its own name and state`,
      options,
    )
    this.name = 'SlotTakenError'
  }
}

export interface SlotLock {
  release(): void
}

/** A worker whose supervisor has died ends within seconds; until then its successor has to wait. */
const WAIT_MS = 15_000
const RETRY_MS = 25

/**
 * Waits until nobody else lives in the slot, and takes it. Two processes in one slot would both close what a third
 * has left open. The lock is SQLite's on an empty database, which is the kernel's: it goes when its process goes.
 */
export const takeSlot = async (stateFolder: string, slot: string, waitMs = WAIT_MS): Promise<SlotLock> => {
  mkdirSync(stateFolder, { recursive: true, mode: 0o700 })
  const file = join(stateFolder, `slot.${slot.replaceAll('/', '.')}.lock`)
  const giveUpAt = performance.now() + waitMs
  for (;;) {
    const database = new DatabaseSync(file, { timeout: 0 })
    try {
      database.exec('pragma locking_mode = exclusive; begin exclusive')
      writeFileSync(`${file}.pid`, `${process.pid}\n`, { mode: 0o600 })
      return { release: () => database.close() }
    } catch (cause) {
      database.close()
      if (performance.now() > giveUpAt) throw new SlotTakenError(slot, holderOf(file), { cause })
    }
    await sleep(RETRY_MS)
  }
}

const holderOf = (file: string): string => {
  try {
    return readFileSync(`${file}.pid`, 'utf8').trim()
  } catch {
    return 'of an unknown number'
  }
}
