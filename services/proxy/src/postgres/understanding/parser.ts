import { Worker } from 'node:worker_threads'
import type { CatalogueAnswers } from '@countersign/sql'
import { StatementRefusedError } from '../../statement/refusal.ts'
import type { CatalogueSummary, JobKind, JobReply, JobRequest, Jobs } from './parser-jobs.ts'

/** A text that takes longer than this to be understood is refused, and the thread that choked on it is replaced. */
const DEADLINE_MS = 3_000
/** And so much more for each character, up to a bound: an INSERT may have 65,535 parameters. */
const DEADLINE_MS_PER_CHARACTER = 0.02
const DEADLINE_MAX_MS = 12_000
/** The parser recurses; a thread's default stack is a megabyte. */
const STACK_MB = 64

/** From its sources, when the whole program runs from its sources. */
const THREAD = new URL(import.meta.url.endsWith('.ts') ? './parser-thread.ts' : './parser-thread.js', import.meta.url)

interface Waiting {
  readonly request: JobRequest
  readonly resolve: (output: unknown) => void
  readonly reject: (error: Error) => void
}

/**
 * The parser, in a thread of its own. One job at a time; a job that fails for any other reason than its own text, or
 * that takes too long, costs the thread its life and nobody else anything: a parser can be broken for good by what it
 * was given (research/guard.md, A4).
 */
export class Parser {
  readonly #replaced: (reason: string) => void
  readonly #catalogues = new Map<string, CatalogueAnswers>()
  readonly #queue: Waiting[] = []
  #thread: Worker | undefined
  #running: Waiting | undefined
  #deadline: NodeJS.Timeout | undefined
  #lastId = 0
  #closed = false

  /** `replaced`: told when a thread had to be thrown away, for the operator's log. */
  constructor(replaced: (reason: string) => void) {
    this.#replaced = replaced
    this.#start()
  }

  /** Rejects with `StatementRefusedError` when the text is not SQL, or cannot be understood in time. */
  ask<Kind extends JobKind>(kind: Kind, input: Jobs[Kind]['in']): Promise<Jobs[Kind]['out']> {
    return new Promise((resolve, reject) => {
      const request = { id: ++this.#lastId, kind, input }
      this.#queue.push({ request, resolve: (output) => resolve(output as Jobs[Kind]['out']), reject })
      this.#next()
    })
  }

  /** Reads a database's catalogue, for this thread and for those that come after it. */
  async readCatalogue(name: string, answers: CatalogueAnswers): Promise<CatalogueSummary> {
    const summary = await this.ask('catalogue', { name, answers })
    this.#catalogues.set(name, answers)
    return summary
  }

  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#deadline)
    await this.#thread?.terminate()
  }

  #start(): void {
    const thread = new Worker(THREAD, {
      resourceLimits: { stackSizeMb: STACK_MB, maxOldGenerationSizeMb: 512 },
    })
    this.#thread = thread
    thread.on('message', (reply: JobReply) => this.#answered(reply))
    thread.on('error', (error) => this.#broken(thread, error.message))
    thread.unref()
    for (const [name, answers] of this.#catalogues)
      thread.postMessage({ id: -1, kind: 'catalogue', input: { name, answers } })
    this.#next()
  }

  #next(): void {
    if (this.#running || this.#closed) return
    const next = this.#queue.shift()
    if (!next) return
    this.#running = next
    const thread = this.#thread
    this.#deadline = setTimeout(() => thread && this.#broken(thread, 'it took too long'), deadlineFor(next.request))
    thread?.postMessage(next.request)
  }

  #answered(reply: JobReply): void {
    const running = this.#running
    if (!running || reply.id !== running.request.id) return
    if ('failed' in reply && reply.failed === 'broken') {
      if (this.#thread) this.#broken(this.#thread, reply.message)
      return
    }
    clearTimeout(this.#deadline)
    this.#running = undefined
    if ('failed' in reply) running.reject(refusalOf(reply))
    else running.resolve(reply.output)
    this.#next()
  }

  #broken(thread: Worker, reason: string): void {
    if (thread !== this.#thread || this.#closed) return
    clearTimeout(this.#deadline)
    const running = this.#running
    this.#running = undefined
    thread.removeAllListeners()
    thread.on('error', () => {})
    void thread.terminate()
    this.#replaced(reason)
    running?.reject(
      new StatementRefusedError('54001', 'the statement is too complex to be understood', {
        hint: 'Split it into smaller statements.',
      }),
    )
    this.#start()
  }
}

const deadlineFor = ({ input }: JobRequest): number => {
  const characters = 'sql' in input ? input.sql.length : 0
  return Math.min(DEADLINE_MS + characters * DEADLINE_MS_PER_CHARACTER, DEADLINE_MAX_MS)
}

const refusalOf = ({
  sqlstate,
  message,
  position,
  detail,
  hint,
}: Extract<JobReply, { failed: string }>): StatementRefusedError =>
  new StatementRefusedError(sqlstate, message, {
    ...(position !== undefined && position >= 0 && { position: position + 1 }),
    ...(detail !== undefined && { detail }),
    ...(hint !== undefined && { hint }),
  })
