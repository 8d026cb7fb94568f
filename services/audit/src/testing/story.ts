import { TOPICS } from '@countersign/contracts'
import {
  access,
  ana,
  approvals,
  at,
  bo,
  closed,
  copilot,
  etl,
  event,
  intended,
  opened,
  record,
  requested,
  settled,
  statementId,
  uuid,
  voted,
  type RawEvent,
  type TopicRecord,
} from './events.ts'

/** What must be in the tables when a story has been told: kept by the teller, who shares no code with the projection. */
export interface Truth {
  /** How each statement ended, or `running`. */
  readonly statements: Map<string, string>
  readonly sessions: Map<string, 'open' | 'closed'>
  /** The phase of each request. */
  readonly approvals: Map<string, string>
  touches: number
  votes: number
  coverage: number
  quarantine: number
  events: number
  voidEvents: number
}

export interface Story {
  /** The next records of the log: what happened since the last time it was asked. */
  readonly tell: (steps: number) => readonly TopicRecord[]
  readonly truth: Truth
}

/**
 * A made-up life of some nodes: sessions, statements that end at once, late, elsewhere or never, approvals, workers that
 * die, commits that come twice or too late, and records that nobody can read. The same seed tells the same story.
 */
export const openStory = (seed: number): Story => {
  const teller = new Teller(seed)
  return { truth: teller.truth, tell: (steps) => teller.tell(steps) }
}

interface Running {
  readonly session: string
  readonly sequence: number
}

interface Session {
  readonly name: string
  statements: number
}

interface Worker {
  name: string
  boots: number
  revision: number
  sessions: Session[]
  running: Running[]
}

const PRINCIPALS = [ana, bo, copilot, etl]

class Teller {
  readonly truth: Truth = {
    statements: new Map(),
    sessions: new Map(),
    approvals: new Map(),
    touches: 0,
    votes: 0,
    coverage: 0,
    quarantine: 0,
    events: 0,
    voidEvents: 0,
  }
  readonly #random: () => number
  readonly #workers: Worker[]
  readonly #open: { id: string; revision: number }[] = []
  #told: TopicRecord[] = []
  #clock = 0
  #names = 0

