import type { ServerResponse } from 'node:http'
import type { Principal } from '@countersign/contracts'
import { Controller, Get, Inject, Query, Res, UseGuards } from '@nestjs/common'
import { InputPipe } from '../api/input.pipe.ts'
import { isOneOf, type Readers } from '../api/readers.ts'
import { EventFilter, type EventView } from '../api/schemas.ts'
import { Caller, SignInGuard } from '../api/sign-in.guard.ts'
import type { ApprovalsBook } from '../approvals/approvals-book.ts'
import { BOOK, EVENT_HUB, READERS } from '../tokens.ts'
import type { EventHub } from './event-hub.ts'

const HEARTBEAT_MS = 15_000
/** A client that does not read is let go before it costs memory. */
const BACKLOG_BYTES_MAX = 4 * 1024 * 1024

@Controller('api/v1/events')
@UseGuards(SignInGuard)
export class TailEventsController {
  constructor(
    @Inject(EVENT_HUB) private readonly hub: EventHub,
    @Inject(READERS) private readonly readers: Readers,
    @Inject(BOOK) private readonly book: ApprovalsBook,
  ) {}

  @Get()
  async tail(
    @Caller() caller: Principal,
    @Query(new InputPipe(EventFilter)) { types }: EventFilter,
    @Res() response: ServerResponse,
  ): Promise<void> {
    const isAsked = typeFilter(types)
    const leave = await this.hub.listen({
      take: (events) => {
        const shown = events.filter((event) => isAsked(event.type) && this.#maySee(caller, event))
        if (shown.length > 0) send(response, shown.map(frameOf).join(''))
      },
      end: () => response.end(),
    })
    if (response.destroyed) return leave()
    const heartbeat = setInterval(() => send(response, ': still here\n\n'), HEARTBEAT_MS)
    response.once('close', () => {
      clearInterval(heartbeat)
      leave().catch(() => undefined)
    })
    response.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
    })
    send(response, ': from now on\n\n')
  }

  /** Asked for each event: who is put into a group that sees more, or out of it, sees so from the next event on. */
  #maySee(caller: Principal, { sessionId, requestId, topic }: EventView): boolean {
    if (this.readers.mayReadAll(caller)) return true
    if (topic.startsWith('cs.decisions')) return false
    const approval = requestId && this.book.get(requestId)
    if (approval && this.readers.mayRead(caller, approval)) return true
    const session = sessionId && this.hub.session(sessionId)
    return session ? isOneOf(caller, session.principal) : false
  }
}

/** SPEC: HTML Living Standard, 9.2 "Server-sent events". JSON holds no line break, so one `data` line is enough. */
const frameOf = (event: EventView): string => {
  const { topic, partition, offset, index, type } = event
  return `id: ${topic}/${partition}/${offset}/${index}\nevent: ${type}\ndata: ${JSON.stringify(event)}\n\n`
}

const send = (response: ServerResponse, text: string): void => {
  if (response.destroyed || response.writableEnded) return
  if (response.writableLength > BACKLOG_BYTES_MAX) {
    response.destroy()
    return
  }
  response.write(text)
}

const typeFilter = (types: string | undefined): ((type: string) => boolean) => {
  if (types === undefined) return () => true
  const wanted = types.split(',')
  return (type) => wanted.some((one) => (one.endsWith('*') ? type.startsWith(one.slice(0, -1)) : one === type))
}
