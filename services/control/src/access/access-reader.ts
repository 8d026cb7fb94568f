import type { Cursor, EventLog } from '@countersign/eventlog'
import type { Logger } from '@countersign/platform'
import { earlier } from '../follower.ts'
import type { Quarantine } from '../quarantine/quarantine.ts'
import type { Effect } from './effects-of.ts'
import type { Attempts } from '../restrictions/attempts.ts'
import { FollowAccess } from './follow-access.ts'
import { InspectAccess } from './inspect-access.ts'
import type { OpenSessions } from './open-sessions.ts'

export interface AccessReaderOptions {
  readonly log: EventLog
  readonly from: Cursor
  readonly sessions: OpenSessions
  readonly attempts: Pick<Attempts, 'resumeFrom'>
  readonly perform: (effect: Effect) => Promise<unknown>
  readonly quarantine: Quarantine
  readonly logger: Logger
  readonly failed: (error: unknown) => void
}

/** Both ways in which control reads cs.access: at once what it acts on, at leisure the rest. */
export class AccessReader {
  readonly #follower: FollowAccess
  readonly #inspector: InspectAccess
  readonly #attempts: Pick<Attempts, 'resumeFrom'>

  constructor(options: AccessReaderOptions) {
    this.#follower = new FollowAccess(options)
    this.#attempts = options.attempts
    this.#inspector = new InspectAccess(options)
  }

  /** Everything before it has been acted on. */
  get cursor(): Cursor {
    return this.#follower.cursor
  }

  /** Where another process should start: what comes before has been acted on and inspected, and is over. */
  get resumeFrom(): Cursor {
    return this.#attempts.resumeFrom(earlier(this.#follower.resumeFrom, this.#inspector.cursor))
  }

  caughtUp(): Promise<void> {
    return this.#follower.caughtUp()
  }

  async close(): Promise<void> {
    await Promise.all([this.#follower.close(), this.#inspector.close()])
  }
}
