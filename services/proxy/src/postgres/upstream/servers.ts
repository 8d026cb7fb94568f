import { serversOf, type ServerAddress, type TargetSessionAttrs, type UpstreamConfig } from '@countersign/platform'
import type { ServerState } from '../../health.ts'
import type { FaultKind } from '../../telemetry/labels.ts'
import { BackOff } from './back-off.ts'
import { failedAttempt, NoServerError, type Fault } from './no-server-error.ts'
import { misfitOf, type ServerTold } from './session-attrs.ts'

/** A login that succeeded, to be used or to be closed again. */
export interface Reached<T> {
  readonly connection: T
  readonly told: ServerTold
  close(): void
}

/** `asks`: it matters what the server is, so it is to be asked where it does not say so by itself. */
export type Open<T> = (address: ServerAddress, timeoutMs: number, asks: boolean) => Promise<Reached<T>>

export interface ServersOptions {
  readonly now: () => string
  /** The monotonic clock, in milliseconds. */
  readonly clock?: () => number
  readonly random?: () => number
  readonly connected?: (milliseconds: number) => void
  readonly failed?: (kind: FaultKind) => void
  /** A connection has ended by itself: it is time to look after its server (`probe`). */
  readonly lost?: () => void
}

/** Who has not answered is left alone this long, and longer each time: nobody else has to wait for the same silence. */
const SILENT_FIRST_MS = 1_000
const SILENT_MAX_MS = 30_000
/** What took longer than this to fail counts as silence. */
const SLOW_MS = 1_000

interface Known {
  readonly address: ServerAddress
  readonly server: string
  readonly backOff: BackOff
  told: ServerTold | undefined
  ok: boolean | undefined
  reason: string | undefined
  since: string | undefined
  seen: number
  silent: { readonly fault: Fault; readonly until: number } | undefined
}

/**
 * The servers of one database, tried one after the other as libpq does: the first that answers and fits. One that
 * refuses the login ends the search, because the others would refuse it as well.
 */
export class Servers {
  readonly #upstream: UpstreamConfig
  readonly #options: ServersOptions
  readonly #clock: () => number
  readonly #random: () => number
  readonly #known: readonly Known[]
  /** When a login last succeeded anywhere, on the monotonic clock: who waits before trying again need wait no longer. */
  reachedAt = Number.NEGATIVE_INFINITY

