import { ProtocolError } from '@countersign/pgwire'
import { memoryLog } from '@countersign/testing'
import type { Target } from '../../../../../test/fuzz/campaign.ts'
import { Forwarded } from '../../../../../test/fuzz/forwarded.ts'
import { fatal } from '../session/say.ts'
import { CALLED, isReadOnly, readScript, type Command } from '../testing/script.ts'
import { ServedWorld } from '../testing/serve.ts'
import { settle } from '../testing/session-world.ts'
import * as wire from '../testing/wire.ts'
import { sessionPlan, type Happens, type SessionPlan } from './session-plan.ts'

/**
 * A session between a client that says anything and a server that answers as PostgreSQL does, or lies. Whatever
 * happens: what is forwarded is understood, judged and recorded; what is heard was recorded and is masked; each
 * statement is settled once; the session goes on or ends, and leaves nothing behind.
 */
export const sessionTarget: Target<SessionPlan> = {
  name: 'session',
  plan: sessionPlan,
  play: (plan) => new Play(plan).play(),
  smaller: function* ({ steps, ...plan }) {
    for (const index of steps.keys()) yield { ...plan, steps: steps.toSpliced(index, 1) }
    for (const [index, step] of steps.entries()) {
      if (!('client' in step) || step.client.length < 2) continue
      yield { ...plan, steps: steps.with(index, { client: [Buffer.concat(step.client)] }) }
      if (step.client.length > 12) continue
      for (const piece of step.client.keys()) {
        yield { ...plan, steps: steps.with(index, { client: step.client.toSpliced(piece, 1) }) }
      }
    }
  },
}

const LAST = 'read 1 last'
const ROUNDS_MAX = 60

class Play {
  readonly #plan: SessionPlan
  readonly #world: ServedWorld
  readonly #forwarded: Forwarded
  readonly #heard: string[] = []
  readonly #wrong: string[] = []
  readonly #lies: boolean
  readonly #said: Buffer[] = []
  #failed = false

