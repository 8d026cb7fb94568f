import { z } from 'zod'
import type { ApiErrorCode } from './api-error.ts'
import {
  CatalogueView,
  EventFilter,
  EventView,
  Me,
  OwnersView,
  PolicyView,
  ProposalInput,
  RequestFilter,
  RequestPage,
  RequestPath,
  LiftInput,
  RequestView,
  RestrictionList,
  RestrictionPath,
  RestrictionView,
  SessionList,
  VoteInput,
  WhatIfInput,
  WhatIfLine,
} from './schemas.ts'

/** One way to call the API. Controllers serve these; openapi.json describes these; a spec holds the two together. */
export interface Route {
  readonly method: 'get' | 'post'
  readonly path: string
  readonly id: string
  readonly summary: string
  readonly parameters?: z.ZodObject
  readonly query?: z.ZodObject
  readonly body?: z.ZodType
  readonly answer: { readonly schema: z.ZodType; readonly type?: string }
  readonly errors?: readonly ApiErrorCode[]
  /** Whether anybody may call it, without a token. */
  readonly open?: true
}

const text = z.string()

export const ROUTES: readonly Route[] = [
  { method: 'get', path: '/api/v1/me', id: 'me', summary: 'Who I am', answer: { schema: Me } },
  {
    method: 'get',
    path: '/api/v1/requests',
    id: 'listRequests',
    summary: 'Requests that I may see, the newest first',
    query: RequestFilter,
    answer: { schema: RequestPage },
    errors: ['invalid-input'],
  },
  {
    method: 'get',
    path: '/api/v1/requests/{id}',
    id: 'showRequest',
    summary: 'Everything that an approver must see of a request',
    parameters: RequestPath,
    answer: { schema: RequestView },
    errors: ['invalid-input', 'not-found'],
  },
  {
    method: 'post',
    path: '/api/v1/requests/{id}/votes',
    id: 'castVote',
    summary: 'Sign for a request, or deny it',
    parameters: RequestPath,
    body: VoteInput,
    answer: { schema: RequestView },
    errors: [
      'invalid-input',
      'unknown-request',
      'own-request',
      'not-an-owner',
      'not-a-person',
      'already-voted',
      'not-open',
      'other-statement',
      'expired',
      'too-many-refusals',
      'log-unavailable',
    ],
  },
  {
    method: 'post',
    path: '/api/v1/requests/{id}/cancel',
    id: 'cancelRequest',
    summary: 'Take back what I or my agent asked for',
    parameters: RequestPath,
    answer: { schema: RequestView },
    errors: ['invalid-input', 'not-found', 'forbidden', 'not-open', 'log-unavailable'],
  },
  {
    method: 'get',
    path: '/api/v1/sessions',
    id: 'listSessions',
    summary: 'Sessions that are open now',
    answer: { schema: SessionList },
  },
  {
    method: 'get',
    path: '/api/v1/restrictions',
    id: 'listRestrictions',
    summary: 'Who may do nothing for now, because too much of theirs was denied',
    answer: { schema: RestrictionList },
  },
  {
    method: 'post',
    path: '/api/v1/restrictions/{id}/lift',
    id: 'liftRestriction',
    summary: 'Give a principal its rights back before the time is up',
    parameters: RestrictionPath,
    body: LiftInput,
    answer: { schema: RestrictionView },
    errors: ['invalid-input', 'not-found', 'forbidden', 'log-unavailable'],
  },
  {
    method: 'get',
    path: '/api/v1/events',
    id: 'tailEvents',
    summary: 'What happens from now on, as server-sent events',
    query: EventFilter,
    answer: { schema: EventView, type: 'text/event-stream' },
    errors: ['invalid-input'],
  },
  {
    method: 'get',
    path: '/api/v1/policies',
    id: 'showPolicies',
    summary: 'The policies in force',
    answer: { schema: PolicyView },
    errors: ['forbidden'],
  },
  {
    method: 'post',
    path: '/api/v1/policies/proposals',
    id: 'proposePolicies',
    summary: 'Propose other policies, to be signed for by others',
    body: ProposalInput,
    answer: { schema: RequestView },
    errors: [
      'invalid-input',
      'invalid-policy',
      'nothing-changes',
      'not-a-person',
      'too-large',
      'too-many-proposals',
      'log-unavailable',
    ],
  },
  {
    method: 'post',
    path: '/api/v1/policies/whatif',
    id: 'whatIf',
    summary: 'What other policies would have said of recorded statements, a line each',
    body: WhatIfInput,
    answer: { schema: WhatIfLine, type: 'application/x-ndjson' },
    errors: ['invalid-input', 'invalid-policy', 'forbidden', 'too-large', 'busy', 'log-unavailable'],
  },
  {
    method: 'get',
    path: '/api/v1/owners',
    id: 'showOwners',
    summary: 'Who owns what',
    answer: { schema: OwnersView },
  },
  {
    method: 'get',
    path: '/api/v1/catalogue',
    id: 'showCatalogue',
    summary: 'What the columns of each database hold',
    answer: { schema: CatalogueView },
  },
  {
    method: 'get',
    path: '/openapi.json',
    id: 'openapi',
    summary: 'This description',
    answer: { schema: z.looseObject({}) },
    open: true,
  },
  {
    method: 'get',
    path: '/healthz',
    id: 'healthz',
    summary: 'Whether the process lives',
    answer: { schema: z.object({ status: z.literal('ok') }) },
    open: true,
  },
  {
    method: 'get',
    path: '/readyz',
    id: 'readyz',
    summary: 'Whether it can do its work now. Answers 503 when not, with the reason',
    answer: {
      schema: z.object({
        ready: z.boolean(),
        checks: z.record(z.string(), z.object({ ok: z.boolean(), reason: z.string().optional() })),
      }),
    },
    open: true,
  },
  {
    method: 'get',
    path: '/metrics',
    id: 'metrics',
    summary: 'Figures in the text format of Prometheus',
    answer: { schema: text, type: 'text/plain' },
    open: true,
  },
]
