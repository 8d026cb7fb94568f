/*
 * A refused vote is recorded. So that nobody can fill the record with them, each may be refused only so often.
 */

const REFUSALS_MAX = 30
const WINDOW_MS = 60_000

export class Refusals {
  readonly #times = new Map<string, number[]>()

  isTooMany(principalId: string, now: number): boolean {
    const recent = (this.#times.get(principalId) ?? []).filter((time) => time > now - WINDOW_MS)
    if (recent.length === 0) this.#times.delete(principalId)
    else this.#times.set(principalId, recent)
    return recent.length >= REFUSALS_MAX
  }

  add(principalId: string, now: number): void {
    this.#times.set(principalId, [...(this.#times.get(principalId) ?? []), now])
  }
}
