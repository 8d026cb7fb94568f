import type { Socket } from 'node:net'
import type { Config, Fields } from '@countersign/platform'
import type { NodeHealth } from '../health.ts'
import type { CancelKey } from '../protocol.ts'
import type { Figure } from '../telemetry/node-metrics.ts'
import type { ConfigText } from './messages.ts'

/** A configuration, with the text that it was read from. */
export interface Loaded extends ConfigText {
  readonly config: Config
}

/** A worker as its node's supervisor sees it: in the same process, or in one of its own. */
export interface Member {
  /** `w0`, `w1` … */
  readonly name: string
  /** It takes connections now. */
  readonly up: boolean
  /** Connections that it has been given and that are not closed. */
  readonly connections: number
  /** Some of them it has not fetched yet: it is busy, or hangs. */
  readonly lagging: boolean
  /** `full`: the node has as many as it may, so this one is only told so. */
  welcome(socket: Socket, full: boolean): void
  /** Resolves when the server has been told, where the worker has such a session. */
  cancel(key: CancelKey): Promise<void>
  health(): Promise<NodeHealth>
  metrics(): Promise<readonly Figure[]>
  /** Makes ready for another configuration. Resolves with what is wrong with it, if something is. */
  prepare(loaded: Loaded, changes: readonly string[]): Promise<Fields | undefined>
  commit(): void
  forget(): void
  /** Lets sessions end in their own time, then stops. Resolves when it has. `stop` may be called meanwhile. */
  drain(): Promise<void>
  /** Ends everything now. */
  stop(): Promise<void>
}

/** What the supervisor is told by its workers. */
export interface MemberListener {
  /** It takes connections now: for the first time, or again. */
  up(member: Member): void
  closed(): void
  cancelElsewhere(key: CancelKey): Promise<void>
  take(worker: string, name: string, max: number): boolean
  giveBack(worker: string, name: string): void
  /** Its process is gone, with everything that it had taken. `lost`: connections that it had not got hold of yet. */
  gone(worker: string, lost: readonly Socket[]): void
  processes(): void
}

export const nameOf = (index: number): string => `w${index}`
