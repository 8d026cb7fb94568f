/** The highest revision that stands, per stream. Streams that nobody has written yet stand at 0. */
export type Heads = Map<string, number>

/**
 * INVARIANT log-order: of all commits that name one revision of a stream, the first in log order stands.
 *
 * Every reader asks this of every commit in log order and so comes to the same answer, with no lock, no transaction
 * and no owner. A commit that skips ahead is void too: its writer has not seen what it claims to follow.
 */
export const accepts = (heads: Heads, { stream, revision }: { stream: string; revision: number }): boolean => {
  if (revision !== (heads.get(stream) ?? 0) + 1) return false
  heads.set(stream, revision)
  return true
}
