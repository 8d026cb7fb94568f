import type { Asked } from '@countersign/approval'
import type { Instant, Principal, RequestId } from '@countersign/contracts'
import { Inject } from '@nestjs/common'
import type { ApprovalsBook } from '../approvals/approvals-book.ts'
import type { Clock } from '../clock.ts'
import { ApiError } from '../api/api-error.ts'
import type { Readers } from '../api/readers.ts'
import type { RequestFilter, RequestPage, RequestView } from '../api/schemas.ts'
import type { PoliciesInForce } from '../policies/policies-in-force.ts'
import type { PolicyHistory } from '../policies/policy-history.ts'
import { BOOK, CLOCK, POLICIES, POLICY_HISTORY, READERS } from '../tokens.ts'
import { proposalView } from './proposal-view.ts'
import { requestView } from './request-view.ts'

/** Requests, as each may see them. */
export class ReadRequests {
  constructor(
    @Inject(BOOK) private readonly book: ApprovalsBook,
    @Inject(READERS) private readonly readers: Readers,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(POLICIES) private readonly policies: PoliciesInForce,
    @Inject(POLICY_HISTORY) private readonly history: PolicyHistory,
  ) {}

  /** What a reader may not see is not there for them. */
  find(reader: Principal, requestId: RequestId): Asked {
    const state = this.book.get(requestId)
    if (state && this.readers.mayRead(reader, state)) return state
    throw new ApiError('not-found', `there is no request ${requestId} for you`, 'see `countersign requests ls`')
  }

  show(reader: Principal, requestId: RequestId): RequestView {
    return this.#view(this.find(reader, requestId), reader, this.clock())
  }

  list(reader: Principal, { phase, limit, cursor }: RequestFilter): RequestPage {
    const before = cursor === undefined ? undefined : decodeCursor(cursor)
    const at = this.clock()
    const found = this.book
      .all()
      .filter((state) => (phase === undefined || state.phase === phase) && this.readers.mayRead(reader, state))
      .map((state) => ({ state, place: placeOf(state) }))
      .filter(({ place }) => before === undefined || place < before)
      .sort((a, b) => (a.place < b.place ? 1 : -1))
    const page = found.slice(0, limit)
    const last = page.at(-1)
    return {
      requests: page.map(({ state }) => this.#view(state, reader, at)),
      ...(last && found.length > limit && { next: encodeCursor(last.place) }),
    }
  }

  #view(state: Asked, reader: Principal, at: Instant): RequestView {
    const { history, policies, readers } = this
    return requestView(state, reader, at, (request) =>
      proposalView(request, { history, policies, mayReadPolicies: readers.mayReadPolicies(reader) }),
    )
  }
}

/** Sorts by time, and tells requests of one moment apart. */
const placeOf = ({ request }: Asked): string => `${request.at} ${request.requestId}`

const encodeCursor = (place: string): string => Buffer.from(place).toString('base64url')

const decodeCursor = (cursor: string): string => {
  const place = Buffer.from(cursor, 'base64url').toString()
  if (/^\d{4}-\d\d-\d\dT[\d:.]+Z rq_\w+$/.test(place)) return place
  throw new ApiError('invalid-input', 'cursor: is not one that was given out', 'start again without a cursor')
}
