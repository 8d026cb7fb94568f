import { setTimeout as sleep } from 'node:timers/promises'
import type { Api } from '../api/api.ts'
import { connect, CONNECTION_HELP, CONNECTION_OPTIONS } from '../api/connection.ts'
import { EventView } from '../api/views.ts'
import { CliError } from '../cli-error.ts'
import { localClock } from '../clock.ts'
import { readArguments, type Command, type Io } from '../command.ts'
import { EXIT, type ExitCode } from '../exit-code.ts'
import { jsonOf } from '../json.ts'
import { visible } from '../table.ts'
import { serverSentEvents } from './server-sent-events.ts'

const HELP = `Usage: countersign tail [--types LIST] [options]

What happens, as it happens, until Ctrl-C. A connection that is lost is made again.

  --types LIST  only these, such as statement.held,approval.*
${CONNECTION_HELP}`

const run = async (args: readonly string[], io: Io): Promise<ExitCode> => {
  const { values } = readArguments(args, { ...CONNECTION_OPTIONS, types: { type: 'string' } })
  const api = connect(values, io)
  const path = values.types === undefined ? '/events' : `/events?types=${encodeURIComponent(values.types)}`
  const show = (event: EventView) => io.out(values.json ? JSON.stringify(event) : lineOf(event))
  await follow(api, path, show, io)
  return EXIT.ok
}

const PAUSE_FIRST_MS = 250
const PAUSE_MAX_MS = 5_000

/** Until told to stop. Only the first connection must succeed: then the address and the token are right. */
const follow = async (api: Api, path: string, show: (event: EventView) => void, io: Io): Promise<void> => {
  let last: string | undefined
  let connected = false
  let pauseMs = PAUSE_FIRST_MS
  while (!io.stopping.aborted) {
    try {
      const headers = { accept: 'text/event-stream', ...(last !== undefined && { 'last-event-id': last }) }
      const chunks = await api.stream(path, headers, io.stopping)
      connected = true
      pauseMs = PAUSE_FIRST_MS
      for await (const { id, data } of serverSentEvents(chunks)) {
        last = id ?? last
        const event = EventView.safeParse(jsonOf(data))
        if (event.success) show(event.data)
      }
    } catch (error) {
      if (io.stopping.aborted) return
      if (!connected || isRefusal(error)) throw error
    }
    await sleep(pauseMs, undefined, { signal: io.stopping }).catch(() => undefined)
    pauseMs = Math.min(pauseMs * 2, PAUSE_MAX_MS)
  }
}

/** The API answered, and will answer the same again: a token that was revoked, say. */
const isRefusal = (error: unknown): boolean => error instanceof CliError && error.code === 'CLI_API_REFUSED'

const TYPE_WIDTH = 21

export const lineOf = ({ at, type, summary }: EventView): string =>
  `${at === undefined ? '        ' : localClock(at)}  ${visible(type).padEnd(TYPE_WIDTH)}  ${visible(summary)}`

export const tail: Command = { summary: 'what happens, as it happens', help: HELP, run }