  constructor(upstream: UpstreamConfig, options: ServersOptions) {
    this.#upstream = upstream
    this.#options = options
    this.#clock = options.clock ?? (() => performance.now())
    this.#random = options.random ?? Math.random
    this.#known = serversOf(upstream).map((address) => ({
      address,
      server: nameOf(address),
      backOff: new BackOff(SILENT_FIRST_MS, SILENT_MAX_MS, this.#random),
      told: undefined,
      ok: undefined,
      reason: undefined,
      since: undefined,
      seen: Number.NEGATIVE_INFINITY,
      silent: undefined,
    }))
  }

  get states(): readonly ServerState[] {
    return this.#known.map(({ server, ok, told, reason, since, seen }) => ({
      server,
      ok,
      role: told?.standby === undefined ? undefined : told.standby ? 'standby' : 'primary',
      reason,
      since,
      seen,
    }))
  }

  /** True when the last that was heard of some server is that it would do. */
  get usable(): boolean {
    const wanted = this.#upstream.targetSessionAttrs
    return this.#known.some(({ ok, told }) => ok === true && told && misfitOf(wanted, told) === undefined)
  }

  /**
   * Logs in where one of the `rounds` is met, the earlier the better. Throws `NoServerError`, at the latest after
   * `withinMs`.
   */
  async reach<T>(
    rounds: readonly TargetSessionAttrs[],
    open: Open<T>,
    withinMs = Number.POSITIVE_INFINITY,
  ): Promise<{ readonly connection: T; readonly address: ServerAddress; readonly round: number }> {
    const giveUpAt = this.#clock() + withinMs
    let left = this.#inOrder()
    let faults: readonly Fault[] = []
    let cause: unknown
    for (const [round, wanted] of rounds.entries()) {
      const unfit: Known[] = []
      const kept = faults.filter(({ kind }) => kind !== 'misfit')
      const found: Fault[] = []
      for (const known of left) {
        const tried = await this.#try(known, wanted, open, giveUpAt, [...kept, ...found])
        if ('reached' in tried) return { connection: tried.reached.connection, address: known.address, round }
        found.push(tried.fault)
        cause = tried.cause
        if (tried.fault.kind === 'misfit') unfit.push(known)
      }
      faults = [...kept, ...found]
      left = unfit
    }
    throw new NoServerError(faults, undefined, { cause })
  }

  /** Looks after those that nobody has heard of for this long. Never throws: what it finds is in `states`. */
  async probe(open: Open<unknown>, olderThanMs: number): Promise<void> {
    const due = this.#clock() - olderThanMs
    await Promise.all(
      this.#known
        .filter(({ seen }) => seen <= due)
        .map(async (known) => {
          try {
            const reached = await this.#open(known, open, this.#upstream.connectTimeoutMs, true)
            reached.close()
          } catch {
            // It is written down already.
          }
        }),
    )
  }

  /** A connection that was there has ended by itself: whether the server has, too, is to be found out. */
  lost(address: ServerAddress): void {
    const known = this.#known.find(({ server }) => server === nameOf(address))
    if (!known) return
    known.seen = Number.NEGATIVE_INFINITY
    this.#options.lost?.()
  }

  async #try<T>(
    known: Known,
    wanted: TargetSessionAttrs,
    open: Open<T>,
    giveUpAt: number,
    before: readonly Fault[],
  ): Promise<{ readonly reached: Reached<T> } | { readonly fault: Fault; readonly cause?: unknown }> {
    const { server, silent } = known
    const now = this.#clock()
    if (silent && now < silent.until) return { fault: silent.fault }
    const leftMs = giveUpAt - now
    if (leftMs <= 0) return { fault: { server, kind: 'timeout', reason: 'not tried: no time was left' } }
    let reached: Reached<T>
    try {
      reached = await this.#open(known, open, Math.min(this.#upstream.connectTimeoutMs, leftMs), wanted !== 'any')
    } catch (error) {
      if (!(error instanceof NoServerError)) throw error
      if (error.fields) throw new NoServerError([...before, ...error.faults], error.fields, { cause: error.cause })
      const [fault = { server, kind: 'unreachable', reason: 'it cannot be reached' }] = error.faults
      return { fault, cause: error.cause }
    }
    const misfit = misfitOf(wanted, reached.told)
    if (misfit === undefined) return { reached }
    reached.close()
    this.#options.failed?.('misfit')
    return { fault: { server, kind: 'misfit', reason: misfit } }
  }

  async #open<T>(known: Known, open: Open<T>, timeoutMs: number, asks: boolean): Promise<Reached<T>> {
    const begun = this.#clock()
    try {
      const reached = await open(known.address, timeoutMs, asks)
      this.reachedAt = this.#clock()
      this.#options.connected?.(this.reachedAt - begun)
      this.#heard(known, true, undefined, reached.told)
      return reached
    } catch (error) {
      const { fault, fields, error: cause } = failedAttempt(known.server, error, timeoutMs)
      this.#options.failed?.(fault.kind)
      const ok = fields !== undefined // It answers, though not as one wants.
      this.#heard(known, ok, ok ? undefined : fault.reason, known.told)
      if (fault.kind === 'timeout' || this.#clock() - begun > SLOW_MS) {
        known.silent = { fault, until: this.#clock() + known.backOff.failed() }
      }
      throw new NoServerError([fault], fields, { cause })
    }
  }

  #heard(known: Known, ok: boolean, reason: string | undefined, told: ServerTold | undefined): void {
    if (ok !== known.ok) known.since = this.#options.now()
    known.ok = ok
    known.reason = reason
    known.told = told?.standby === undefined ? (known.told ?? told) : told
    known.seen = this.#clock()
    if (!ok) return
    known.silent = undefined
    known.backOff.succeeded()
  }

  /** As they are written, or shuffled anew for each session (Fisher and Yates, as libpq does). */
  #inOrder(): readonly Known[] {
    if (this.#upstream.loadBalanceHosts === 'disable') return this.#known
    const order = [...this.#known]
    for (let at = order.length - 1; at > 0; at--) {
      const other = Math.floor(this.#random() * (at + 1))
      const [a, b] = [order[at], order[other]]
      if (a && b) [order[at], order[other]] = [b, a]
    }
    return order
  }
}

export const nameOf = ({ host, port }: ServerAddress): string => `${host.includes(':') ? `[${host}]` : host}:${port}`
