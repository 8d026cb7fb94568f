import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { RequestId } from '@countersign/contracts'
import { eraseKey, openAlone, sealAlone } from './data-keys.ts'

/*
 * FORMAT undo/1
 *   <state>/undo/<request>.json is { "expiresAt", "sealed": { "keyId", "iv", "tag", "data" } }: what rows were before a
 *   statement changed them, under a data key of its own (sealed/1). To erase that key is to erase the rows, whatever
 *   copies there are of the file.
 */

interface Kept {
  readonly expiresAt: string
  readonly sealed: Parameters<typeof openAlone>[1]
}

/** What rows were before approved statements changed them: encrypted, each for a time, then gone. */
export class UndoStore {
  readonly #stateFolder: string
  readonly #folder: string

  constructor(stateFolder: string) {
    this.#stateFolder = stateFolder
    this.#folder = join(stateFolder, 'undo')
  }

  /** On disk when it returns: nothing is committed before that. */
  keep(requestId: RequestId, expiresAt: string, plain: Buffer): void {
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 })
    const kept: Kept = { expiresAt, sealed: sealAlone(this.#stateFolder, keyIdOf(requestId), plain) }
    writeFileSync(this.#fileOf(requestId), JSON.stringify(kept), { mode: 0o600, flush: true })
  }

  /** Undefined when there is nothing, or nothing any more. */
  open(requestId: RequestId, now: string): Buffer | undefined {
    const kept = this.#read(requestId)
    if (!kept || kept.expiresAt <= now) return undefined
    if (kept.sealed.keyId !== keyIdOf(requestId))
      throw new Error(`what is kept for ${requestId} belongs to another request`)
    return openAlone(this.#stateFolder, kept.sealed)
  }

  erase(requestId: RequestId): void {
    eraseKey(this.#stateFolder, keyIdOf(requestId))
    rmSync(this.#fileOf(requestId), { force: true })
  }

  /** Erases what has expired, also while nobody was there. */
  expire(now: string): readonly RequestId[] {
    const expired = this.#all().filter((requestId) => (this.#read(requestId)?.expiresAt ?? '') <= now)
    for (const requestId of expired) this.erase(requestId)
    return expired
  }

  #all(): readonly RequestId[] {
    try {
      return readdirSync(this.#folder).map((name) => name.replace(/\.json$/, '') as RequestId)
    } catch {
      return [] // Nothing was ever kept.
    }
  }

  #read(requestId: RequestId): Kept | undefined {
    try {
      return JSON.parse(readFileSync(this.#fileOf(requestId), 'utf8')) as Kept
    } catch {
      return undefined
    }
  }

  #fileOf(requestId: RequestId): string {
    return join(this.#folder, `${requestId}.json`)
  }
}

const keyIdOf = (requestId: RequestId): string => `undo.${requestId}`
