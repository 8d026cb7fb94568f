import { product } from '../support/shared-product.ts'

interface Request {
  readonly id: string
  readonly digest: string
  readonly text: string
}

/**
 * Signs as bo, who owns the data, the first request of each statement that speaks of one of `words`, until stopped.
 * Only the first: a statement that is tried again after it ran must find itself held again.
 */
export const approveFirst = (words: readonly string[]): { readonly stop: () => Promise<readonly string[]> } => {
  const signed = new Map<string, string>()
  const stopping = new AbortController()
  const signing = (async () => {
    while (!stopping.signal.aborted) {
      for (const { id, digest, text } of await pending()) {
        if (signed.has(digest) || !words.some((word) => text.includes(word))) continue
        signed.set(digest, id)
        await sign(id, digest)
      }
      await new Promise((resolve) => setTimeout(resolve, 200))
    }
  })()
  return {
    stop: async () => {
      stopping.abort()
      await signing
      return [...signed.values()]
    },
  }
}

const pending = async (): Promise<readonly Request[]> =>
  (await product.api<{ requests: readonly Request[] }>('bo', 'requests?phase=pending&limit=100')).body.requests

const sign = async (id: string, digest: string): Promise<void> => {
  const body = JSON.stringify({ vote: 'grant', digest })
  const { status } = await product.api('bo', `requests/${id}/votes`, { method: 'POST', body })
  if (status !== 200) throw new Error(`request ${id} could not be signed: ${status}`)
}
