import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Cursor, Heads } from '@countersign/eventlog'
import { slotOf } from './slot.ts'
import { nothingUnfinished, type Unfinished } from './unfinished.ts'

/*
 * Where to begin reading when a worker starts again. The file saves time and nothing else: without any the log is
 * read from its start, to the same result. A slot has its file before its first record is written.
 */
interface Checkpoint {
  readonly cursor: Cursor
  readonly heads: readonly (readonly [string, number])[]
  readonly unfinished: { readonly [K in keyof Unfinished]: readonly (readonly [unknown, unknown])[] }
  /** The slot is not used any more, and everything in it has been closed. */
  readonly over?: boolean
}

/** From where on a slot has to be looked at, and what was open in it by then. */
export interface ResumePoint {
  readonly cursor: Cursor
  readonly heads: Heads
  readonly unfinished: Unfinished
}

/** Keeps the checkpoint file of one worker slot. */
export class CheckpointFile {
  readonly #file: string

  constructor(stateFolder: string, slot: string) {
    mkdirSync(stateFolder, { recursive: true, mode: 0o700 })
    this.#file = join(stateFolder, `checkpoint.${slot.replaceAll('/', '.')}.json`)
  }

  write(cursor: Cursor, heads: Heads, unfinished: Unfinished, over = false): void {
    const checkpoint: Checkpoint = {
      cursor,
      heads: [...heads],
      unfinished: {
        workers: [...unfinished.workers],
        sessions: [...unfinished.sessions],
        statements: [...unfinished.statements],
        holds: [...unfinished.holds],
      },
      ...(over && { over }),
    }
    writeFileSync(`${this.#file}.new`, JSON.stringify(checkpoint), { mode: 0o600 })
    renameSync(`${this.#file}.new`, this.#file)
  }

  read(): ResumePoint {
    try {
      const { cursor, heads, unfinished } = JSON.parse(readFileSync(this.#file, 'utf8')) as Checkpoint
      const maps = Object.fromEntries(Object.entries(unfinished).map(([name, entries]) => [name, new Map(entries)]))
      return { cursor, heads: new Map(heads), unfinished: maps as unknown as Unfinished }
    } catch {
      return { cursor: {}, heads: new Map(), unfinished: nothingUnfinished() }
    }
  }

  /** A slot without a file has never been used; one that is over has nothing open. Neither has to be looked through. */
  get unused(): boolean {
    if (!existsSync(this.#file)) return true
    try {
      return (JSON.parse(readFileSync(this.#file, 'utf8')) as Checkpoint).over === true
    } catch {
      return false
    }
  }
}

/**
 * Gives every slot of a node its file, before any worker starts. A slot that is used for the first time, or again,
 * begins where another one has come to. Where no slot has a file the log has to be read from its start.
 */
export const seedSlots = (stateFolder: string, node: string, workers: number): void => {
  mkdirSync(stateFolder, { recursive: true, mode: 0o700 })
  const used = slotsWithFiles(stateFolder, node).filter((index) => !fileOf(stateFolder, node, index).unused)
  const [first] = used
  const from = first === undefined ? {} : fileOf(stateFolder, node, first).read().cursor
  for (let index = 0; index < workers; index++) {
    const file = fileOf(stateFolder, node, index)
    if (file.unused) file.write(from, new Map(), nothingUnfinished())
  }
}

/** Slots that the node had when it had more workers, and in which something may be open. */
export const retiredSlots = (stateFolder: string, node: string, workers: number): readonly number[] =>
  slotsWithFiles(stateFolder, node).filter((index) => index >= workers && !fileOf(stateFolder, node, index).unused)

const fileOf = (stateFolder: string, node: string, index: number): CheckpointFile =>
  new CheckpointFile(stateFolder, slotOf(node, index))

const slotsWithFiles = (stateFolder: string, node: string): readonly number[] =>
  readdirSync(stateFolder)
    .flatMap((name) => {
      if (!name.startsWith(`checkpoint.${node}.`)) return []
      const [, index] = /^w(\d+)\.json$/.exec(name.slice(`checkpoint.${node}.`.length)) ?? []
      return index === undefined ? [] : [Number(index)]
    })
    .sort((a, b) => a - b)
