export interface ServerSentEvent {
  readonly id: string | undefined
  readonly event: string
  readonly data: string
}

/**
 * SPEC: HTML Living Standard, 9.2.6 "Interpreting an event stream". Fields are lines; an empty line ends an event;
 * lines that begin with a colon are comments; an event without data is none.
 */
export async function* serverSentEvents(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<ServerSentEvent> {
  let draft = newDraft()
  for await (const line of linesOf(chunks)) {
    if (line !== '') {
      addField(draft, line)
      continue
    }
    if (draft.data.length > 0) yield { id: draft.id, event: draft.event || 'message', data: draft.data.join('\n') }
    draft = newDraft()
  }
}

interface Draft {
  id: string | undefined
  event: string
  readonly data: string[]
}

const newDraft = (): Draft => ({ id: undefined, event: '', data: [] })

const addField = (draft: Draft, line: string): void => {
  const colon = line.indexOf(':')
  if (colon === 0) return
  const name = colon < 0 ? line : line.slice(0, colon)
  const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '')
  if (name === 'data') draft.data.push(value)
  else if (name === 'event') draft.event = value
  else if (name === 'id') draft.id = value
}

async function* linesOf(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const chunk of chunks) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split(/\r\n|\n|\r(?!$)/)
    rest = lines.pop() ?? ''
    yield* lines
  }
}
