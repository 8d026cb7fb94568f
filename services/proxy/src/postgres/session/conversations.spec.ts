import { memoryLog } from '@countersign/testing'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isSaying, messagesOf, type Say, type Step } from '../testing/conversations.ts'
import { NOT_RELIED_ON } from '../testing/fake-judge.ts'
import { ModelServer } from '../testing/model-server.ts'
import { isReadOnly, type Command } from '../testing/script.ts'
import { ServedWorld } from '../testing/serve.ts'
import { settle } from '../testing/session-world.ts'
import { Listening } from '../testing/wire.ts'

/*
 * Any conversation of any client, against a server that answers as PostgreSQL does. What the client hears through a
 * node is what it would hear from a server that refuses and masks by itself; and the record says what happened.
 */

const command = fc.constantFrom(
  'read 0', 'read 2', 'mask read 2', 'write 1', 'write 2', 'returning 2', 'fail', 'syntax', 'deny read 1', 'deny write 1',
  'begin', 'commit', 'rollback', 'defer 1', 'notice 1', 'copyout 2', 'mask copyout 1', 'failbind', 'badwrite',
) // prettier-ignore
const guarded = fc.constantFrom(
  'guarded write 1', 'guarded write 2', 'guarded returning 1', 'guarded returning 2', 'guarded defer 1',
  'write 1', 'read 1', 'begin', 'commit', 'fail', 'notice 1', 'mask read 1', 'deny write 1', 'syntax', 'guarded badwrite',
) // prettier-ignore
const name = fc.constantFrom('', '', 's', 't')
const portal = fc.constantFrom('', '', 'p')
const rowsMax = fc.constantFrom(0, 0, 1, 2)
const kind = fc.constantFrom('S' as const, 'P' as const)

const simpleOf = (text: fc.Arbitrary<string>): fc.Arbitrary<Say[]> =>
  fc.array(text, { maxLength: 3 }).map((texts) => [{ say: 'query', texts }])

const unit = (text: fc.Arbitrary<string>): fc.Arbitrary<Say> =>
  fc.oneof(
    fc.record({ say: fc.constant('parse' as const), name, text }),
    fc.record({ say: fc.constant('bind' as const), portal, name }),
    fc.record({ say: fc.constant('execute' as const), portal, rowsMax }),
    fc.record({ say: fc.constant('describe' as const), kind, name: fc.oneof(name, portal) }),
    fc.record({ say: fc.constant('close' as const), kind, name: fc.oneof(name, portal) }),
    fc.constant({ say: 'flush' as const }),
  )

/** As drivers do it: prepared, bound, perhaps described, run in portions perhaps. */
const preparing = (text: fc.Arbitrary<string>): fc.Arbitrary<Say[]> =>
  fc
    .record({
      name,
      portal,
      text,
      described: fc.boolean(),
      portions: fc.array(rowsMax, { minLength: 1, maxLength: 3 }),
    })
    .map(({ name, portal, text, described, portions }): Say[] => [
      { say: 'parse', name, text },
      { say: 'bind', portal, name },
      ...(described ? [{ say: 'describe', kind: 'P', name: portal } as const] : []),
      ...portions.map((rowsMax) => ({ say: 'execute', portal, rowsMax }) as const),
    ])

const groupOf = (text: fc.Arbitrary<string>): fc.Arbitrary<Say[]> =>
  fc
    .array(
      fc.oneof({ arbitrary: preparing(text), weight: 3 }, { arbitrary: unit(text).map((each) => [each]), weight: 1 }),
      {
        minLength: 1,
        maxLength: 3,
      },
    )
    .map((units) => [...units.flat(), { say: 'sync' } as const])

const copying: fc.Arbitrary<Say[]> = fc
  .record({
    before: fc.constantFrom<string[]>([], ['write 1'], ['begin']),
    rows: fc.array(fc.constantFrom('a', 'b', 'bad'), { maxLength: 3 }),
    end: fc.constantFrom('done' as const, 'fail' as const),
    after: fc.constantFrom<string[]>([], ['read 1'], ['fail']),
    denied: fc.boolean(),
  })
  .map(({ before, rows, end, after, denied }) => [
    { say: 'query', texts: [...before, denied ? 'deny copyin' : 'copyin', ...after] },
    { say: 'copy', rows, end },
  ])

