import { hostname } from 'node:os'
import type { AccessEvent, WorkerId } from '@countersign/contracts'
import type { EventLog, Position } from '@countersign/eventlog'
import { faultOf, type Logger } from '@countersign/platform'
import { CheckpointFile, retiredSlots, type ResumePoint } from './checkpoint.ts'
import { findUnfinished } from './find-unfinished.ts'
import type { Recorder } from './recorder.ts'
import { slotOf, takeSlot, type SlotLock } from './slot.ts'
import { closingEvents, follow, nothingUnfinished, type LifeEvent, type Unfinished } from './unfinished.ts'

/** Which worker of which node this is, and where it keeps what it needs to start again. */
export interface WorkerPlace {
  readonly worker: WorkerId
  readonly version: string
  /** Name of the node. */
  readonly name: string
  readonly state: string
  readonly index: number
  readonly workers: number
}

/**
 * What a worker writes down of itself: that it started, works, was reloaded and stopped. And what whoever had its slot
 * before has left open, which it closes; what it would leave open itself is in the checkpoint.
 */
export class WorkerRecord {
  readonly #place: WorkerPlace
  readonly #log: EventLog
  readonly #recorder: Recorder
  readonly #logger: Logger
  readonly #now: () => string
  readonly #checkpoint: CheckpointFile
  #slot: SlotLock | undefined
  #found: ResumePoint | undefined
  #position: Position | undefined
  #unfinished: Unfinished = nothingUnfinished()

  constructor(place: WorkerPlace, log: EventLog, recorder: Recorder, logger: Logger, now: () => string) {
    this.#place = place
    this.#log = log
    this.#recorder = recorder
    this.#logger = logger
    this.#now = now
    this.#checkpoint = new CheckpointFile(place.state, slotOf(place.name, place.index))
  }

  /** Takes the slot and closes what was left in it. Rejects when it is in use. */
  async start(): Promise<void> {
    const { name, state, index, workers } = this.#place
    this.#slot = await takeSlot(state, slotOf(name, index))
    const from = this.#checkpoint.read()
    const retired = index === 0 ? retiredSlots(state, name, workers) : []
    // Without a resume point nobody knows which other slots there have been, unless they have one.
    const takesOver = index === 0 && Object.keys(from.cursor).length === 0 && retired.length === 0
    const isOurs = (each: number) => each === index || (takesOver && each >= workers)
    this.#found = await findUnfinished(this.#log, name, isOurs, from)
    this.#checkpoint.write(this.#found.cursor, this.#found.heads, this.#found.unfinished)
    this.#started(this.#found.unfinished)
    await this.#closeRetired(retired)
  }

  reloaded(changes: readonly string[]): void {
    this.#add('node.reloaded', { changed: changes.slice(0, CHANGES_TOLD_MAX) })
  }

  heartbeat(sessions: number, policyVersion: string | undefined): void {
    const { intended } = this.#recorder
    this.#add('node.heartbeat', {
      sessions,
      statements: intended,
      ...(policyVersion !== undefined && { policyVersion }),
    })
    this.save()
  }

  /** The last that is written. Nothing is said of a worker that has not come so far as to start. */
  stopped(): void {
    if (this.#found) this.#add('node.stopped', { because: 'asked' })
  }

  /** These are durable now, up to there. */
  written(events: readonly LifeEvent[], position: Position): void {
    for (const event of events) follow(this.#unfinished, event)
    this.#position = position
  }

  /** Behind the last of our own records: everything of this slot before it is in `unfinished`, or has ended. */
  save(): void {
    if (!this.#position || !this.#found) return
    const { partition, offset } = this.#position
    const { worker } = this.#place
    const heads = new Map([...this.#found.heads, [worker as string, this.#recorder.durable] as const])
    try {
      this.#checkpoint.write({ ...this.#found.cursor, [partition]: offset + 1 }, heads, this.#unfinished)
    } catch (error) {
      this.#logger.warn('the checkpoint could not be written: the next start takes longer', faultOf(error))
    }
  }

  /** Another process may have the slot. */
  release(): void {
    this.#slot?.release()
  }

  #add(type: AccessEvent['type'], data: object): void {
    this.#recorder.add({ type, data: { worker: this.#place.worker, ...data, at: this.#now() } } as AccessEvent)
  }

  #started(left: Unfinished): void {
    this.#closeLeft(left)
    // Open until what closes it is durable: then `written` takes it out.
    this.#unfinished = left
    this.#add('node.started', { version: this.#place.version, host: hostname(), processId: process.pid })
  }

  /** Returns the record that closes what an earlier process had left open. */
  #closeLeft(left: Unfinished): number {
    const at = this.#now()
    const { sessions, statements } = left
    if (statements.size + sessions.size > 0) {
      const counts = { sessions: sessions.size, statements: statements.size }
      this.#logger.warn('ended what an earlier start had left', counts)
    }
    return closingEvents(left, at).reduce((_, event) => this.#recorder.add(event), 0)
  }

  /** What was left in places that this node, which has fewer workers now, does not fill any more. */
  async #closeRetired(slots: readonly number[]): Promise<void> {
    const { name, state } = this.#place
    for (const index of slots) {
      const slot = await takeSlot(state, slotOf(name, index))
      const file = new CheckpointFile(state, slotOf(name, index))
      const left = await findUnfinished(this.#log, name, (each) => each === index, file.read())
      const over = () => {
        file.write(left.cursor, left.heads, nothingUnfinished(), true)
        slot.release()
      }
      const record = this.#closeLeft(left.unfinished)
      if (record === 0) over()
      else {
        const failed = (error: unknown) => {
          slot.release()
          this.#logger.warn('what a worker had left is recorded, and will be recorded again', faultOf(error))
        }
        this.#recorder.whenRecorded(record, { recorded: over, unrecorded: () => slot.release(), failed })
      }
    }
  }
}

const CHANGES_TOLD_MAX = 100