  constructor(seed: number) {
    this.#random = randomFrom(seed)
    this.#workers = [0, 1, 2, 3].map((n) => ({
      name: `node-${n}/0/b0`,
      boots: 0,
      revision: 0,
      sessions: [],
      running: [],
    }))
  }

  tell(steps: number): readonly TopicRecord[] {
    for (let i = 0; i < steps; i++) this.#step()
    const told = this.#told
    this.#told = []
    return told
  }

  #step(): void {
    this.#clock += Math.floor(this.#random() * 2_000)
    const worker = this.#pick(this.#workers)
    const what = this.#random()
    if (what < 0.03) this.#unreadable(worker)
    else if (what < 0.05) this.#dies(worker)
    else if (what < 0.15) this.#approval()
    else this.#commit(worker, this.#work(worker))
  }

  /** A group commit: what several sessions of a worker did in about a millisecond. */
  #work(worker: Worker): RawEvent[] {
    const events: RawEvent[] = []
    for (let n = Math.ceil(this.#random() * 5); n > 0; n--) {
      const what = this.#random()
      if (worker.sessions.length === 0 || what < 0.08) events.push(this.#openSession(worker))
      else if (what < 0.12) events.push(...this.#closeSession(worker))
      else if (what < 0.17) events.push(this.#heartbeat(worker))
      else if (what < 0.6) events.push(this.#intend(worker))
      else if (worker.running.length > 0) events.push(this.#settle(worker, 'completed'))
    }
    return events.length > 0 ? events : [this.#heartbeat(worker)]
  }

  #openSession(worker: Worker): RawEvent {
    const name = `session ${this.#names++}`
    worker.sessions.push({ name, statements: 0 })
    this.truth.sessions.set(uuid(name), 'open')
    return opened(name, worker.name, { principal: this.#pick(PRINCIPALS), at: at(this.#clock) })
  }

  /** What still runs in it is cancelled first; some of it never ends at all. */
  #closeSession(worker: Worker): RawEvent[] {
    const [session] = worker.sessions.splice(Math.floor(this.#random() * worker.sessions.length), 1)
    if (!session) return []
    const left = worker.running.filter((r) => r.session === session.name)
    worker.running = worker.running.filter((r) => r.session !== session.name)
    const ends = left.filter(() => this.#random() < 0.8).map((r) => this.#end(r, 'cancelled'))
    this.truth.sessions.set(uuid(session.name), 'closed')
    return [...ends, closed(session.name, { statements: session.statements, at: at(this.#clock) })]
  }

  #intend(worker: Worker): RawEvent {
    const session = this.#pick(worker.sessions)
    session.statements += 1
    const running = { session: session.name, sequence: session.statements }
    worker.running.push(running)
    this.truth.statements.set(statementId(session.name, session.statements), 'running')
    return intended(session.name, session.statements, { at: at(this.#clock), text: `select ${this.#random()}` })
  }

  #settle(worker: Worker, outcome: 'completed' | 'outcome_unknown'): RawEvent {
    const [running] = worker.running.splice(Math.floor(this.#random() * worker.running.length), 1)
    if (!running) throw new Error('nothing runs')
    return this.#end(running, outcome)
  }

  #end({ session, sequence }: Running, outcome: 'completed' | 'cancelled' | 'outcome_unknown'): RawEvent {
    const touches = Array.from({ length: Math.floor(this.#random() * 4) }, (_, i) => ({
      relation: this.#pick(['public.customers', 'public.orders']),
      column: `c${i}`,
      how: 'returned-masked' as const,
    }))
    this.truth.touches += touches.length
    this.truth.statements.set(statementId(session, sequence), outcome)
    return settled(session, sequence, {
      outcome,
      touches,
      at: at(this.#clock),
      rowsReturned: Math.floor(this.#random() * 99),
    })
  }

  #heartbeat({ name, sessions }: Worker): RawEvent {
    this.truth.coverage += 1
    return event('node.heartbeat', { worker: name, sessions: sessions.length, statements: 0, at: at(this.#clock) })
  }

  /** Another worker, in another partition perhaps, says what became of the dead one's work. */
  #dies(worker: Worker): void {
    const { name, running, sessions } = worker
    worker.boots += 1
    Object.assign(worker, { name: name.replace(/\d+$/, `${worker.boots}`), revision: 0, running: [], sessions: [] })
    this.truth.coverage += 1
    this.#commit(worker, [
      event('node.stopped', { worker: name, because: 'found-dead', at: at(this.#clock) }),
      ...running.map((r) => this.#end(r, 'outcome_unknown')),
      ...sessions.map((session) => {
        this.truth.sessions.set(uuid(session.name), 'closed')
        return closed(session.name, { because: 'node-died', at: at(this.#clock) })
      }),
    ])
  }

  #approval(): void {
    const request = this.#random() < 0.5 ? undefined : this.#open.pop()
    if (request) return this.#decide(request)
    const id = `rq_${String(this.#names++).padStart(10, '0')}`
    this.#open.push({ id, revision: 1 })
    this.truth.approvals.set(id, 'pending')
    this.#append(approvals(id, 1, [requested(id, `held for ${id}`, 1, { at: at(this.#clock) })], at(this.#clock)))
  }

  #decide({ id, revision }: { id: string; revision: number }): void {
    const [phase, events] = this.#pick(this.#decisions(id))
    this.truth.approvals.set(id, phase)
    this.truth.votes += events.filter(({ type }) => type.startsWith('approval.vote')).length
    for (const [i, one] of events.entries()) this.#append(approvals(id, revision + 1 + i, [one], at(this.#clock)))
  }

  #decisions(id: string): readonly (readonly [string, readonly RawEvent[]])[] {
    const now = at(this.#clock)
    const claim = { requestId: id, statementId: statementId(`held for ${id}`, 1), sessionId: uuid(id), at: now }
    const granted = event('approval.granted', { requestId: id, people: ['bo'], usableUntil: now, at: now })
    const nay = { requestId: id, person: 'ana', voter: 'ana', vote: 'grant', channel: 'cli', at: now } as const
    const refused = event('approval.vote-refused', { ...nay, because: 'own-request' })
    return [
      ['granted', [voted(id), granted]],
      ['claimed', [refused, voted(id), granted, event('grant.claimed', claim)]],
      ['denied', [voted(id, { vote: 'deny' }), event('approval.denied', { requestId: id, because: 'owner', at: now })]],
      ['withdrawn', [event('approval.withdrawn', { requestId: id, because: 'client-gone', at: now })]],
    ]
  }

  #unreadable(worker: Worker): void {
    const { topic, key, headers } = access(worker.name, 1, [this.#quiet(worker)], at(this.#clock))
    this.truth.quarantine += 1
    if (this.#random() < 0.5) {
      this.truth.events += 1
      this.#told.push({ topic, key, headers, value: Buffer.from(`{"stream":${this.#random()}`) })
    } else {
      this.#commit(worker, [{ type: 'moon.landed', version: 1, data: {} }, this.#heartbeat(worker)])
    }
  }

  /** An event that nobody is meant to count. */
  #quiet({ name }: Worker): RawEvent {
    return event('node.heartbeat', { worker: name, sessions: 0, statements: 0, at: at(this.#clock) })
  }

  #commit(worker: Worker, events: readonly RawEvent[]): void {
    worker.revision += 1
    const commit = access(worker.name, worker.revision, events, at(this.#clock))
    this.#append(commit)
    if (this.#random() < 0.1) this.#voided(commit, events.length)
    if (this.#random() < 0.05) {
      const phantom = [opened('phantom', worker.name), intended('phantom', 1), settled('phantom', 1)]
      this.#voided(access(worker.name, worker.revision, phantom, at(this.#clock)), phantom.length)
    }
    if (this.#random() < 0.05) {
      const published = event('config.loaded', { service: 'control', digest: '0'.repeat(64), at: at(this.#clock) })
      this.#append(record(TOPICS.governance, `config ${this.#names++}`, 1, [published], at(this.#clock)))
    }
  }

  #append(told: TopicRecord): void {
    this.truth.events += eventsIn(told)
    this.#told.push(told)
  }

  #voided(told: TopicRecord, events: number): void {
    this.truth.voidEvents += events
    this.#append(told)
  }

  #pick<T>(from: readonly T[]): T {
    const picked = from[Math.floor(this.#random() * from.length)]
    if (picked === undefined) throw new Error('nothing to pick from')
    return picked
  }
}

const eventsIn = ({ value }: TopicRecord): number => {
  const { events } = JSON.parse(Buffer.from(value).toString()) as { events: unknown[] }
  return events.length
}

/** Mulberry32: small, and the same everywhere. */
const randomFrom = (seed: number): (() => number) => {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
