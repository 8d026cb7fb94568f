/** What the API refused, in its own words. */
export class Refusal extends Error {
  constructor(status, { code, message, remedy } = {}) {
    super(remedy ? `${message}: ${remedy}` : (message ?? `the server answered ${status}`))
    this.status = status
    this.code = code
  }
}

const refusalOf = async (response) => {
  const body = await response.json().catch(() => ({}))
  return new Refusal(response.status, body.error)
}

export const apiOf = (token) => {
  const headers = { authorization: `Bearer ${token}` }

  const call = async (path, options = {}) => {
    const response = await fetch(`/api/v1${path}`, { ...options, headers: { ...headers, ...options.headers } })
    if (!response.ok) throw await refusalOf(response)
    return response.json()
  }

  const post = (path, body) =>
    call(path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })

  return {
    me: () => call('/me'),
    requests: (query) => call(`/requests?${new URLSearchParams(query)}`),
    vote: (id, vote) => post(`/requests/${encodeURIComponent(id)}/votes`, { ...vote, channel: 'console' }),
    cancel: (id) => post(`/requests/${encodeURIComponent(id)}/cancel`, {}),

    /** Calls `handle` with each event until it ends. An EventSource would not do: it cannot send a token in a header. */
    async tail({ signal, opened, handle }) {
      const response = await fetch('/api/v1/events', { headers, signal })
      if (!response.ok) throw await refusalOf(response)
      opened()
      let rest = ''
      for await (const chunk of chunksOf(response.body.pipeThrough(new TextDecoderStream()))) {
        const frames = (rest + chunk).split('\n\n')
        rest = frames.pop()
        for (const frame of frames) {
          const data = frame.split('\n').find((line) => line.startsWith('data: '))
          if (data) handle(JSON.parse(data.slice(6)))
        }
      }
    },
  }
}

/** Not every browser can iterate a stream by itself. */
async function* chunksOf(stream) {
  const reader = stream.getReader()
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return
    yield value
  }
}
