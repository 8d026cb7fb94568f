import { setTimeout as sleep } from 'node:timers/promises'

export type Status = 'ok' | 'warn' | 'fail'

/** What was found, and for anything but `ok` what to do about it. */
export interface Finding {
  readonly status: Status
  readonly detail: string
  readonly remedy?: string
}

export interface Check {
  readonly name: string
  readonly run: () => Promise<Finding>
}

export interface Result extends Finding {
  readonly name: string
}

export const ok = (detail: string): Finding => ({ status: 'ok', detail })
export const warn = (detail: string, remedy: string): Finding => ({ status: 'warn', detail, remedy })
export const fail = (detail: string, remedy: string): Finding => ({ status: 'fail', detail, remedy })

const TIMEOUT_MS = 8_000

/** One check. It neither throws nor hangs: a doctor that does is no help. */
export const runCheck = async ({ name, run }: Check, timeoutMs = TIMEOUT_MS): Promise<Result> => {
  const patience = new AbortController()
  const late = sleep(timeoutMs, fail(`no answer within ${timeoutMs / 1000} s`, 'see whether it runs, and its log'), {
    signal: patience.signal,
  })
  try {
    return { name, ...(await Promise.race([run(), late])) }
  } catch (error) {
    return { name, ...fail(reasonOf(error), 'see whether it runs, and its log') }
  } finally {
    patience.abort()
    late.catch(() => undefined)
  }
}

/** The first line, and of an error that only wraps others the first of those. */
export const reasonOf = (error: unknown): string => {
  if (error instanceof AggregateError && error.errors.length > 0) return reasonOf(error.errors[0])
  if (!(error instanceof Error)) return String(error)
  const reason = error.message.split('\n')[0] ?? ''
  return error.cause instanceof Error && error.message === 'fetch failed' ? reasonOf(error.cause) : reason || error.name
}
