import type { CredentialId, HeldStatement, Principal, SessionId, WorkerId } from '@countersign/contracts'
import type { EventLog } from '@countersign/eventlog'
import { InForce } from '../../decisions/in-force.ts'
import type { DataKeys } from '../../record/data-keys.ts'
import { Recorder } from '../../record/recorder.ts'
import { Holds } from '../../statement/holds.ts'
import type { ClosedBecause } from '../../telemetry/labels.ts'
import { AT, FakeControl, type DataOf } from '../../testing/decisions.ts'
import { FakeStream } from '../../testing/fake-stream.ts'
import { HeldLog } from '../../testing/held-log.ts'
import type { Redactor } from '../session/server-side.ts'
import type { SessionTold } from '../session/session-question.ts'
import { Session, type SessionOptions } from '../session/session.ts'
import { FakeJudge } from './fake-judge.ts'
import { Listening } from './wire.ts'

/** Lets everything happen that can happen now. */
export const settle = async (rounds = 12): Promise<void> => {
  for (let round = 0; round < rounds; round++) await new Promise((resolve) => setImmediate(resolve))
}

/** One end of a connection: what it says, and what it has heard, in words. */
export class Peer {
  readonly stream = new FakeStream()
  readonly #listening: Listening
  /** Told of each message that comes, and before that of its bytes as they come. */
  heard: (words: string, message: Buffer) => void = () => {}

  constructor(hears: 'client' | 'server') {
    this.#listening = new Listening(hears, (words, bytes) => this.heard(words, bytes))
    this.stream.taken = (bytes) => this.#listening.hear(bytes)
  }

  /** What it has heard since this was last asked. */
  news(): string[] {
    return this.#listening.news()
  }

  /** Says this, and lets everything happen that then can. */
  async says(...messages: readonly Buffer[]): Promise<void> {
    this.stream.receive(Buffer.concat(messages))
    await settle()
  }

  /** The same, cut into these pieces. */
  async saysInPieces(pieces: readonly Buffer[]): Promise<void> {
    for (const piece of pieces) {
      this.stream.receive(piece)
      await settle(2)
    }
    await settle()
  }
}

export interface WorldOptions {
  readonly principal?: Partial<Principal>
  readonly holdSeconds?: number
  readonly limits?: Partial<SessionOptions['limits']>
  /** What names mean at the start; without it the server is asked first. */
  readonly names?: SessionTold | undefined
  readonly parameters?: ReadonlyMap<string, string>
  readonly redactor?: Redactor
}

export const NAMES: SessionTold = {
  searchPath: ['public'],
  temporary: [],
  reason: undefined,
  ticket: undefined,
  misread: undefined,
}

/** A real session between two fakes, with a real recorder on a log in memory, and a judge that does as it is told. */
export class SessionWorld {
  readonly client = new Peer('server')
  readonly server = new Peer('client')
  readonly judge = new FakeJudge()
  readonly log: HeldLog
  readonly control: FakeControl
  readonly recorder: Recorder
  readonly session: Session
  readonly inForce: InForce
  closed: { readonly because: ClosedBecause; readonly error: unknown } | undefined
  /** How often the server was asked to cancel, and how often the catalogue was said to have changed. */
  cancels = 0
  catalogueChanges = 0
  /** Stands for the schema that is known. */
  schema = 1