const happening: fc.Arbitrary<Step[]> = fc
  .constantFrom(
    'wait' as const,
    'wait' as const,
    'hold' as const,
    'release' as const,
    'silence' as const,
    'speak' as const,
    'settle' as const,
    'ponder' as const,
    'answer' as const,
  )
  .map((happens) => [{ happens }])

const conversationOf = (text: fc.Arbitrary<string>): fc.Arbitrary<Step[]> =>
  fc
    .array(
      fc.oneof(
        { arbitrary: simpleOf(text), weight: 3 },
        { arbitrary: groupOf(text), weight: 4 },
        { arbitrary: copying, weight: 1 },
        { arbitrary: happening, weight: 4 },
      ),
      {
        minLength: 1,
        maxLength: 8,
      },
    )
    .map((steps) => steps.flat())

/** One conversation through a node, and what it would have been with a server that does it all itself. */
class Played {
  readonly world: ServedWorld
  readonly said: Buffer[] = []
  /** Statements that had an effect, or were planned, before the record of their intent was durable. */
  readonly early: string[] = []
  #texts = 0

  constructor(private readonly steps: readonly Step[]) {
    this.world = new ServedWorld(memoryLog(), { begins: (command) => this.#begins(command) })
    // Every third text is one that nobody has seen before: to judge it takes a question.
    this.world.judge.knows = (sql) => Number(/#(\d+)/.exec(sql)?.[1]) % 3 > 0
    this.world.client.heard = (words) => this.#hears(words)
  }

  async play(): Promise<void> {
    for (const step of this.steps) {
      if (isSaying(step)) for (const message of messagesOf(step, (text) => this.#numbered(text))) this.#say(message)
      else await this.#happens(step.happens)
    }
    await this.#happens('wait')
  }

  #numbered(text: string): string {
    return `${text} #${++this.#texts}`
  }

  #say(message: Buffer): void {
    this.said.push(message)
    this.world.client.stream.receive(message)
  }

  async #happens(what: string): Promise<void> {
    const { world } = this
    if (what === 'hold') world.log.hold()
    if (what === 'silence') world.silence()
    if (what === 'release' || what === 'wait') world.log.release()
    if (what === 'ponder') world.judge.hold()
    if (what === 'answer' || what === 'wait') world.judge.release()
    if (what === 'speak' || what === 'wait') world.speak()
    if (what === 'wait') await settle(60)
    if (what === 'settle') await settle()
  }

  #begins(command: Command): void {
    if (!isReadOnly(command)) this.#expectIntent(command.text)
  }

  #hears(words: string): void {
    const text = /^(?:DataRow|CopyData) \*?(.*)\.\d+$/.exec(words)?.[1]
    if (text !== undefined) this.#expectIntent(text)
  }

  #expectIntent(text: string): void {
    if (!this.world.log.of('statement.intended').some((intended) => intended.text.split('; ').includes(text)))
      this.early.push(text)
  }

  /** What the client would hear from a server that refuses and masks by itself, and what such a server would run. */
  direct(): {
    readonly heard: readonly string[]
    readonly ran: readonly string[]
    readonly durable: readonly string[]
  } {
    const listening = new Listening('server')
    const model = new ModelServer({ say: (bytes) => listening.hear(bytes), withPolicy: true })
    for (const message of this.said) model.hear(message)
    const ran = model.ran.map(({ text, outcome }) => `${text} ${outcome}`)
    return { heard: listening.heard.map(withoutWords), ran, durable: model.durable }
  }
}

/** Errors by their code: who refuses says so in words of their own. */
const withoutWords = (words: string) => /^Error \S+/.exec(words)?.[0] ?? words

/** Of what the client says: what the node says of its own has no number. */
const numbered = (texts: readonly string[]) => texts.filter((text) => text.includes('#'))

