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

/**
 * The same for a compacted topic, of which a reader, if it begins late or falls behind, may see only the newest
 * records of a stream: the first for each revision stands here too, and what was dropped in between is not missed,
 * because each record says all that holds from then on.
 */
export const acceptsCompacted = (heads: Heads, { stream, revision }: { stream: string; revision: number }): boolean => {
  if (revision <= (heads.get(stream) ?? 0)) return false
  heads.set(stream, revision)
  return true
}
