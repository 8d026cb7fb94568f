/** What a stream tells its owner. Replaced as a whole when a connection goes from one phase to the next. */
export interface ByteListener {
  /** bytes[0, length) have come. The buffer belongs to the stream again when the call returns (see `keep`). */
  received(bytes: Buffer, length: number): void
  /** All that was written has left this process. */
  drained(): void
  /** The peer is gone, or we are. Called once. */
  closed(): void
}

/**
 * A connection as the relay sees it: bytes in, bytes out, back-pressure. No streams machinery on the way in, because
 * that costs a quarter of the node's work (research/perf.md); TLS connections go through Node's own streams.
 */
export interface ByteStream {
  listener: ByteListener
  /** Writes without copying: the bytes may be referenced until `backlog` is 0 again. */
  write(bytes: Buffer): void
  /** Bytes written that have not left this process. */
  readonly backlog: number
  /** What was just received may still be referenced by a write somewhere: the next read takes another buffer. */
  keep(): void
  pause(): void
  resume(): void
  /** Sends what was written, then closes. */
  end(): void
  destroy(): void
}

export const DEAF: ByteListener = { received: () => {}, drained: () => {}, closed: () => {} }
