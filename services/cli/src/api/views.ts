import { Digest, Instant, Principal, Replayed, RowCount, Target, Verdict } from '@countersign/contracts'
import { z } from 'zod'

/*
 * What the command line reads from control's answers (its openapi.json describes them whole). Everything else in them
 * is kept, so that --json prints what was sent.
 */

export const Phase = z.enum(['pending', 'granted', 'claimed', 'denied', 'expired', 'withdrawn', 'voided'])
export type Phase = z.output<typeof Phase>

const Signature = z.looseObject({
  person: z.string(),
  vote: z.enum(['grant', 'deny']),
  reason: z.string().optional(),
  at: Instant,
})

const PolicyProposal = z.looseObject({
  version: z.string(),
  base: z.string(),
  changes: z.array(
    z.looseObject({
      id: z.string(),
      file: z.string(),
      change: z.enum(['added', 'removed', 'changed']),
      before: z.string().optional(),
      after: z.string().optional(),
    }),
  ),
  owners: z.looseObject({ added: z.array(z.string()), removed: z.array(z.string()) }),
  replayed: Replayed.optional(),
})
export type PolicyProposal = z.output<typeof PolicyProposal>

/** What it would reach (libs/contracts). A field that a later control adds is kept. */
export const BlastView = z.looseObject({
  summary: z.string(),
  relations: z.array(
    z.looseObject({
      name: z.string(),
      effect: z.string(),
      through: z.string().optional(),
      rows: RowCount.optional(),
      bytes: z.number().optional(),
      lock: z.string().optional(),
      rewrites: z.boolean().optional(),
      scans: z.boolean().optional(),
    }),
  ),
  dependents: z.array(z.looseObject({ kind: z.string(), name: z.string(), cascade: z.boolean() })),
  more: z.looseObject({ relations: z.number(), dependents: z.number() }).optional(),
  sample: z
    .looseObject({ relation: z.string(), columns: z.array(z.string()), rows: z.array(z.array(z.string().nullable())) })
    .optional(),
})
export type BlastView = z.output<typeof BlastView>

export const RequestView = z.looseObject({
  id: z.string(),
  kind: z.enum(['statement', 'policy']).optional(),
  phase: Phase,
  requester: Principal,
  target: Target.optional(),
  role: z.string().optional(),
  text: z.string(),
  digest: Digest,
  actions: z.array(z.string()),
  relations: z.array(z.looseObject({ name: z.string(), actions: z.array(z.string()) })),
  rows: RowCount.optional(),
  blast: BlastView.optional(),
  because: z.string(),
  proposal: PolicyProposal.optional(),
  reason: z.string().optional(),
  ticket: z.string().optional(),
  groups: z.array(z.looseObject({ name: z.string(), people: z.array(z.string()) })),
  quorum: z.int(),
  signatures: z.array(Signature),
  requestedAt: Instant,
  expiresAt: Instant,
  usableUntil: Instant.optional(),
  endedBecause: z.string().optional(),
  you: z.looseObject({ canSign: z.boolean(), message: z.string().optional() }),
})
export type RequestView = z.output<typeof RequestView>

export const RequestPage = z.looseObject({ requests: z.array(RequestView), next: z.string().optional() })

export const PolicyView = z.looseObject({
  version: z.string(),
  files: z.array(z.object({ name: z.string(), text: z.string() })),
})

export const OwnersView = z.looseObject({ text: z.string() })

const Said = z.looseObject({ verdict: Verdict, policies: z.array(z.string()) })

export const WhatIfLine = z.discriminatedUnion('type', [
  z.looseObject({
    type: z.literal('change'),
    at: Instant,
    principal: z.looseObject({ id: z.string(), onBehalfOf: z.string().optional() }),
    target: Target,
    text: z.string(),
    outcome: z.enum(['stricter', 'looser']),
    before: Said,
    after: Said,
  }),
  z.looseObject({ type: z.literal('progress'), statements: z.int(), at: Instant }),
  z.looseObject({ ...Replayed.shape, type: z.literal('summary') }),
  z.looseObject({ type: z.literal('failed'), message: z.string() }),
])
export type WhatIfLine = z.output<typeof WhatIfLine>

export const SessionList = z.looseObject({
  sessions: z.array(
    z.looseObject({
      id: z.string(),
      principal: Principal,
      target: Target,
      role: z.string(),
      client: z.looseObject({
        address: z.string(),
        port: z.int(),
        application: z.string().optional(),
        tls: z.string().nullable(),
      }),
      worker: z.string(),
      openedAt: Instant,
    }),
  ),
})

export type SessionList = z.output<typeof SessionList>

export const RestrictionView = z.looseObject({
  principalId: z.string(),
  because: z.string(),
  since: Instant,
  until: Instant,
})
export type RestrictionView = z.output<typeof RestrictionView>

export const RestrictionList = z.looseObject({ restrictions: z.array(RestrictionView) })

/** One event as it is shown to people: a line, and what to find more by. */
export const EventView = z.looseObject({
  type: z.string(),
  at: Instant.optional(),
  summary: z.string(),
  principal: z.string().optional(),
  text: z.string().optional(),
})
export type EventView = z.output<typeof EventView>
