import {
  commitHeaders,
  TOPICS,
  writeAccessEvent,
  type AccessEvent,
  type SealedPart,
  type WorkerId,
} from '@countersign/contracts'
import type { EventLog, Position } from '@countersign/eventlog'
import type { DataKeys } from './data-keys.ts'
import type { LifeEvent } from './unfinished.ts'

/** Someone who may go on only when the record is durable. Told once, and never before `add` has returned. */
export interface Waiter {
  recorded(): void
  /** The log cannot be written. The record is still in the queue and will be written when the log is back. */
  unrecorded(): void
  /** It has thrown when it was told. That is its own affair: neither the log's nor another session's. */
  failed(error: unknown): void
}

export interface RecorderOptions {
  readonly log: Pick<EventLog, 'append'>
  readonly worker: WorkerId
  readonly keys: DataKeys
  readonly newId: () => string
  readonly now: () => string
  /** Told when the log goes away and when it is back, for the operator's log. */
  readonly changed?: (available: boolean, reason: string) => void
  /** Told of each event that is not a statement's own, as it comes. */
  readonly added?: (event: AccessEvent) => void
  /** Told of each record that is durable, in order, with what it says of things begun and ended. */
  readonly written?: (events: readonly LifeEvent[], position: Position) => void
}

/** Whether somebody waits for the record, or it may go along with the next one for which somebody does. */
export type Urgency = 'now' | 'soon'

/** How long `soon` may last. */
const SOON_MS = 10
/** Kafka takes a megabyte by default, headers and base64 included. */
const RECORD_BYTES_MAX = 600_000
/** Longer texts are recorded by digest and beginning only. */
export const SEALED_BYTES_MAX = 256 * 1024
const RETRY_MS = 200
/** Turns of the event loop for which a record may be put off. */
const TURNS_MAX = 8

/**
 * The worker's own stream in the log: a group commit of the events of all its sessions (DESIGN.md, section 4).
 *
 * INVARIANT record-first: a record is on its way only when the one before it is durable, so the stream's revisions
 * are dense and in order, and `durable` says all there is to say.
 */
export class Recorder {
  readonly #options: RecorderOptions
  #filling = new Group(1)
  readonly #full: Group[] = []
  /** Somebody waits for what is being filled. */
  #wanted = false
  #soon: NodeJS.Timeout | undefined
  #scheduled = false
  #writing = false
  #degraded: { readonly at: string; refused: number } | undefined
  #idle: (() => void)[] = []
  #closed = false

  /** Records up to this number are durable. */
  durable = 0
  /** Statements intended since the start. */
  intended = 0

  constructor(options: RecorderOptions) {
    this.#options = options
  }

  /** False from the first failed write until one succeeds. Meanwhile statements are refused, and counted. */
  get available(): boolean {
    return this.#degraded === undefined
  }

