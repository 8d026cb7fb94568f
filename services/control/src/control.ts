import 'reflect-metadata'
import type { PrincipalId, Target, RequestId } from '@countersign/contracts'
import type { EventLog } from '@countersign/eventlog'
import type { Config, Logger } from '@countersign/platform'
import type { Provider } from '@nestjs/common'
import { CommandBus } from '@nestjs/cqrs'
import { AccessReader } from './access/access-reader.ts'
import { OpenSessions } from './access/open-sessions.ts'
import { performer } from './access/performer.ts'
import { Readers } from './api/readers.ts'
import { ApprovalDesk } from './approvals/approval-desk.ts'
import type { Clock } from './clock.ts'
import { Directory } from './directory/directory.ts'
import { readIdentities } from './directory/identities-file.ts'
import { revokedPrincipals } from './directory/publish-identities.ts'
import { Health } from './health/health.ts'
import { closeHttp, createHttp, listen } from './http.ts'
import { PoliciesInForce } from './policies/policies-in-force.ts'
import { PolicyDesk } from './policies/policy-desk.ts'
import { readPolicySet } from './policies/policy-files.ts'
import { ProposePolicies } from './propose-policies/propose-policies.ts'
import { PublishFiles, warnTo } from './publish-files.ts'
import { repeat } from './repeat.ts'
import { Attempts } from './restrictions/attempts.ts'
import { RestrictionDesk } from './restrictions/restriction-desk.ts'
import { openStreams, type Streams } from './streams.ts'
import { EventHub } from './tail-events/event-hub.ts'
import * as token from './tokens.ts'
import { WhatIf } from './whatif/what-if.ts'

export interface ControlOptions {
  readonly config: Pick<Config, 'control' | 'holds'> & Partial<Pick<Config, 'databases'>>
  readonly log: EventLog
  readonly logger: Logger
  readonly clock: Clock
  readonly newId: () => string
  /** Something cannot go on, such as a topic that cannot be read: the process should end and be started anew. */
  readonly failed: (error: unknown) => void
}

export interface Control {
  readonly port: number
  /** Resolves when nothing is under way any more. The log stays open: it is the caller's. */
  close(): Promise<void>
}

const UPKEEP_MS = 250

/** Resolves when everything that can be asked of it is served. Throws `ConfigError` for files that cannot be used. */
export const startControl = async (options: ControlOptions): Promise<Control> => {
  const { config, log, logger, clock } = options
  // First, because it needs nothing: who configured it wrongly is told at once.
  const directory = new Directory(readIdentities(config.control.identities, warnTo(logger)))
  const fromFiles = readPolicySet(config.control)
  const policies = new PoliciesInForce(fromFiles)

  const core = await openCore(options)
  const { streams, desk, sessions, health } = core
  const { board, book, tell, restrictions } = streams
  const restrictionDesk = new RestrictionDesk({ tell, board, book: restrictions, logger, clock })
  const changes = config.control.policyChanges
  const whatIf = new WhatIf(log, sessions, (target) => timeZoneOf(target, config.databases))
  const policyDesk = new PolicyDesk({
    ...options,
    changes,
    history: streams.policyHistory,
    historyCaughtUp: () => streams.historyCaughtUp(),
    board,
    tell,
    policies,
    book,
    desk,
  })
  const files = new PublishFiles({
    ...options,
    config: config.control,
    directory,
    policies: fromFiles,
    policyDesk,
    board,
    tell,
  })
  await files.publish()

  const hub = new EventHub(log, sessions, () => streams.approvalsCaughtUp())
  const app = await createHttp(
    [
      value(token.DESK, desk),
      value(token.BOOK, book),
      value(token.BOARD, board),
      value(token.DIRECTORY, directory),
      value(token.POLICIES, policies),
      value(token.POLICY_DESK, policyDesk),
      value(token.POLICY_HISTORY, streams.policyHistory),
      value(token.WHAT_IF, whatIf),
      value(
        token.PROPOSE_POLICIES,
        new ProposePolicies({ ...options, changes, policies, directory, desk, book, tell, whatIf }),
      ),
      value(token.SESSIONS, sessions),
      value(token.TELL, tell),
      value(token.CLOCK, clock),
      value(token.HOLDS, config.holds),
      value(token.READERS, new Readers(policies, changes.approvers)),
      value(token.EVENT_HUB, hub),
      value(token.HEALTH, health),
      value(token.LOGGER, logger),
      value(token.RESTRICTIONS, streams.restrictions),
      value(token.RESTRICTION_DESK, restrictionDesk),
    ],
    logger,
  )
  const attempts = new Attempts(config.control.restrictions, clock)
  const perform = performer(app.get(CommandBus), book, attempts, clock)
  const { cursor: from } = streams.resumePoint
  const access = new AccessReader({ ...options, from, sessions, attempts, perform, quarantine: streams.quarantine })
  core.access = access
  await access.caughtUp()
  await desk.settleDoubts(0)

  const stopUpkeep = repeat(() => upkeep(desk, restrictionDesk), UPKEEP_MS, logger)
  const stopPolicyUpkeep = repeat(() => upkeepOfPolicies(policyDesk), UPKEEP_MS, logger)
  const stopWatching = files.watch()
  const port = await listen(app, config.control.listen)
  const close = async () => {
    core.stopping.abort()
    await closeHttp(app)
    await Promise.all([stopWatching(), stopUpkeep(), stopPolicyUpkeep(), hub.close(), access.close()])
    await streams.close()
  }
  return { port, close }
}

