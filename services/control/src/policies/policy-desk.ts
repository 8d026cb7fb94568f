import { signersOf, type Granted, type PolicyRequest } from '@countersign/approval'
import type { DecisionEvent } from '@countersign/contracts'
import type { Logger, PolicyChangesConfig } from '@countersign/platform'
import type { ApprovalDesk } from '../approvals/approval-desk.ts'
import type { ApprovalsBook } from '../approvals/approvals-book.ts'
import type { Clock } from '../clock.ts'
import type { DecisionBoard } from '../decisions/decision-board.ts'
import type { Tell } from '../governance/governance.ts'
import type { PoliciesInForce } from './policies-in-force.ts'
import { policySetOf, type PolicySet } from './policy-files.ts'
import type { PolicyHistory, Published } from './policy-history.ts'
import { ownersAssigned, publishedBySignatures, publishedFromFiles } from './publish-policy.ts'

export interface PolicyDeskOptions {
  readonly changes: Pick<PolicyChangesConfig, 'by'>
  readonly history: PolicyHistory
  readonly historyCaughtUp: () => Promise<void>
  readonly board: DecisionBoard
  readonly tell: Tell
  readonly policies: PoliciesInForce
  readonly book: ApprovalsBook
  readonly desk: ApprovalDesk
  readonly clock: Clock
  readonly logger: Logger
}

/**
 * Puts policies in force: those of the files where they may, and those that were signed for.
 *
 * What is in force is what was published last in cs.governance. Everything else follows from that, as often as there
 * is doubt: what nodes are told, what this replica goes by, and that a granted change counts as done.
 */
export class PolicyDesk {
  readonly #options: PolicyDeskOptions
  #files: PolicySet | undefined

  constructor(options: PolicyDeskOptions) {
    this.#options = options
  }

  /** Resolves when what is in force has been told to nodes: what the files say, unless that needs signatures. */
  async publishFiles(set: PolicySet): Promise<void> {
    const { changes, history, tell, clock, logger } = this.#options
    this.#files = set
    await tell('policy', publishedFromFiles(set, clock(), changes.by === 'signatures'))
    await this.adopt()
    const { last } = history
    if (last && last.version !== set.version) {
      logger.warn('the files have no effect: a change of policies has to be signed for', {
        files: set.version,
        inForce: last.version,
        remedy: 'countersign policy publish',
      })
    }
  }

  /** Goes by what was published last, here and at the nodes. Cheap when that is so already. */
  async adopt(): Promise<void> {
    const { history, policies, board, tell, logger } = this.#options
    const { last } = history
    if (!last || (policies.current.version === last.version && inForceOn(board) === last.version)) return
    const set = this.#published(last)
    if (!set) return
    if (policies.current.version !== set.version) {
      policies.replace(set)
      logger.info('policies in force', { version: set.version, signedBy: last.signedBy?.join(' ') })
    }
    await tell('owners', ownersAssigned(set.owners, last))
    await board.put('policy', () => (history.last === last ? inForce(set, last) : undefined))
  }

  /** Publishes what has been granted and is not published yet. */
  async enforceGranted(): Promise<void> {
    for (const state of this.#options.book.live()) {
      const { request } = state
      if (state.phase === 'granted' && request.kind === 'policy') await this.#enforce(request, state)
    }
  }

  async #enforce(request: PolicyRequest, state: Granted): Promise<void> {
    const { history, desk, clock } = this.#options
    const { requestId } = request
    if (!history.isPublished(requestId)) {
      if (clock() >= state.usableUntil) return
      await this.#publish(request, state)
    }
    const at = clock()
    if (!history.isPublished(requestId)) {
      await desk.decide({ type: 'void', requestId, because: 'policy-changed', at })
      return
    }
    await this.adopt()
    await desk.decide({ type: 'enforce', requestId, at })
  }

  async #publish({ requestId, proposal }: PolicyRequest, state: Granted): Promise<void> {
    const { history, historyCaughtUp, tell, clock, logger } = this.#options
    await historyCaughtUp()
    const proposed = history.proposed(requestId)
    const set = proposed && policySetOf(proposed.files, proposed.owners)
    if (proposed && set?.digest === proposal.digest) {
      await tell('policy', publishedBySignatures(set, proposed, signersOf(state), clock()))
    } else {
      logger.error('what was signed for is not what was proposed: it does not come into force', { request: requestId })
    }
  }

  /** Its texts, from where they are: proposed and signed for, in the files, or with the nodes already. */
  #published({ version, requestId }: Published): PolicySet | undefined {
    const { history, board, policies } = this.#options
    const known = [this.#files, policies.current].find((set) => set?.version === version)
    if (known) return known
    const told = board.decision('policy')
    const proposed = requestId && history.proposed(requestId)
    if (proposed) return policySetOf(proposed.files, proposed.owners)
    if (told?.type !== 'policy.in-force' || told.data.version !== version) return undefined
    return policySetOf(told.data.files, told.data.owners)
  }
}

const inForceOn = (board: DecisionBoard): string | undefined => {
  const told = board.decision('policy')
  return told?.type === 'policy.in-force' ? told.data.version : undefined
}

const inForce = ({ version, files, owners }: PolicySet, { at }: Published): DecisionEvent => ({
  type: 'policy.in-force',
  data: { version, files: [...files], owners, at },
})
