import type { Random } from './random.ts'

/*
 * What is done to the messages of a conversation. Some know what a message is made of (tag, length, counts, zero
 * bytes) and leave the rest in order, because what is nearly right gets furthest; some just spoil bytes.
 */

export type Frames = readonly Buffer[]

const HEADER = 5

/** So many mutations, one after the other; none leaves the messages as they are. */
export const mutated = (random: Random, frames: Frames, times: number): Frames => {
  let result = frames
  for (let left = times; left > 0; left--) result = mutatedOnce(random, result)
  return result
}

const mutatedOnce = (random: Random, frames: Frames): Frames => {
  if (frames.length === 0) return [garbage(random)]
  const index = random.below(frames.length)
  const frame = frames[index] ?? Buffer.alloc(0)
  const put = (...others: readonly Buffer[]): Frames => [
    ...frames.slice(0, index),
    ...others,
    ...frames.slice(index + 1),
  ]
  switch (random.below(12)) {
    case 0:
      return put()
    case 1:
      return put(frame, frame)
    case 2:
      return put(frames[index + 1] ?? frame, frame, ...frames.slice(index + 2))
    case 3:
      return put(frame, garbage(random))
    case 4:
      return put(withTag(random, frame))
    case 5:
      return put(withLength(random, frame))
    case 6:
      return put(spoilt(random, frame))
    default:
      // The length is put right again, so that only the fields are wrong.
      return put(measured(spoilt(random, frame)))
  }
}

const TAGS = Buffer.from('QPBEDCSHXdcfFpRKZ123nstTGWVvAIN\0\xff', 'latin1')
const LENGTHS = [0, 1, 3, 4, 5, 8, 0x7fff, 0xffff, 0x10000, 0x100001, 0x4000001, 0x7fffffff, -1, -0x80000000]
const COUNTS = [0, 1, 2, 0x7f, 0x7fff, 0x8000, 0xfffe, 0xffff]

const garbage = (random: Random): Buffer => random.bytes(random.pick([1, 2, 4, 5, 9, 40]))

const withTag = (random: Random, frame: Buffer): Buffer => {
  const changed = Buffer.from(frame)
  if (changed.length > 0) changed[0] = random.pick([...TAGS])
  return changed
}

const withLength = (random: Random, frame: Buffer): Buffer => {
  if (frame.length < HEADER) return frame
  const changed = Buffer.from(frame)
  const near = frame.readInt32BE(1) + random.pick([-5, -2, -1, 1, 2, 5])
  changed.writeInt32BE((random.oneIn(2) ? near : random.pick(LENGTHS)) | 0, 1)
  return changed
}

/** The length says how long it is. */
export const measured = (frame: Buffer): Buffer => {
  if (frame.length < HEADER) return frame
  const changed = Buffer.from(frame)
  changed.writeInt32BE(frame.length - 1, 1)
  return changed
}

/** Something about the body is another thing than it was. */
const spoilt = (random: Random, frame: Buffer): Buffer => {
  const body = frame.length - HEADER
  if (body <= 0) return Buffer.concat([frame, garbage(random)])
  const at = HEADER + random.below(body)
  const before = frame.subarray(0, at)
  const after = frame.subarray(at)
  switch (random.below(9)) {
    case 0:
      return before
    case 1:
      return Buffer.concat([before, Buffer.from([0]), after])
    case 2:
      return Buffer.concat([before, garbage(random), after])
    case 3:
      return Buffer.concat([before, after.subarray(1 + random.below(after.length))])
    case 4:
      return withoutZero(random, frame)
    case 5:
      return written(frame, at, 2, random.pick(COUNTS))
    case 6:
      return written(frame, at, 4, random.pick(LENGTHS))
    case 7:
      return written(frame, at, 1, random.pick([0, 1, 0x20, 0x3b, 0x7f, 0x80, 0xc3, 0xff]))
    default:
      return written(frame, at, 1, (frame[at] ?? 0) ^ (1 << random.below(8)))
  }
}

const written = (frame: Buffer, at: number, size: number, value: number): Buffer => {
  const changed = Buffer.from(frame)
  const from = Math.min(at, frame.length - size)
  if (from < HEADER) return changed
  for (let left = size - 1, rest = value >>> 0; left >= 0; left--, rest >>>= 8) changed[from + left] = rest & 0xff
  return changed
}

const withoutZero = (random: Random, frame: Buffer): Buffer => {
  const zero = frame.indexOf(0, HEADER + random.below(frame.length - HEADER))
  return zero < 0 ? frame : Buffer.concat([frame.subarray(0, zero), frame.subarray(zero + 1)])
}

const PIECES_MAX = 300

/** Cuts anywhere: into single bytes, into small pieces, or hardly at all. Nothing is lost. */
export const cut = (random: Random, bytes: Buffer): readonly Buffer[] => {
  const most = Math.max(random.pick([1, 3, 6, 23, 300, 100_000]), bytes.length / PIECES_MAX)
  const pieces: Buffer[] = []
  for (let at = 0; at < bytes.length;) {
    const size = random.between(1, Math.ceil(most))
    pieces.push(bytes.subarray(at, at + size))
    at += size
  }
  return pieces
}
