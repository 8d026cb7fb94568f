const two = (n: number): string => String(n).padStart(2, '0')

/** `2026-11-22 19:04:16` where the reader is; programs get UTC through --json. */
export const localTime = (instant: string): string => {
  const at = new Date(instant)
  if (Number.isNaN(at.getTime())) return instant
  const day = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`
  return `${day} ${localClock(instant)}`
}

/** `19:04:16` where the reader is. */
export const localClock = (instant: string): string => {
  const at = new Date(instant)
  return Number.isNaN(at.getTime()) ? instant : `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`
}

const STEPS = [
  { unit: 'd', seconds: 86_400 },
  { unit: 'h', seconds: 3_600 },
  { unit: 'min', seconds: 60 },
] as const

/** How far away a moment is: `in 28 s`, `3 min ago`. */
export const distance = (instant: string, now: Date): string => {
  const seconds = Math.round((new Date(instant).getTime() - now.getTime()) / 1000)
  const size = Math.abs(seconds)
  const step = STEPS.find((each) => size >= 2 * each.seconds)
  const amount = step ? `${Math.floor(size / step.seconds)} ${step.unit}` : `${size} s`
  return seconds >= 0 ? `in ${amount}` : `${amount} ago`
}
