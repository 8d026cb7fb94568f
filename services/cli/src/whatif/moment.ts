import { Instant } from '@countersign/contracts'
import { CliError } from '../cli-error.ts'

const UNITS = { m: 60_000, h: 3_600_000, d: 86_400_000 } as const

/** `30d`, `12h`, `45m` before now, or a date: `2026-11-01`, `2026-11-01T12:00:00Z`. */
export const momentOf = (option: string, text: string, now: Date): Instant => {
  const [, amount, unit] = /^(\d{1,6})([mhd])$/.exec(text) ?? []
  const at = unit === undefined ? dateIn(text) : now.getTime() - Number(amount) * UNITS[unit as keyof typeof UNITS]
  if (Number.isNaN(at)) {
    throw new CliError('CLI_USAGE', `--${option} \`${text}\`: expected 30d, 12h, 45m or a date such as 2026-11-01`)
  }
  return Instant.parse(new Date(at).toISOString())
}

const dateIn = (text: string): number => (/^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : Number.NaN)
