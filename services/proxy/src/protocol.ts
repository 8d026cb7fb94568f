import type { AccessEvent, ColumnClass, Principal, SessionId, Target, WorkerId } from '@countersign/contracts'
import type { DatabaseConfig, Logger, NodeConfig } from '@countersign/platform'
import type { PolicySet } from '@countersign/policy'
import type { DatabaseState } from './health.ts'
import type { Recorder } from './record/recorder.ts'
import type { UndoStore } from './record/undo-store.ts'
import type { Identity } from './session/identity.ts'
import type { ShownCertificate } from './startup/client-tls.ts'
import type { GateRules } from './startup/gate-rules.ts'
import type { Line } from './startup/line.ts'
import type { RefusalText } from './startup/startup-refused.ts'
import type { Holds, WithdrawnBecause } from './statement/holds.ts'
import type { ClosedBecause } from './telemetry/labels.ts'
import type { NodeMetrics } from './telemetry/node-metrics.ts'

/*
 * The protocol port: all that a node asks of the protocol which its clients and databases speak. Who adds MySQL begins
 * here. `postgres/postgresql.ts` is the one there is, `protocols.ts` says which one a node speaks, and nothing else
 * outside of `postgres/` knows of it (oxlint.config.ts sees to that).
 *
 * The way of a client, and whose it is:
 *
 *   the node       gives the connection a place in the doorway and a deadline (listener.ts)
 *   the protocol   `greet`: reads who the client claims to be; TLS where the protocol has its place for it
 *   the node       the gate: locks, proofs, roles, places; what fails is recorded (startup/login.ts)
 *   the protocol   `connect`: logs in to a server of the database, as the role
 *   the node       `session.opened`, `credential.used`; from here on it can be cancelled, revoked and drained
 *   the protocol   `begin`: the session, from now on between the two; `welcome`: the client is told that it is in
 *
 * Within its session a protocol reads messages, finds out what a text means, and masks rows as they lie in its own
 * bytes. On the way it goes through what is the same for all: `Admission` (a statement is judged, recorded, held and
 * looked at again before it may be forwarded), `StatementAccount` (each one intended is settled once), `ToClient` (no
 * result before its record) and `maskedColumn` (what of a column is shown).
 *
 * What is not behind the port, because nobody knows yet how a second one would want it: how a text is understood and
 * judged (PostgreSQL's is made of its parser, its analysis and its catalogue: postgres/statement/database-judge.ts, on
 * libs/sql and libs/policy; MySQL's would stand on libs/sql-mysql, which gives the same facts: `Dialect` of libs/sql); masks for the bytes of other rows (libs/masking writes
 * PostgreSQL's); and `databases[].upstream` of the configuration.
 */
export interface Protocol {
  /** For one worker: what all its databases share. */
  open(lent: Lent): Speaker
}

/** What a worker lends to its protocol. */
export interface Lent {
  readonly worker: WorkerId
  /** The wall clock, as an instant. */
  readonly now: () => string
  /** Writes down what is nobody's session: a column that was found. */
  readonly record: (event: AccessEvent) => void
  /** The policies in force; undefined until there are any, and then nothing is permitted. */
  readonly policy: () => PolicyInForce | undefined
  /** Told of each login to a server. */
  readonly metrics: Pick<NodeMetrics, 'connected' | 'connectFailed'>
  readonly logger: Logger
  /** What rows were before approved statements changed them. */
  readonly undo: UndoStore
}

export interface PolicyInForce {
  readonly set: PolicySet
  readonly version: string
}

/** The protocol, as one worker speaks it. */
export interface Speaker {
  /** As people call it: `PostgreSQL`. */
  readonly name: string
  /** What OpenTelemetry calls its databases (`db.system.name`). */
  readonly system: string
  /** What TLS calls it (ALPN), where it has a name there. */
  readonly alpn: string | undefined
  /**
   * A database behind the node. Nothing is asked of it before its `start`. `generation`: a number that is another one
   * when a database of the same name is another one from now on.
   */
  databaseOf(config: DatabaseConfig, generation: number): Database
  /**
   * Everything up to the name. Rejects with `StartupRefusedError` for what nobody is allowed, with `PeerGoneError`, or
   * with an error that `breachIn` knows. The node ends the connection then, and also when it takes too long.
   */
  greet(line: Line, rules: GateRules): Promise<Greeting | CancelAsked>
  /** What is said to a client that does not keep to the protocol; undefined: this is another error. */
  breachIn(error: unknown): RefusalText | undefined
  /** A refusal as the last thing that a client hears, at any moment at which a session may end. */
  lastWords(refusal: RefusalText): Buffer
  /** How often a parser had to be thrown away. */
  readonly parserReplaced: number
  close(): Promise<void>
}

