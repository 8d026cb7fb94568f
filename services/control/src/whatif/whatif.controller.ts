import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import type { Principal } from '@countersign/contracts'
import { LogUnavailableError } from '@countersign/eventlog'
import { faultOf, type Logger } from '@countersign/platform'
import { Body, Controller, HttpCode, Inject, Post, Res, UseGuards } from '@nestjs/common'
import { ApiError } from '../api/api-error.ts'
import { InputPipe } from '../api/input.pipe.ts'
import type { Readers } from '../api/readers.ts'
import { WhatIfInput, type WhatIfLine } from '../api/schemas.ts'
import { Caller, SignInGuard } from '../api/sign-in.guard.ts'
import type { Clock } from '../clock.ts'
import type { PoliciesInForce } from '../policies/policies-in-force.ts'
import { candidateFrom } from '../propose-policies/candidate.ts'
import { CLOCK, LOGGER, POLICIES, READERS, WHAT_IF } from '../tokens.ts'
import type { Changed, WhatIf } from './what-if.ts'

@Controller('api/v1/policies')
@UseGuards(SignInGuard)
export class WhatIfController {
  constructor(
    @Inject(WHAT_IF) private readonly whatIf: WhatIf,
    @Inject(READERS) private readonly readers: Readers,
    @Inject(POLICIES) private readonly policies: PoliciesInForce,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** What everybody did is for those whose work it is to look at it. */
  @Post('whatif')
  @HttpCode(200)
  async stream(
    @Caller() caller: Principal,
    @Body(new InputPipe(WhatIfInput)) input: WhatIfInput,
    @Res() response: ServerResponse,
  ): Promise<void> {
    if (!this.readers.mayReplay(caller)) {
      throw new ApiError(
        'forbidden',
        'you may not replay what others did',
        'ask auditors, SREs or those who sign for policies',
      )
    }
    const { compiled: set } = candidateFrom(input, this.policies.current)
    const gone = new AbortController()
    response.once('close', () => gone.abort())
    const lines = linesTo(response, gone.signal)
    const { since, until = this.clock() } = input
    try {
      const summary = await this.whatIf.run({
        set,
        since,
        until,
        changed: (changed) => lines(changeLine(changed)),
        progress: (statements, at) => void lines({ type: 'progress', statements, at }),
        signal: gone.signal,
      })
      await lines({ type: 'summary', ...summary })
    } catch (error) {
      // What has begun to be answered cannot become an error any more: the last line says so.
      if (!response.headersSent) throw error
      this.logger.error('a replay ended early', faultOf(error))
      const message = error instanceof LogUnavailableError ? error.message : 'something went wrong here'
      await lines({ type: 'failed', message })
    }
    response.end()
  }
}

/** Writes as fast as it is read. */
const linesTo = (response: ServerResponse, signal: AbortSignal) => async (line: WhatIfLine) => {
  if (signal.aborted) return
  if (!response.headersSent) {
    response.writeHead(200, { 'content-type': 'application/x-ndjson; charset=utf-8', 'cache-control': 'no-store' })
  }
  if (response.write(`${JSON.stringify(line)}\n`)) return
  await once(response, 'drain', { signal }).catch(() => undefined)
}

const changeLine = ({ statement, asker, replayed }: Changed): WhatIfLine => {
  const { statementId, at, text, verdict, policies, facts } = statement
  const { id, kind, onBehalfOf } = asker.principal
  const { outcome } = replayed
  return {
    type: 'change',
    statementId,
    at,
    principal: { id, kind, ...(onBehalfOf !== undefined && { onBehalfOf }) },
    target: asker.target,
    text,
    outcome: outcome === 'looser' ? outcome : 'stricter',
    before: { verdict, policies },
    after: { verdict: replayed.verdict, policies: [...replayed.policies], because: replayed.because },
    ...(facts && { facts }),
  }
}