  constructor(plan: SessionPlan) {
    this.#plan = plan
    this.#lies = plan.steps.some((step) => 'server' in step)
    const world = new ServedWorld(memoryLog(), {
      begins: (command) => this.#begins(command),
      ...(plan.holdSeconds !== undefined && { holdSeconds: plan.holdSeconds }),
      ...(plan.asksFirst && { names: undefined }),
    })
    this.#world = world
    // Every third text is one that nobody has seen before: to judge it takes a question.
    world.judge.knows = (sql) => Number(/#(\d+)/.exec(sql)?.[1]) % 3 > 0
    world.client.heard = (words) => this.#hears(words)
    this.#forwarded = new Forwarded((said, by) => {
      const sql = by === 'FunctionCall' ? CALLED[Number(said)] : said
      if (sql === undefined) return false
      return readScript(sql).length === 0 || world.judge.judged.some((judged) => judged.sql === sql)
    })
    const { taken } = world.server.stream
    world.server.stream.taken = (bytes) => {
      this.#forwarded.hear(bytes)
      this.#watch('the server cannot make sense of it', () => taken(bytes))
    }
    const { taken: clientTakes } = world.client.stream
    world.client.stream.taken = (bytes) => this.#watch('the client cannot make sense of it', () => clientTakes(bytes))
  }

  async play(): Promise<void> {
    for (const step of this.#plan.steps) {
      if ('client' in step) this.#says(step.client)
      else if ('server' in step) this.#world.server.stream.receive(...step.server)
      else await this.#happens(step.happens)
    }
    await this.#quiet()
    if (!this.#world.closed && !this.#lies && this.#atBoundary) await this.#expectUsable()
    await this.#over()
    const [wrong] = [...this.#forwarded.wrong, ...this.#wrong]
    if (wrong !== undefined) throw new Error(wrong)
  }

  #says(pieces: readonly Buffer[]): void {
    this.#said.push(...pieces)
    this.#world.client.stream.receive(...pieces)
  }

  async #happens(what: Happens): Promise<void> {
    const { log, judge, session, client, server } = this.#world
    if (what === 'hold') log.hold()
    if (what === 'release') log.release()
    if (what === 'fail') log.fail()
    if (what === 'fail') this.#failed = true
    if (what === 'heal') await this.#heal()
    if (what === 'ponder') judge.hold()
    if (what === 'answer') judge.release()
    if (what === 'silence') this.#world.silence()
    if (what === 'speak') this.#world.speak()
    if (what === 'cancel') session.cancel()
    if (what === 'client-slow') client.stream.slow = true
    if (what === 'client-takes') client.stream.slow = false
    if (what === 'server-slow') server.stream.slow = true
    if (what === 'server-takes') server.stream.slow = false
    if (what === 'revoke') session.end('revoked', fatal('28000', 'revoked'))
    if (what === 'wait') await settle(40)
    else await settle(3)
  }

  /** A recorder that has failed tries again a fifth of a second later. */
  async #heal(): Promise<void> {
    this.#world.log.heal()
    while (!this.#world.recorder.available) await new Promise((resolve) => setTimeout(resolve, 20))
  }

  /** Everybody answers, nothing is held back any more; whoever waits for an approval gives up. */
  async #quiet(): Promise<void> {
    const { log, judge, client, server, session } = this.#world
    client.stream.slow = false
    server.stream.slow = false
    if (this.#failed) await this.#heal()
    log.release()
    judge.release()
    this.#world.speak()
    let before = -1
    for (let round = 0; round < ROUNDS_MAX && before !== this.#progress; round++) {
      before = this.#progress
      await settle(12)
      if (this.#plan.holdSeconds !== undefined && before === this.#progress) session.cancel()
      await settle(6)
      if (this.#world.model.closed) server.stream.hangUp()
    }
  }

  get #progress(): number {
    const { log, model, judge } = this.#world
    return this.#heard.length + log.events.length + model.ran.length + judge.judged.length
  }

  /** True when what the client has said so far is whole messages. */
  get #atBoundary(): boolean {
    const said = Buffer.concat(this.#said)
    let at = 0
    while (said.length - at >= 5) {
      const length = said.readInt32BE(at + 1)
      if (length < 4 || at + 1 + length > said.length) return false
      at += 1 + length
    }
    return at === said.length
  }

  /** Whoever ends what he has begun is served again. */
  async #expectUsable(): Promise<void> {
    const from = this.#heard.length
    this.#says([wire.copyFail('over'), wire.sync])
    await this.#quiet()
    this.#says([wire.query(LAST)])
    await this.#quiet()
    if (this.#world.closed) return
    const heard = this.#heard.slice(from)
    const answered = heard.includes(`DataRow ${LAST}.1`) || heard.some((words) => words.startsWith('Error 25P02'))
    if (!answered || !heard.at(-1)?.startsWith('ReadyForQuery')) this.#wrong.push(`hangs: ${heard.join(', ')}`)
  }

  async #over(): Promise<void> {
    const { client, server } = this.#world
    if (this.#plan.end === 'client') client.stream.hangUp()
    else server.stream.hangUp()
    await settle(4)
    client.stream.hangUp()
    await this.#world.over()
    this.#expectOver()
    if (!this.#lies) this.#expectSettledOnce()
  }

  #expectOver(): void {
    const { closed, log, client, server } = this.#world
    if (!closed) return void this.#wrong.push('does not end')
    const { error } = closed
    if (error !== undefined && !(error instanceof ProtocolError)) throw error
    const ends = log.of('session.closed').length
    if (ends !== 1) this.#wrong.push(`ended ${ends} times`)
    if (!client.stream.ended || !server.stream.ended) this.#wrong.push('leaves a connection open')
    if (client.stream.late.length + server.stream.late.length > 0) this.#wrong.push('speaks after its end')
    const pausedForGood = [client.stream, server.stream].some(({ paused, ended }) => paused && !ended)
    if (pausedForGood) this.#wrong.push('never reads on')
  }

  #expectSettledOnce(): void {
    const { log } = this.#world
    const intended = log.of('statement.intended').map(({ sequence }) => sequence)
    const settled = log.of('statement.settled').map(({ sequence }) => sequence)
    if (intended.some((sequence, index) => sequence !== index + 1)) this.#wrong.push(`intended ${intended.join()}`)
    if (settled.toSorted((a, b) => a - b).join() !== intended.join()) {
      this.#wrong.push(`intended ${intended.join()}, settled ${settled.join()}`)
    }
  }

  /** The server is about to do it. */
  #begins(command: Command): void {
    if (this.#lies) return // A server that lies about its names is served by them.
    const { verdict, text } = command
    if (verdict === 'deny' || verdict === 'hold') this.#wrong.push(`runs, though it was refused: ${text}`)
    if (!isReadOnly(command) && !this.#onlyNamesWhatReads(text)) this.#expectIntent(text, 'runs')
  }

  /** `run` is as read-only as what it runs. */
  #onlyNamesWhatReads(text: string): boolean {
    const judged = this.#world.judge.judged.filter(({ sql }) => sql.split(';').some((each) => each.trim() === text))
    return judged.some(({ meant }) => readScript(meant).some(isReadOnly))
  }

  #hears(words: string): void {
    this.#heard.push(words)
    if (this.#lies) return
    if (words.startsWith('unknown')) this.#wrong.push(`the client hears ${words}`)
    const [, star, text] = /^(?:DataRow|CopyData) (\*?)([^]*)\.\d+$/.exec(words) ?? []
    if (text === undefined) return
    this.#expectIntent(text, 'is heard')
    if (/^\s*mask\s/.test(text) && star === '') this.#wrong.push(`heard as it is: ${text}`)
  }

  #expectIntent(text: string, what: string): void {
    const recorded = this.#world.log
      .of('statement.intended')
      .some((intended) => intended.text.split(';').some((each) => each.trim() === text))
    if (!recorded) this.#wrong.push(`${what} before it is recorded: ${text}`)
  }

  #watch(what: string, work: () => void): void {
    try {
      work()
    } catch (error) {
      if (!this.#lies) this.#wrong.push(`${what}: ${String(error)}`)
    }
  }
}
