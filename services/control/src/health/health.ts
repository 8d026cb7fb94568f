import type { Asked } from '@countersign/approval'
import { TOPICS, type ApprovalEvent } from '@countersign/contracts'
import type { Cursor, EventLog } from '@countersign/eventlog'
import type { OpenSessions } from '../access/open-sessions.ts'
import { Tally, type Figure } from './metrics.ts'

export interface Check {
  readonly ok: boolean
  readonly reason?: string
}

export interface HealthOptions {
  readonly log: EventLog
  /** How far cs.access has been dealt with; nothing before it is followed. */
  readonly cursor: () => Cursor | undefined
  readonly approvals: () => readonly Asked[]
  readonly sessions: OpenSessions
}

/** Records that it may be behind and still count as caught up: some are always on their way. */
const BEHIND_MAX = 1_000
const CHECK_TIMEOUT_MS = 2_000

/** Whether control can do its work, and figures about it. */
export class Health {
  readonly #options: HealthOptions
  readonly #events = new Tally()
  #quarantined = 0

  constructor(options: HealthOptions) {
    this.#options = options
  }

  decided(events: readonly ApprovalEvent[]): void {
    for (const { type } of events) this.#events.add(type)
  }

  quarantined(): void {
    this.#quarantined += 1
  }

  async checks(): Promise<Record<'log' | 'follower', Check>> {
    const { log, cursor } = this.#options
    const [reachable, followed] = await Promise.all([
      outcomeOf(() => log.check()),
      outcomeOf(async () => {
        const behind = recordsBetween(cursor() ?? {}, await log.end(TOPICS.access))
        if (behind > BEHIND_MAX) throw new Error(`${behind} records of cs.access are still to be read`)
      }),
    ])
    return { log: reachable, follower: followed }
  }

  figures(): readonly Figure[] {
    const { approvals, sessions } = this.#options
    const phases = new Tally()
    for (const { phase } of approvals()) phases.add(phase)
    return [
      {
        name: 'countersign_control_approval_events_total',
        help: 'Events of approvals read since the start, by type.',
        type: 'counter',
        samples: this.#events.samples('type'),
      },
      {
        name: 'countersign_control_requests',
        help: 'Requests in memory, by phase.',
        type: 'gauge',
        samples: phases.samples('phase'),
      },
      {
        name: 'countersign_control_open_sessions',
        help: 'Sessions that are open now.',
        type: 'gauge',
        samples: [{ value: sessions.all().length }],
      },
      {
        name: 'countersign_control_quarantined_total',
        help: 'Records or events that no contract knows, found since the start.',
        type: 'counter',
        samples: [{ value: this.#quarantined }],
      },
      {
        name: 'countersign_control_memory_bytes',
        help: 'Resident memory of the process.',
        type: 'gauge',
        samples: [{ value: process.memoryUsage.rss() }],
      },
    ]
  }
}

const recordsBetween = (cursor: Cursor, end: Cursor): number =>
  Object.entries(end).reduce(
    (sum, [partition, offset]) => sum + Math.max(offset - (cursor[Number(partition)] ?? 0), 0),
    0,
  )

const outcomeOf = async (check: () => Promise<void>): Promise<Check> => {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('no answer in time')), CHECK_TIMEOUT_MS)
  })
  try {
    await Promise.race([check(), late])
    return { ok: true }
  } catch (error) {
    return { ok: false, reason: error instanceof Error ? error.message : String(error) }
  } finally {
    clearTimeout(timer)
  }
}
