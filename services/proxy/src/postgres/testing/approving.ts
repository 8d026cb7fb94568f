import { setTimeout as sleep } from 'node:timers/promises'
import { decodeCommit, TOPICS, type AccessEvent } from '@countersign/contracts'
import type { EventLog } from '@countersign/eventlog'
import { AT, type FakeControl } from '../../testing/decisions.ts'

type DataOf<Type extends AccessEvent['type']> = Extract<AccessEvent, { type: Type }>['data']

/** An owner who approves what is held, and what the node has recorded meanwhile. */
export class Approving {
  readonly #log: EventLog
  readonly #control: FakeControl

  constructor(log: EventLog, control: FakeControl) {
    this.#log = log
    this.#control = control
  }

  async events<Type extends AccessEvent['type']>(type: Type): Promise<readonly DataOf<Type>[]> {
    const records = await this.#log.read(TOPICS.access, {}, 100_000)
    return records
      .flatMap(({ value }) => decodeCommit(value).events)
      .filter((event) => event.type === type)
      .map(({ data }) => data as unknown as DataOf<Type>)
  }

  /** Starts something that is held, and waits until it is. */
  async heldBy<T>(work: () => Promise<T>) {
    const before = (await this.events('statement.held')).length
    const running = work()
    const held = await this.#heldAfter(before, running)
    return { held, running }
  }

  async #heldAfter(before: number, running: Promise<unknown>): Promise<DataOf<'statement.held'>> {
    let over = false
    running.then(
      () => (over = true),
      () => (over = true),
    )
    for (;;) {
      const isOver = over
      const held = (await this.events('statement.held'))[before]
      if (held) return held
      if (isOver) throw new Error(`it was not held: ${String(await running)}`)
      await sleep(10)
    }
  }

  async approve({ requestId, statement }: DataOf<'statement.held'>): Promise<void> {
    await this.#control.decides(`approval/${requestId}`, 'approval.in-force', {
      requestId,
      phase: 'claimed',
      claimedBy: statement.statementId,
      principalId: statement.principal.id,
      sessionId: statement.sessionId,
      digest: statement.digest,
      target: statement.target,
      people: ['bo'],
      at: AT,
    })
  }

  /** Runs what is held, and approves it. */
  async approved<T>(work: () => Promise<T>) {
    const { held, running } = await this.heldBy(work)
    await this.approve(held)
    return { ended: await running, requestId: held.requestId, statementId: held.statement.statementId }
  }
}
