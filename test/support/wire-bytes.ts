/*
 * Messages as bytes, for clients that say exactly what they are told to.
 */

export const framed = (tag: string, body: Buffer): Buffer => {
  const head = Buffer.alloc(5)
  head.write(tag, 'latin1')
  head.writeInt32BE(4 + body.length, 1)
  return Buffer.concat([head, body])
}

export const startup = (parameters: Readonly<Record<string, string>>): Buffer => {
  const texts = Object.entries(parameters)
    .flat()
    .map((text) => `${text}\0`)
  const body = Buffer.concat([Buffer.from([0, 3, 0, 0]), Buffer.from(`${texts.join('')}\0`)])
  const length = Buffer.alloc(4)
  length.writeInt32BE(4 + body.length)
  return Buffer.concat([length, body])
}
