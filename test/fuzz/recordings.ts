import { readdirSync, readFileSync } from 'node:fs'

const FOLDER = new URL('recordings/', import.meta.url)

/** What a real client and a real server said to each other, as bytes (record.ts has written it down). */
export interface Recording {
  readonly client: string
  readonly fromClient: Buffer
  readonly fromServer: Buffer
}

export const recordings = (): readonly Recording[] =>
  readdirSync(FOLDER)
    .flatMap((file) => /^(.*)\.client\.bin$/.exec(file)?.[1] ?? [])
    .map((client) => ({
      client,
      fromClient: readFileSync(new URL(`${client}.client.bin`, FOLDER)),
      fromServer: readFileSync(new URL(`${client}.server.bin`, FOLDER)),
    }))

/** The messages of one direction, found with nothing of the codec's. Whatever has no tag is left out. */
export const framesOf = (bytes: Buffer): readonly Buffer[] => {
  const frames: Buffer[] = []
  for (let at = 0; at < bytes.length;) {
    const hasNoTag = bytes[at] === 0
    const end = at + (hasNoTag ? bytes.readInt32BE(at) : 1 + bytes.readInt32BE(at + 1))
    if (!hasNoTag) frames.push(bytes.subarray(at, end))
    at = end
  }
  return frames
}