  countRefusal(): void {
    if (this.#degraded) this.#degraded.refused += 1
  }

  /** Puts an event into the next record. Returns that record's number. */
  add(event: AccessEvent, when: Urgency = 'soon'): number {
    this.#options.added?.(event)
    return this.addText(event, JSON.stringify(writeAccessEvent(event)), when)
  }

  /** The same for an event that is text already; `event` is what must be remembered of it (`follow`). */
  addText(event: LifeEvent, text: string, when: Urgency): number {
    const group = this.#filling
    group.add(event, text)
    if (event.type === 'statement.intended') this.intended += 1
    if (group.bytes >= RECORD_BYTES_MAX) this.#turn()
    if (when === 'now') this.#wanted = true
    if (this.#wanted || this.#full.length > 0) this.#schedule()
    // A timer even while a record is on its way: nobody waits for this one, so nothing else would bring it out.
    if (!this.#wanted) this.#soon ??= setTimeout(() => this.#want(), SOON_MS)
    return group.record
  }

  /**
   * Puts a statement's exact bytes into the sealed part of the record that the next `add` goes into. Commands of one
   * text hand over the same buffer, and share its place: else a text of n commands would be written n times.
   */
  seal(bytes: Buffer): SealedPart | undefined {
    return bytes.length <= SEALED_BYTES_MAX ? this.#filling.seal(bytes) : undefined
  }

  /** Tells the waiter when the record is durable, or at once that the log is down. */
  whenRecorded(record: number, waiter: Waiter): void {
    const group = record === this.#filling.record ? this.#filling : this.#full.find((each) => each.record === record)
    group?.waiters.push(waiter)
  }

  /** Resolves when everything that was added is durable, or when the log is down. */
  async flushed(): Promise<void> {
    if (this.#filling.empty && this.#full.length === 0) return
    this.#want()
    await new Promise<void>((resolve) => this.#idle.push(resolve))
  }

  /** Writes what is left, unless the log is down. */
  async close(): Promise<void> {
    await this.flushed()
    this.#closed = true
  }

  #want(): void {
    this.#wanted = true
    this.#schedule()
  }

  #schedule(): void {
    if (this.#scheduled || this.#writing) return
    this.#scheduled = true
    this.#gather(0)
  }

  /**
   * Each turn of the event loop that brings another statement puts the record off by one: what comes together is
   * written together, and a statement that is alone waits for nobody.
   */
  #gather(turns: number): void {
    const seen = this.intended
    setImmediate(() => {
      if (this.intended > seen && turns < TURNS_MAX && this.#full.length === 0) return this.#gather(turns + 1)
      this.#scheduled = false
      if (!this.#writing) void this.#write()
    })
  }

  #turn(): void {
    clearTimeout(this.#soon)
    this.#soon = undefined
    this.#wanted = false
    this.#full.push(this.#filling)
    this.#filling = new Group(this.#filling.record + 1)
  }

  async #write(): Promise<void> {
    this.#writing = true
    if (this.#full.length === 0 && this.#wanted && !this.#filling.empty) this.#turn()
    while (!this.#closed) {
      const group = this.#full[0]
      if (!group) break
      try {
        const position = await this.#append(group)
        this.#full.shift()
        this.#succeeded(group, position)
      } catch (error) {
        this.#failed(error)
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS))
      }
    }
    this.#writing = false
    if (this.#wanted && !this.#filling.empty && !this.#closed) this.#schedule()
    else this.#release()
  }

  #append(group: Group): Promise<Position> {
    const { log, worker, keys, newId, now } = this.#options
    const commitId = group.commitId ?? newId()
    group.commitId = commitId
    const value = group.encode(worker, commitId, keys)
    const source = `/countersign/node/${worker}`
    const headers = commitHeaders({ commitId, stream: worker }, source, now(), group.firstType)
    return log.append(TOPICS.access, { key: worker, headers, value })
  }

  #succeeded(group: Group, position: Position): void {
    this.durable = group.record
    this.#recover()
    this.#options.written?.(group.events, position)
    for (const waiter of group.waiters) tell(waiter, 'recorded')
  }

  #failed(error: unknown): void {
    if (this.available) {
      const reason = error instanceof Error ? error.message : String(error)
      const at = this.#options.now()
      this.#degraded = { at, refused: 0 }
      this.#options.changed?.(false, reason)
      this.add({ type: 'audit.degraded', data: { worker: this.#options.worker, reason, at } } as AccessEvent, 'now')
    }
    for (const group of [...this.#full, this.#filling]) {
      const waiters = group.waiters.splice(0)
      for (const waiter of waiters) tell(waiter, 'unrecorded')
    }
    this.#release()
  }

  #recover(): void {
    const degraded = this.#degraded
    if (!degraded) return
    this.#degraded = undefined
    const { worker, now, changed } = this.#options
    const data = { worker, degradedAt: degraded.at, recoveredAt: now(), refused: degraded.refused }
    this.add({ type: 'audit.recovered', data } as AccessEvent)
    changed?.(true, 'written again')
  }

  #release(): void {
    const idle = this.#idle
    this.#idle = []
    for (const resolve of idle) resolve()
  }
}

const tell = (waiter: Waiter, what: 'recorded' | 'unrecorded'): void => {
  try {
    waiter[what]()
  } catch (error) {
    waiter.failed(error)
  }
}

/** The events of one record to be. */
class Group {
  readonly record: number
  readonly events: LifeEvent[] = []
  readonly waiters: Waiter[] = []
  readonly #json: string[] = []
  readonly #sealed: Buffer[] = []
  #sealedBytes = 0
  #lastSealed: { readonly bytes: Buffer; readonly part: SealedPart } | undefined
  #encoded: Buffer | undefined
  bytes = 0
  commitId: string | undefined

  constructor(record: number) {
    this.record = record
  }

  get empty(): boolean {
    return this.events.length === 0
  }

  get firstType(): string {
    return this.events[0]?.type ?? 'none'
  }

  add(event: LifeEvent, json: string): void {
    this.events.push(event)
    this.#json.push(json)
    this.bytes += json.length
  }

  seal(bytes: Buffer): SealedPart {
    if (this.#lastSealed?.bytes === bytes) return this.#lastSealed.part
    const part: SealedPart = [this.#sealedBytes, bytes.length]
    this.#sealed.push(Buffer.from(bytes))
    this.#sealedBytes += bytes.length
    this.bytes += (bytes.length * 4) / 3
    this.#lastSealed = { bytes, part }
    return part
  }

  /** FORMAT commit/1. Encoded once: a record that is tried again is the same, byte for byte. */
  encode(worker: WorkerId, commitId: string, keys: DataKeys): Buffer {
    this.#encoded ??= Buffer.from(
      `{"stream":${JSON.stringify(worker)},"revision":${this.record},"commitId":"${commitId}",` +
        `"events":[${this.#json.join(',')}]${this.#sealedPart(keys)}}`,
    )
    return this.#encoded
  }

  #sealedPart(keys: DataKeys): string {
    if (this.#sealedBytes === 0) return ''
    return `,"sealed":${JSON.stringify(keys.seal(Buffer.concat(this.#sealed)))}`
  }
}
