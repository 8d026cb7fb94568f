/** What policies know of the time. */
export interface ClockFacts {
  /** UTC, 0 to 23. */
  readonly hour: number
  /** In the time zone of the environment: 1 is Monday, 7 Sunday. */
  readonly weekday: number
  /** In the time zone of the environment: minutes since midnight, 0 to 1439. */
  readonly minuteOfDay: number
}

/**
 * The time as it is called in a time zone (IANA: `Europe/Zurich`), with its summer time. Asked for every statement, so
 * it is looked up once for each minute: since 1972 no zone has shifted by less.
 *
 * Throws RangeError for a zone that nobody knows.
 */
export const wallClock = (timeZone = 'UTC'): ((at: Date) => ClockFacts) => {
  const format = new Intl.DateTimeFormat('en-US', { timeZone, ...FIELDS })
  let minute = Number.NaN
  let known: ClockFacts = { hour: 0, weekday: 1, minuteOfDay: 0 }
  return (at) => {
    const now = Math.floor(at.getTime() / MINUTE_MS)
    if (now !== minute) known = factsAt(at, format)
    minute = now
    return known
  }
}

const MINUTE_MS = 60_000

const FIELDS = { weekday: 'short', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' } as const

const WEEKDAYS = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun']

const factsAt = (at: Date, format: Intl.DateTimeFormat): ClockFacts => {
  const parts = new Map(format.formatToParts(at).map(({ type, value }) => [type, value]))
  return {
    hour: at.getUTCHours(),
    weekday: WEEKDAYS.indexOf(parts.get('weekday') ?? '') + 1,
    minuteOfDay: 60 * Number(parts.get('hour')) + Number(parts.get('minute')),
  }
}
