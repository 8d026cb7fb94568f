import { Instant } from '@countersign/contracts'

/** Says what time it is. Handed in, so that a test can say another. */
export type Clock = () => Instant

export const systemClock: Clock = () => Instant.parse(new Date().toISOString())

export const later = (instant: Instant, milliseconds: number): Instant =>
  Instant.parse(new Date(Date.parse(instant) + milliseconds).toISOString())