/** One database behind the node: what is known of it, its servers, and how statements for it are judged. */
export interface Database {
  readonly config: DatabaseConfig
  readonly target: Target
  /** For `/readyz` and `/metrics`: asked seldom, answered at once. */
  readonly state: DatabaseState
  /** Begins to read the schema, and to keep up with it. */
  start(): void
  /** Other policies are in force: nothing that was judged before holds. */
  policyChanged(): void
  /** Control's word on what columns hold takes the place of what was found. */
  columnsDecided(columns: readonly ColumnClass[]): void
  /** Looks after the servers of which nothing was heard for a while. What it finds is in `state`. */
  probe(): void
  close(): Promise<void>
}

/** A client that has said who it claims to be. Nothing of it has been believed yet. */
export interface Greeting {
  readonly kind: 'greeting'
  readonly user: string
  readonly database: string
  /** What the client's program calls itself. */
  readonly application: string | undefined
  /** Seconds that it asks to be kept waiting for an approval. */
  readonly holdSeconds: number | undefined
  /** The version of TLS; null: nothing is encrypted. */
  readonly tls: string | null
  /** What to tell somebody who has to encrypt and does not: a hint, in the words of its programs. */
  readonly howToEncrypt: string
  readonly certificate: ShownCertificate | undefined
  /** The name under which the client came to this node, as TLS tells it (SNI). */
  readonly serverName: string | undefined
  /** It wants what this protocol refuses to everybody, once it is known who asks. */
  readonly neverAllowed: RefusalText | undefined
  /** How long a key to cancel with may be for it. */
  readonly cancelKeyBytes: number
  /** Asks for the token. Wipe it when it has been looked at. */
  askToken(): Promise<Buffer>
  /** The client is who it says: nothing more is read until the session begins. */
  done(): void
  /**
   * Logs in to a server of the database. Rejects with `DatabaseUnavailableError` when none of them would do, at the
   * latest after `withinMs`; with `StartupRefusedError` for what the node cannot use.
   */
  connect(destination: Destination): Promise<Connected>
}

export interface Destination {
  /** As it is configured now: a password may be another one than when the database was made. */
  readonly config: DatabaseConfig
  /** One that the same speaker has made. */
  readonly database: Database
  readonly role: string
  readonly principal: Principal
  /** The server is to know its session by it. */
  readonly sessionId: SessionId
  readonly withinMs: number
}

/** A login to a server, which no session has yet. */
export interface Connected {
  /** `host:port` */
  readonly server: string
  /** The server's number for this connection. */
  readonly processId: number
  /** Begins the session. It may end at any moment from then on. */
  begin(parts: SessionParts): LiveSession
  /** Tells the client that it is in, and its key. */
  welcome(key: CancelKey): void
  /** The client is gone, or may not come in any more. */
  leave(): void
}

/** What a session gets from its node. */
export interface SessionParts {
  readonly identity: Identity
  readonly recorder: Recorder
  readonly holds: Holds
  readonly limits: NodeConfig['limits']
  /** To be called once, at its end; behind `session.closed`, which the session writes down. */
  readonly closed: (because: ClosedBecause, error: unknown) => void
}

/** A session, as its node sees it. */
export interface LiveSession {
  readonly identity: Identity
  /** Between two transactions, with nothing under way in either direction: nothing is lost when it ends now. */
  readonly idle: boolean
  /**
   * The client asks, on another connection, to cancel what it is waiting for. Resolves when that is done, as far as it
   * can be: nothing that the client sends from then on is cancelled by it.
   */
  cancel(): Promise<void>
  /** Ends the session and tells the client why. */
  end(because: ClosedBecause, lastWords: Buffer): void
  /** The same while the server is at work: it is asked to cancel, and has a moment to say how that ended. */
  interrupt(because: ClosedBecause, lastWords: Buffer): void
  /** A statement that waits for an approval waits no longer. */
  leaveHold(because: WithdrawnBecause): void
}

/**
 * The key that lets a client cancel what its session runs. Its number is that of the server's process, because clients
 * know themselves by it: in notifications, `pg_backend_pid()`, `pg_stat_activity`. The server's secret never leaves the
 * node. Two servers may give two sessions one number: the secret, which is ours, tells them apart.
 */
export interface CancelKey {
  readonly processId: number
  readonly secret: Buffer
}

/** A connection that wants nothing but to cancel what another one waits for. */
export interface CancelAsked extends CancelKey {
  readonly kind: 'cancel'
}
