/*
 * Most of cs.access is ordinary statements, of which control needs nothing. To read them all is a sixth of a core
 * at 2,000 records a second; to look at their types is a hundredth.
 */

const TYPES = /"type":"([^"\\]{1,100})","version":(\d{1,9})/g

/** Types, in the versions that are written today, which nothing here acts on. */
const ORDINARY: ReadonlySet<string> = new Set([
  'statement.intended@1', // by nodes that are not renewed yet
  'statement.intended@2',
  'statement.settled@1', // the same
  'statement.settled@2',
  'credential.used@2',
  'auth.failed@3',
  'node.heartbeat@1',
])

/** Of a statement that policy denies: those are counted. */
const DENIED = '"verdict":"deny"'

/**
 * Whether a record holds nothing but ordinary events, as far as its bytes show.
 *
 * A quote within a JSON string is always escaped, so no statement's text can look like a type here. Whatever is
 * written in another way, with spaces or escapes, is not recognised and read in full.
 */
export const isOrdinary = (value: Uint8Array): boolean => {
  const text = Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('latin1')
  if (text.includes(DENIED)) return false
  let found = 0
  for (const [, type, version] of text.matchAll(TYPES)) {
    if (!ORDINARY.has(`${type}@${version}`)) return false
    found += 1
  }
  return found > 0
}
