import type { LogOptions } from '@countersign/eventlog'
import type { Topic } from '@countersign/contracts'

/** What a process of its own does with a log, and what it says of it, one JSON object a line. */
export type Job = AppendJob | RaceJob | CountJob

/** Appends whole records, `inFlight` at a time, for ever or as many as `count` says, and tells of every acknowledgement. */
export interface AppendJob {
  readonly kind: 'append'
  readonly options: LogOptions
  readonly topic: Topic
  readonly key: string
  readonly prefix: string
  readonly inFlight: number
  readonly count?: number
  readonly bytesMax: number
}

/** Writes commits to one stream, each for the revision that it believes to be next, until the stream is this long. */
export interface RaceJob {
  readonly kind: 'race'
  readonly options: LogOptions
  readonly topic: Topic
  readonly stream: string
  readonly name: string
  readonly until: number
}

/** Counts up in one stream with a decider, through a stream store. */
export interface CountJob {
  readonly kind: 'count'
  readonly options: LogOptions
  readonly topic: Topic
  readonly stream: string
  readonly name: string
  readonly count: number
}

export type Said =
  | { readonly said: 'acked'; readonly id: string; readonly partition: number; readonly offset: number }
  | { readonly said: 'refused' }
  | { readonly said: 'done' }