  constructor(inner: EventLog, options: WorldOptions = {}) {
    this.log = new HeldLog(inner)
    this.control = new FakeControl(inner)
    this.recorder = new Recorder({ log: this.log.log, worker: WORKER, keys: PLAIN_KEYS, newId: ids(), now: () => AT })
    let holds: Holds | undefined
    this.inForce = new InForce(inner, { ...UNHEARD, approvalChanged: (approval) => holds?.approvalChanged(approval) })
    this.inForce.follow((error) => {
      throw error
    })
    holds = new Holds({
      inForce: this.inForce,
      recorder: this.recorder,
      config: { inlineSeconds: 30, heartbeatSeconds: 10, requestMinutes: 15, rerunMinutes: 15 },
      now: () => AT,
      ownersOf: () => ['owners'],
      link: (requestId) => `https://console/${requestId}`,
    })
    this.session = new Session(this.#options(holds, options))
  }

  /** Control says how a request stands. */
  async decides(
    requestId: string,
    statement: Pick<HeldStatement, 'digest' | 'statementId'>,
    how: Partial<DataOf<'approval.in-force'>>,
  ): Promise<void> {
    const { principal, target } = this.session.identity
    await this.control.decides(`approval/${requestId}`, 'approval.in-force', {
      requestId,
      phase: 'pending',
      principalId: principal.id,
      sessionId: SESSION,
      digest: statement.digest,
      target,
      people: [],
      at: AT,
      ...how,
    })
    await settle()
  }

  /** Control grants it to the statement that waits. */
  grant(requestId: string, statement: Pick<HeldStatement, 'digest' | 'statementId'>): Promise<void> {
    return this.decides(requestId, statement, { phase: 'claimed', claimedBy: statement.statementId, people: ['bo'] })
  }

  /** Nothing is under way any more, and everything is written down. */
  async over(): Promise<void> {
    await settle()
    await this.recorder.flushed()
    await this.inForce.close()
  }

  #options(
    holds: Holds,
    { principal, holdSeconds, limits, redactor, parameters, ...more }: WorldOptions,
  ): SessionOptions {
    let names = 'names' in more ? more.names : NAMES
    return {
      identity: {
        sessionId: SESSION,
        principal: { ...ANA, ...principal },
        credentialId: 'c1' as CredentialId,
        target: { environment: 'prod', database: 'shop' },
        role: 'app',
        processId: 7,
        application: 'psql',
        holdSeconds,
        now: () => AT,
        clock: () => performance.now(),
      },
      client: this.client.stream,
      upstream: {
        stream: this.server.stream,
        server: 'db:5432',
        parameters: parameters ?? new Map(),
        processId: 7,
        cancel: async () => void (this.cancels += 1),
      },
      recorder: this.recorder,
      judge: this.judge,
      holds,
      redactor: redactor ?? AS_IT_IS,
      limits: { ...LIMITS, ...limits },
      firstTold: { get: () => names, set: (learned) => void (names = learned) },
      schema: () => this.schema,
      catalogueChanged: () => void (this.catalogueChanges += 1),
      closed: (because, error) => void (this.closed = { because, error }),
    }
  }
}

export const SESSION = '0192f7a0-0000-7000-8000-000000000001' as SessionId
const WORKER = 'node-1/w0/boot' as WorkerId
const ANA = { id: 'ana', kind: 'person', groups: ['dev'] } as unknown as Principal

const LIMITS: SessionOptions['limits'] = {
  startupTimeoutMs: 1_000,
  startupBytesMax: 10_000,
  statementBytesMax: 1_000_000,
  messageBytesMax: 2_000_000,
  rowBytesMax: 100_000,
  sessionBytesMax: 1_000_000,
  connectionsMax: 10,
  connectionsPerPrincipalMax: 10,
  loginsMax: 10,
  loginsPerAddressMax: 10,
}

const AS_IT_IS: Redactor = { fields: (fields) => fields, text: (text) => text }

/** Seals nothing: what is sealed is looked at elsewhere. */
const PLAIN_KEYS: DataKeys = { seal: (plain) => ({ keyId: 'k', iv: '', tag: '', data: plain.toString('base64') }) }

const UNHEARD = {
  policyChanged: () => {},
  catalogueChanged: () => {},
  revoked: () => {},
  restricted: () => {},
  unreadable: () => {},
}

const ids = (): (() => string) => {
  let last = 0
  return () => `0192f7a0-0000-7000-8000-${String(++last).padStart(12, '0')}`
}
