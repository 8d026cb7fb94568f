const YEAR_FIRST = /^(\d{4,6})([-/.])\d{1,2}\2\d{1,2}(?=$|[T ])/
const YEAR_LAST = /^\d{1,2}([-/.])\d{1,2}\1(\d{4,6})(?=$|[T ])/
const COMPACT = /^(1\d{3}|2\d{3})(0[1-9]|1[0-2])([0-2]\d|3[01])$/

/** What may follow a date in each of PostgreSQL's styles: a time, a zone, an era. */
const TIME = String.raw`(?<time>\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?)`
const ZONE = String.raw`(?<zone>Z|[+-]\d{2}(?::?\d{2}){0,2}| (?!BC$)[A-Z]{2,5})`
const REST = new RegExp(String.raw`^(?:[T ]${TIME}${ZONE}?)?(?<era> BC)?$`)

const TEXT_LENGTH_MAX = 48

/**
 * The first of January of the same year, in the layout that the text has (ISO, SQL and German date styles), or
 * undefined. A zone becomes UTC: an offset would tell summer from winter.
 */
export const yearOfText = (text: string): string | undefined => {
  if (text.length > TEXT_LENGTH_MAX) return undefined
  const compact = COMPACT.exec(text)
  if (compact) return `${compact[1]}0101`
  const first = YEAR_FIRST.exec(text)
  if (first) return joined(`${first[1]}${first[2]}01${first[2]}01`, text.slice(first[0].length))
  const last = YEAR_LAST.exec(text)
  return last ? joined(`01${last[1]}01${last[1]}${last[2]}`, text.slice(last[0].length)) : undefined
}

const joined = (date: string, rest: string): string | undefined => {
  const groups = REST.exec(rest)?.groups
  if (!groups) return undefined
  const { time, zone = '', era = '' } = groups
  const separator = rest.startsWith('T') ? 'T' : ' '
  return `${date}${time ? `${separator}00:00:00` : ''}${zoneOf(zone)}${era}`
}

const zoneOf = (zone: string): string => {
  if (zone === '' || zone === 'Z') return zone
  return zone.startsWith(' ') ? ' UTC' : '+00'
}

const EPOCH_DAYS = 10_957 // 2000-01-01, from which PostgreSQL counts, in days from 1970-01-01.
const DAY_MICROSECONDS = 86_400_000_000n
const INFINITY = 0x7fffffff

/** Days from 2000-01-01 to the first of January of the year in which `days` lies; undefined for ±infinity. */
export const yearOfDays = (days: number): number | undefined =>
  days === INFINITY || days === -INFINITY - 1 ? undefined : daysToYear(yearContaining(days + EPOCH_DAYS)) - EPOCH_DAYS

/** The same in microseconds. */
export const yearOfMicroseconds = (microseconds: bigint): bigint | undefined => {
  if (microseconds === 2n ** 63n - 1n || microseconds === -(2n ** 63n)) return undefined
  const days = microseconds / DAY_MICROSECONDS - (microseconds % DAY_MICROSECONDS < 0n ? 1n : 0n)
  const year = yearOfDays(Number(days))
  return year === undefined ? undefined : BigInt(year) * DAY_MICROSECONDS
}

/**
 * The proleptic Gregorian calendar in whole numbers, because JavaScript's dates end before PostgreSQL's do.
 * SPEC: H. Hinnant, "chrono-Compatible Low-Level Date Algorithms", civil_from_days and days_from_civil.
 */
const yearContaining = (days: number): number => {
  const shifted = days + 719_468
  const era = Math.floor(shifted / 146_097)
  const dayOfEra = shifted - era * 146_097
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365,
  )
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100))
  // Years of this count begin in March: January and February belong to the next one.
  return yearOfEra + era * 400 + (dayOfYear >= 306 ? 1 : 0)
}

const daysToYear = (year: number): number => {
  const march = year - 1
  const era = Math.floor(march / 400)
  const yearOfEra = march - era * 400
  return era * 146_097 + yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + 306 - 719_468
}