const check = async (steps: readonly Step[]): Promise<void> => {
  const guarded = steps.some((step) => isSaying(step) && JSON.stringify(step).includes('guarded'))
  const played = new Played(steps)
  await played.play()
  const { world } = played
  const direct = played.direct()
  expect(world.closed?.error).toBeUndefined()
  expect(world.client.news().map(withoutWords)).toEqual(direct.heard)
  expect(numbered(world.model.durable)).toEqual(numbered(direct.durable))
  // What runs in a transaction of the node's has completed there before it is rolled back.
  if (!guarded) expect(world.model.ran.map(({ text, outcome }) => `${text} ${outcome}`)).toEqual(direct.ran)
  expect(played.early).toEqual([])
  expect(world.judge.misattributed).toEqual([])

  await world.client.says(messagesOf({ say: 'sync' }, String)[0]!)
  world.client.stream.hangUp()
  await world.over()
  expectSettledOnce(world)
  expectTrueOutcomes(world)
}

const expectSettledOnce = ({ log }: ServedWorld): void => {
  const intended = log.of('statement.intended').map(({ sequence }) => sequence)
  expect(intended).toEqual(intended.map((_, index) => index + 1))
  expect(
    log
      .of('statement.settled')
      .map(({ sequence }) => sequence)
      .toSorted((a, b) => a - b),
  ).toEqual(intended)
}

/** Of each text, as many ran with each outcome as the record says. */
const expectTrueOutcomes = ({ log, model }: ServedWorld): void => {
  const texts = new Map(log.of('statement.intended').map(({ sequence, text }) => [sequence, text]))
  for (const { sequence, outcome } of log.of('statement.settled')) {
    const text = texts.get(sequence) ?? ''
    if (text.includes('; ')) continue
    const ran = model.ran.filter((each) => each.text === text)
    if (outcome === 'completed')
      expect(
        ran.map((each) => each.outcome),
        text,
      ).toEqual(expect.arrayContaining([expect.stringMatching(/completed|running/)]))
    if (outcome === 'refused') expect(ran, text).toEqual([])
  }
}

const meaningful = fc.constantFrom(
  'read 1', 'write 1', 'run s', 'run t', 'prepare s as read 1', 'prepare s as deny write 1', 'prepare t as read 2',
  'deallocate s', 'deallocate t', 'path a', 'path b', 'temp', 'say why', 'alter', 'begin', 'commit', 'rollback', 'fail', 'syntax',
) // prettier-ignore

/** Statements that give words another meaning, and statements whose meaning rests on it, sent in any way. */
const wordplay: fc.Arbitrary<Step[]> = fc
  .array(
    fc.oneof(
      { arbitrary: meaningful.map((text): Step[] => [{ say: 'query', texts: [text] }]), weight: 3 },
      {
        arbitrary: fc
          .array(
            fc.oneof(
              preparing(meaningful),
              unit(meaningful).map((each) => [each]),
            ),
            { minLength: 1, maxLength: 4 },
          )
          .map((units): Step[] => [...units.flat(), { say: 'sync' }]),
        weight: 4,
      },
      { arbitrary: happening, weight: 3 },
    ),
    { minLength: 1, maxLength: 10 },
  )
  .map((steps) => steps.flat())

const checkMeaning = async (steps: readonly Step[]): Promise<void> => {
  const played = new Played(steps)
  await played.play()
  const { model, judge, closed } = played.world
  expect(closed?.error).toBeUndefined()
  for (const { text, names, meant } of model.ran) {
    // One text may be bound again under other names and not run then; so one of its judgements must be the right one.
    const judged = judge.judged.filter(({ sql }) => sql === text)
    const right = judged.some((each) => each.meant === meant && (each.names === NOT_RELIED_ON || each.names === names))
    expect(right, `${text} ran as ${meant} by ${names}, judged ${JSON.stringify(judged)}`).toBe(true)
  }
  await played.world.over()
}

describe('any conversation', () => {
  it('is judged by what its words mean when it runs', () =>
    fc.assert(fc.asyncProperty(wordplay, checkMeaning), { numRuns: 150 }))

  it('is heard by the client as if the server itself refused and masked, and is recorded as it was', () =>
    fc.assert(fc.asyncProperty(conversationOf(command), check), { numRuns: 150 }))

  it('is heard as if the server itself kept to the guards, and what stands in the end is the same', () =>
    fc.assert(fc.asyncProperty(conversationOf(guarded), check), { numRuns: 200 }))
})
