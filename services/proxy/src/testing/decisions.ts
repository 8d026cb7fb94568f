import { TOPICS, writeDecisionEvent, type DecisionEvent } from '@countersign/contracts'
import type { EventLog } from '@countersign/eventlog'

type Plain<T> = T extends string
  ? string
  : T extends number | boolean | undefined
    ? T
    : T extends readonly (infer Item)[]
      ? readonly Plain<Item>[]
      : { readonly [Key in keyof T]: Plain<T[Key]> }

export type DataOf<Type extends DecisionEvent['type']> = Plain<Extract<DecisionEvent, { type: Type }>['data']>

export const AT = '2026-11-22T12:00:00.000Z'

/** Control, as nodes see it: what it writes to cs.decisions. */
export class FakeControl {
  readonly #log: EventLog
  readonly #revisions = new Map<string, number>()
  #commits = 0

  constructor(log: EventLog) {
    this.#log = log
  }

  /** Decides about one subject, which is its own stream. */
  async decides<Type extends DecisionEvent['type']>(subject: string, type: Type, data: DataOf<Type>): Promise<void> {
    await this.writes(subject, [writeDecisionEvent({ type, data } as unknown as DecisionEvent)])
  }

  /** A commit of whatever events, known or not. */
  async writes(subject: string, events: readonly object[], revision = this.#next(subject)): Promise<void> {
    const commitId = `0192f7a0-0000-7000-8000-${String(++this.#commits).padStart(12, '0')}`
    await this.writesBytes(subject, Buffer.from(JSON.stringify({ stream: subject, revision, commitId, events })))
  }

  async writesBytes(subject: string, value: Buffer): Promise<void> {
    await this.#log.append(TOPICS.decisions, { key: subject, headers: {}, value })
  }

  #next(subject: string): number {
    const revision = (this.#revisions.get(subject) ?? 0) + 1
    this.#revisions.set(subject, revision)
    return revision
  }
}
