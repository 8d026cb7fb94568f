import { setTimeout as sleep } from 'node:timers/promises'
import { fold, type Decider } from '@countersign/kernel'
import type { StreamStore } from './stream-store.ts'

export type Handler<Command, Event> = (stream: string, command: Command) => Promise<readonly Event[]>

/** How long a command is tried. Who has just won decides first on what came of it, so losers may lose for a while. */
const TRY_MS = 5_000
const PAUSE_MS_MAX = 32

/**
 * Load, decide, append. Someone writing first is ordinary: look again and decide again.
 *
 * Commands to one stream take turns within this handler: only other processes are ever raced.
 */
export const handlerOf = <State, Command, Event>(
  decider: Decider<State, Command, Event>,
  store: Pick<StreamStore<Event>, 'load' | 'append'>,
): Handler<Command, Event> =>
  inTurn(async (stream, command) => {
    const giveUpAt = performance.now() + TRY_MS
    for (let attempt = 0; performance.now() < giveUpAt; attempt++) {
      const { past, revision } = await store.load(stream)
      const events = decider.decide(command, fold(decider, past))
      if (events.length === 0) return events
      if ((await store.append(stream, revision, events)) === 'appended') return events
      await sleep(pauseAfter(attempt))
    }
    throw new ContentionError(stream)
  })

/** Random, and longer each time, so that those who race each other drift apart. */
const pauseAfter = (attempt: number) => Math.random() * Math.min(2 ** attempt, PAUSE_MS_MAX)

const inTurn = <Command, Event>(handle: Handler<Command, Event>): Handler<Command, Event> => {
  const last = new Map<string, Promise<unknown>>()
  return async (stream, command) => {
    const before = last.get(stream)
    const mine = (async () => {
      await before?.catch(() => {}) // Its own caller hears of its failure.
      return handle(stream, command)
    })()
    last.set(stream, mine)
    try {
      return await mine
    } finally {
      if (last.get(stream) === mine) last.delete(stream)
    }
  }
}

/** Others were first every time. The caller may simply try again. */
export class ContentionError extends Error {
  readonly code = 'EVENTLOG_CONTENTION'

  constructor(stream: string) {
    super(`${stream}: others wrote first for ${TRY_MS} ms; try again`)
    this.name = 'ContentionError'
  }
}
