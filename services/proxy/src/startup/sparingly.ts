import type { Logger } from '@countersign/platform'

const PER_SECOND = 20
const BURST = 200

/**
 * A log for what clients can bring about as often as they like: so many warnings a second are written, and the next one
 * says how many were not. Errors are of our own making, and all of them are written.
 */
export const sparingly = (logger: Logger, clock: () => number): Logger => {
  let allowance = BURST
  let asOf = clock()
  let unsaid = 0
  return {
    info: (message, fields) => logger.info(message, fields),
    error: (message, fields) => logger.error(message, fields),
    warn: (message, fields) => {
      const now = clock()
      allowance = Math.min(BURST, allowance + ((now - asOf) * PER_SECOND) / 1000)
      asOf = now
      if (allowance < 1) {
        unsaid += 1
        return
      }
      allowance -= 1
      logger.warn(message, unsaid === 0 ? fields : { ...fields, unsaid })
      unsaid = 0
    },
  }
}
