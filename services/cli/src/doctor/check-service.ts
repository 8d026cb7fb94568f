import { z } from 'zod'
import { jsonOf } from '../json.ts'
import { fail, ok, warn, type Check } from './check.ts'

export interface Address {
  readonly host: string
  readonly port: number
}

const Readiness = z.object({
  checks: z.record(z.string(), z.object({ ok: z.boolean(), reason: z.string().optional() })).default({}),
  reasons: z.array(z.string()).default([]),
  status: z.string().default(''),
})

/** A service lives (`/healthz`), and can do its work (`/readyz`, which says why not). */
export const checkService = (name: string, { host, port }: Address): Check => ({
  name,
  run: async () => {
    const origin = originOf({ host, port })
    const health = await fetch(`${origin}/healthz`).catch(() => undefined)
    if (!health?.ok) return fail(`${origin} does not answer`, 'start it; its log says why it ended')
    const ready = await fetch(`${origin}/readyz`)
    const { degraded, reason } = toldIn(await ready.text())
    if (ready.ok && !degraded) return ok(origin)
    return warn(
      `${origin} is ${ready.ok ? 'degraded' : 'not ready'}: ${reason}`,
      'it gets ready by itself when that is mended',
    )
  },
})

export const originOf = ({ host, port }: Address): string => {
  const reachable = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host
  return `http://${reachable.includes(':') ? `[${reachable}]` : reachable}:${port}`
}

const toldIn = (text: string): { readonly degraded: boolean; readonly reason: string } => {
  const { checks, reasons, status } = Readiness.safeParse(jsonOf(text)).data ?? { checks: {}, reasons: [], status: '' }
  const failing = Object.entries(checks).filter(([, { ok }]) => !ok)
  const all = [...reasons, ...failing.map(([name, { reason }]) => `${name}: ${reason ?? 'failing'}`)]
  return { degraded: status === 'degraded', reason: all.join('; ') || 'it gives no reason' }
}
