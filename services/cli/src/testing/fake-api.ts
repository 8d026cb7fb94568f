import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface Call {
  readonly method: string
  readonly path: string
  readonly token: string
  readonly body: unknown
  readonly headers: IncomingMessage['headers']
}

export type Answer = { readonly status?: number; readonly body: unknown } | ((response: ServerResponse) => void)

export interface FakeApi {
  readonly origin: string
  readonly calls: readonly Call[]
  close(): Promise<void>
}

/** Answers like control, and remembers what it was asked. */
export const startFakeApi = async (answer: (call: Call) => Answer): Promise<FakeApi> => {
  const calls: Call[] = []
  const server = createServer(async (request, response) => {
    const call = await callOf(request)
    calls.push(call)
    const given = answer(call)
    if (typeof given === 'function') return given(response)
    response.writeHead(given.status ?? 200, { 'content-type': 'application/json' }).end(JSON.stringify(given.body))
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo
  const close = async () => {
    server.closeAllConnections()
    await once(server.close(), 'close')
  }
  return { origin: `http://127.0.0.1:${port}`, calls, close }
}

const callOf = async (request: IncomingMessage): Promise<Call> => {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  const text = Buffer.concat(chunks).toString('utf8')
  return {
    method: request.method ?? '',
    path: request.url ?? '',
    token: request.headers.authorization ?? '',
    body: text === '' ? undefined : JSON.parse(text),
    headers: request.headers,
  }
}
