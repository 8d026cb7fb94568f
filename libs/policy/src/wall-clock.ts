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
export const wallClock = (timeZone = 'UTC'): ((at: Moment) => ClockFacts) => {
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

/** What of a Date is needed. */
type Moment = Pick<Date, 'getTime' | 'getUTCHours'>

/** An instant of the record, `2026-11-23T09:05:00.000Z`, to the minute. */
export const momentOf = (instant: string): Moment => {
  const [year = 0, month = 1, day = 1, hour = 0, minute = 0] = instant.split(/\D/).map(Number)
  const minutes = (daysBefore(year, month, day) * 24 + hour) * 60 + minute
  return { getTime: () => minutes * MINUTE_MS, getUTCHours: () => hour }
}

/** Days since 1970 in the Gregorian calendar, with years that begin in March, so that the leap day is the last. */
const daysBefore = (year: number, month: number, day: number): number => {
  const y = month > 2 ? year : year - 1
  const ofYear = Math.floor((153 * ((month + 9) % 12) + 2) / 5) + day - 1
  return 365 * y + Math.floor(y / 4) - Math.floor(y / 100) + Math.floor(y / 400) + ofYear - DAYS_BEFORE_1970
}

const DAYS_BEFORE_1970 = 719_468

const MINUTE_MS = 60_000

const FIELDS = { weekday: 'short', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' } as const

const WEEKDAYS = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun']

const factsAt = (at: Moment, format: Intl.DateTimeFormat): ClockFacts => {
  const parts = new Map(format.formatToParts(at.getTime()).map(({ type, value }) => [type, value]))
  return {
    hour: at.getUTCHours(),
    weekday: WEEKDAYS.indexOf(parts.get('weekday') ?? '') + 1,
    minuteOfDay: 60 * Number(parts.get('hour')) + Number(parts.get('minute')),
  }
}
