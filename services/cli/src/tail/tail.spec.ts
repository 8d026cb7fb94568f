import type { ServerResponse } from 'node:http'
import { afterEach, describe, expect, it } from 'vitest'
import { startFakeApi, type FakeApi } from '../testing/fake-api.ts'
import { runCli } from '../testing/run-cli.ts'

let api: FakeApi
afterEach(() => api.close())

describe('tail', () => {
  it('shows a line for each event, connects again after a loss from where it was, and ends when told to', async () => {
    const first = [event('1', 'held')]
    const second = [event('2', 'granted'), 'data: not an event\n\n', event('3', 'settled')]
    api = await startFakeApi(({ headers }) => (response) => {
      streamHead(response)
      if (headers['last-event-id'] === undefined) response.end(first.join(''))
      else response.write(second.join(''))
    })
    const { lines, code } = await runUntil(3, ['tail', '--types', 'statement.*'])
    expect(code).toBe(0)
    expect(lines.map((line) => line.slice(10))).toEqual(
      ['held', 'granted', 'settled'].map((word) => `statement.${word}`.padEnd(23) + `it is ${word}`),
    )
    expect(api.calls.map(({ path }) => path)).toEqual(Array(2).fill('/api/v1/events?types=statement.*'))
    expect(api.calls.map(({ headers }) => headers['last-event-id'])).toEqual([undefined, '1'])
  })

  it('prints events as they came with --json', async () => {
    api = await startFakeApi(() => (response) => void streamHead(response).write(event('1', 'held')))
    const { lines } = await runUntil(1, ['tail', '--json'])
    expect(JSON.parse(lines[0]!)).toEqual({ type: 'statement.held', at: AT, summary: 'it is held', offset: 1 })
  })

  it('gives up when it is refused', async () => {
    api = await startFakeApi(() => ({
      status: 401,
      body: { error: { code: 'unauthenticated', message: 'nobody has this token' } },
    }))
    const { err, code } = await runCli(['tail'], { env: environment() })
    expect([code, err]).toEqual([1, 'countersign: nobody has this token'])
  })
})

const AT = '2026-11-22T12:00:00.000Z'

const event = (id: string, word: string) =>
  `id: ${id}\ndata: ${JSON.stringify({ type: `statement.${word}`, at: AT, summary: `it is ${word}`, offset: Number(id) })}\n\n`

const streamHead = (response: ServerResponse) => response.writeHead(200, { 'content-type': 'text/event-stream' })

/** Tells it to end when it has said so many lines. */
const runUntil = async (count: number, args: readonly string[]) => {
  const stopping = new AbortController()
  const lines: string[] = []
  const out = (line: string) => {
    lines.push(line)
    if (lines.length === count) stopping.abort()
  }
  const { code } = await runCli(args, { env: environment(), out, stopping: stopping.signal })
  return { code, lines }
}

const environment = () => ({ COUNTERSIGN_API: api.origin, COUNTERSIGN_TOKEN: 't' })
