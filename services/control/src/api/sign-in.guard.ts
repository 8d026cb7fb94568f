import type { IncomingMessage } from 'node:http'
import type { DecisionEvent, Principal } from '@countersign/contracts'
import { createParamDecorator, Inject, type CanActivate, type ExecutionContext } from '@nestjs/common'
import type { Clock } from '../clock.ts'
import type { DecisionBoard } from '../decisions/decision-board.ts'
import type { Directory } from '../directory/directory.ts'
import { BOARD, CLOCK, DIRECTORY } from '../tokens.ts'
import { ApiError } from './api-error.ts'

const signedIn = new WeakMap<IncomingMessage, Principal>()

/** Whoever calls the API shows their token, the one that they use as password for a database. */
export class SignInGuard implements CanActivate {
  constructor(
    @Inject(DIRECTORY) private readonly directory: Directory,
    @Inject(BOARD) private readonly board: DecisionBoard,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  canActivate(context: ExecutionContext): boolean {
    const request = context.switchToHttp().getRequest<IncomingMessage>()
    signedIn.set(request, this.#holderOf(tokenOf(request)))
    return true
  }

  #holderOf(token: string): Principal {
    const holder = this.directory.holderOf(token, this.clock())
    if (holder === 'unknown') throw new ApiError('unauthenticated', 'nobody has this token', 'check the token')
    if (holder === 'expired') throw new ApiError('token-expired', 'the token has expired', 'ask for a new one')
    const restriction = this.board.decision(`restriction/${holder.principal.id}`)
    if (restriction?.type === 'restriction.in-force' && isInForce(restriction.data, this.clock())) {
      const { because, until } = restriction.data
      const end = until === undefined ? '' : ` until ${until}`
      throw new ApiError('restricted', `you may do nothing for now${end}: ${because}`, 'ask somebody of security')
    }
    return holder.principal
  }
}

const isInForce = ({ restricted, until }: Restriction, at: string): boolean =>
  restricted && (until === undefined || until > at)

type Restriction = Extract<DecisionEvent, { type: 'restriction.in-force' }>['data']

/** Who calls, after `SignInGuard`. */
export const Caller = createParamDecorator((_: unknown, context: ExecutionContext): Principal => {
  const principal = signedIn.get(context.switchToHttp().getRequest<IncomingMessage>())
  if (!principal) throw new ApiError('unauthenticated', 'nobody is signed in')
  return principal
})

const tokenOf = ({ headers }: IncomingMessage): string => {
  const [, token] = /^Bearer ([\x21-\x7e]{1,500})$/i.exec(headers.authorization ?? '') ?? []
  if (token === undefined) {
    throw new ApiError('unauthenticated', 'no token was sent', 'send the header `Authorization: Bearer <token>`')
  }
  return token
}
