import type { Position } from '@countersign/eventlog'
import type { Topic } from '@countersign/contracts'

/** Where an event lies in the log: the record, and its place within the record. */
export interface Place extends Position {
  readonly topic: Topic
  readonly index: number
}

/** An instant of the contracts as ClickHouse reads and writes it. */
export const clickhouseTime = (instant: string): string => instant.replace('T', ' ').replace('Z', '')
