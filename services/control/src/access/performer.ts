import type { CommandBus } from '@nestjs/cqrs'
import type { ApprovalsBook } from '../approvals/approvals-book.ts'
import { ClaimGrant } from '../claim-grant/claim-grant.handler.ts'
import type { Clock } from '../clock.ts'
import { ObserveDatabase } from '../observe-database/observe-database.handler.ts'
import { OpenRequest } from '../open-request/open-request.handler.ts'
import { RestrictPrincipal } from '../restrict-principal/restrict-principal.handler.ts'
import type { Attempts } from '../restrictions/attempts.ts'
import { WithdrawRequest } from '../withdraw-request/withdraw-request.handler.ts'
import type { Effect } from './effects-of.ts'

/** Turns what nodes wrote into commands. Resolves when what they make happen is durable. */
export const performer =
  (commands: CommandBus, book: ApprovalsBook, attempts: Attempts, clock: Clock) =>
  async (effect: Effect): Promise<void> => {
    const withdraw = (requestId: Withdrawal['requestId'], because: Withdrawal['because']) =>
      commands.execute(new WithdrawRequest({ type: 'withdraw', requestId, because, at: clock() }))
    switch (effect.type) {
      case 'open':
        await commands.execute(new OpenRequest(effect.held))
        return
      case 'claim':
        await commands.execute(new ClaimGrant(effect.asked))
        return
      case 'withdraw':
        await withdraw(effect.requestId, effect.because)
        return
      case 'abandon':
        attempts.answered(effect.sessionId)
        for (const requestId of book.waitingOn(effect.sessionId)) await withdraw(requestId, effect.because)
        return
      case 'observe':
        await commands.execute(new ObserveDatabase(effect.observed))
        return
      case 'answered':
        attempts.answered(effect.sessionId)
        return
      case 'count': {
        const restriction = attempts.add(effect.denied)
        if (restriction) await commands.execute(new RestrictPrincipal(restriction))
      }
    }
  }

type Withdrawal = Extract<Effect, { type: 'withdraw' }>
