import type { Fields } from '@countersign/platform'
import type { NodeHealth } from '../health.ts'
import type { Figure } from '../telemetry/node-metrics.ts'

/*
 * What a node's supervisor and a worker process say to each other, over the channel that Node.js opens between a process and
 * its child. Both run the same code, so versions never meet. A connection goes along with its message as a socket.
 */
export type ToWorker =
  | ({ readonly kind: 'start'; readonly index: number; readonly workers: number } & ConfigText)
  /** `full`: the node has as many as it may, so this one is only told so. */
  | { readonly kind: 'connection'; readonly full: boolean }
  | { readonly kind: 'cancelled'; readonly id: number }
  | ({ readonly kind: 'ask'; readonly id: number } & Asked)
  | { readonly kind: 'commit' }
  | { readonly kind: 'forget' }
  | { readonly kind: 'taken'; readonly id: number; readonly granted: boolean }
  | { readonly kind: 'drain' }
  | { readonly kind: 'stop' }

export type Asked =
  | { readonly what: 'health' }
  | { readonly what: 'metrics' }
  | { readonly what: 'cancel'; readonly processId: number; readonly secret: Uint8Array }
  | ({ readonly what: 'prepare'; readonly changes: readonly string[] } & ConfigText)

/** The file's text, so that all go by the same: what is read in it keeps its secrets from whoever would send it on. */
export interface ConfigText {
  readonly file: string
  readonly text: string
}

/** The answer to each question. */
export interface Answers {
  readonly health: NodeHealth
  readonly metrics: readonly Figure[]
  /** It has told the server, where it has such a session. */
  readonly cancel: { readonly found: boolean }
  /** Why it cannot take up this configuration, if it cannot. */
  readonly prepare: { readonly fault: Fields | undefined }
}

export type FromWorker =
  | { readonly kind: 'ready' }
  /** It takes no connections any more, and will end. */
  | { readonly kind: 'leaving' }
  | { readonly kind: 'closed'; readonly connections: number }
  | { readonly kind: 'cancel'; readonly id: number; readonly processId: number; readonly secret: Uint8Array }
  | { readonly kind: 'answer'; readonly id: number; readonly answer: unknown }
  | { readonly kind: 'take'; readonly id: number; readonly name: string; readonly max: number }
  | { readonly kind: 'give-back'; readonly name: string }
