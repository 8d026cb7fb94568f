/*
 * CancelRequest => length 80877102 processId secret
 */
export const cancelRequest = (processId: number, secret: Buffer): Buffer => {
  const head = Buffer.alloc(12)
  head.writeInt32BE(12 + secret.length, 0)
  head.writeInt32BE(80_877_102, 4)
  head.writeInt32BE(processId, 8)
  return Buffer.concat([head, secret])
}