interface Core {
  readonly streams: Streams
  readonly desk: ApprovalDesk
  readonly sessions: OpenSessions
  readonly health: Health
  readonly stopping: AbortController
  /** Comes last, because what it reads is acted on by everything else. */
  access?: AccessReader
}

/** What control has in the log, and who decides with it. */
const openCore = async (options: ControlOptions): Promise<Core> => {
  const { log, clock } = options
  const sessions = new OpenSessions()
  const stopping = new AbortController()
  const core: { desk?: ApprovalDesk; streams?: Streams; access?: AccessReader } = {}
  const health = new Health({
    log,
    sessions,
    cursor: () => core.access?.cursor,
    approvals: () => core.streams?.book.all() ?? [],
  })
  const streams = await openStreams({
    ...options,
    source: `/countersign/control/${options.newId()}`,
    stopping: stopping.signal,
    accessCursor: () => core.access?.resumeFrom,
    decided: (requestId, events) => {
      health.decided(events)
      core.desk?.doubt(requestId)
    },
    published: (requestId) => core.desk?.doubt(requestId),
    quarantined: () => health.quarantined(),
  })
  const desk = new ApprovalDesk({ ...options, ...streams, circumstances: circumstancesOf(streams, clock) })
  for (const { request } of streams.book.all()) desk.doubt(request.requestId)
  return Object.assign(core, { streams, desk, sessions, health, stopping })
}

const upkeepOfPolicies = async (policyDesk: PolicyDesk): Promise<void> => {
  await policyDesk.adopt()
  await policyDesk.enforceGranted()
}

const upkeep = async (desk: ApprovalDesk, restrictionDesk: RestrictionDesk): Promise<void> => {
  await restrictionDesk.upkeep()
  await desk.closeAllDue()
  await desk.settleDoubts()
}

const circumstancesOf =
  ({ board, policyHistory }: Streams, clock: Clock) =>
  () => ({
    now: clock(),
    isSuperseded: (version: string) => policyHistory.isSuperseded(version, board),
    isRevoked: isIn(revokedPrincipals(board)),
    isPublished: (requestId: RequestId) => policyHistory.isPublished(requestId),
  })

const isIn = (principals: ReadonlySet<PrincipalId>) => (id: PrincipalId) => principals.has(id)

const timeZoneOf = ({ environment, database }: Target, databases: Config['databases'] = []): string | undefined =>
  databases.find((one) => one.environment === environment && one.name === database)?.timeZone

const value = (provide: symbol, useValue: unknown): Provider => ({ provide, useValue })
