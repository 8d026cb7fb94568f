import { LogUnavailableError } from '@countersign/eventlog'
import { faultOf, type ControlConfig, type Logger } from '@countersign/platform'
import type { Clock } from './clock.ts'
import type { DecisionBoard } from './decisions/decision-board.ts'
import type { Directory } from './directory/directory.ts'
import { readIdentities } from './directory/identities-file.ts'
import { publishIdentities } from './directory/publish-identities.ts'
import type { Tell } from './governance/governance.ts'
import { readPolicySet, type PolicySet } from './policies/policy-files.ts'
import type { PolicyDesk } from './policies/policy-desk.ts'
import { repeat } from './repeat.ts'
import { watchFiles } from './watch-files.ts'

export interface PublishFilesOptions {
  readonly config: ControlConfig
  readonly directory: Directory
  /** As the files were at the start. */
  readonly policies: PolicySet
  readonly policyDesk: PolicyDesk
  readonly board: DecisionBoard
  readonly tell: Tell
  readonly clock: Clock
  readonly logger: Logger
}

const RETRY_MS = 500
const PUBLISH_MS = 100

export const warnTo = (logger: Logger) => (reason: string) => logger.warn('part of a file has no effect', { reason })

/** Puts in force what the files of the configuration say, at the start and whenever they change. */
export class PublishFiles {
  readonly #options: PublishFilesOptions
  readonly #due = { policy: true, identities: true }
  #policies: PolicySet

  constructor(options: PublishFilesOptions) {
    this.#options = options
    this.#policies = options.policies
  }

  /** Resolves when all that is to be published has been. A log that is away is waited for. */
  async publish(): Promise<void> {
    for (;;) {
      try {
        return await this.#publishDue()
      } catch (error) {
        if (!(error instanceof LogUnavailableError)) throw error
        this.#options.logger.warn('will publish when the log is back', faultOf(error))
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS))
      }
    }
  }

  /** From now on. A file that cannot be used changes nothing: what was in force stays, and the reason is logged. */
  watch(): () => Promise<void> {
    const { config, directory, logger } = this.#options
    const { identities, owners } = config
    const stops = [
      watchFiles([identities], () =>
        this.#reread('identities', () => directory.replace(readIdentities(identities, warnTo(logger)))),
      ),
      watchFiles([owners, ...(config.policies === undefined ? [] : [config.policies])], () =>
        this.#reread('policy', () => {
          this.#policies = readPolicySet(config)
        }),
      ),
    ]
    const stopPublishing = repeat(() => this.#publishDue(), PUBLISH_MS, logger)
    return async () => {
      for (const stop of stops) stop()
      await stopPublishing()
    }
  }

  #reread(what: 'policy' | 'identities', read: () => void): void {
    const { logger } = this.#options
    try {
      read()
      this.#due[what] = true
      logger.info('read again', { what })
    } catch (error) {
      logger.error('what was in force stays: the files cannot be used', { what, ...faultOf(error) })
    }
  }

  async #publishDue(): Promise<void> {
    const { board, tell, clock, policyDesk, directory } = this.#options
    await this.#once('policy', () => policyDesk.publishFiles(this.#policies))
    await this.#once('identities', () => publishIdentities(directory.identities, { board, tell, at: clock() }))
  }

  async #once(what: 'policy' | 'identities', publish: () => Promise<void>): Promise<void> {
    if (!this.#due[what]) return
    this.#due[what] = false
    try {
      await publish()
    } catch (error) {
      this.#due[what] = true
      throw error
    }
  }
}
