import { BACKEND, message } from '@countersign/pgwire'
import { cut, mutated, type Frames } from '../../../../../test/fuzz/mutations.ts'
import type { Random } from '../../../../../test/fuzz/random.ts'
import { messagesOf, type Say } from '../testing/conversations.ts'
import * as wire from '../testing/wire.ts'

/*
 * Conversations of clients that do as drivers do, then spoilt; with everything around them that takes its time.
 */

export type Happens =
  | 'settle'
  | 'wait'
  | 'hold'
  | 'release'
  | 'fail'
  | 'heal'
  | 'ponder'
  | 'answer'
  | 'silence'
  | 'speak'
  | 'cancel'
  | 'client-slow'
  | 'client-takes'
  | 'server-slow'
  | 'server-takes'
  | 'revoke'

export type Step =
  | { readonly client: readonly Buffer[] }
  /** The server says what nobody has asked for. */
  | { readonly server: readonly Buffer[] }
  | { readonly happens: Happens }

export interface SessionPlan {
  readonly steps: readonly Step[]
  /** How long the client lets itself be kept waiting for an approval; nothing: it is told to come back. */
  readonly holdSeconds: number | undefined
  /** What names mean is asked of the server before the first statement. */
  readonly asksFirst: boolean
  readonly end: 'client' | 'server'
}

export const sessionPlan = (random: Random): SessionPlan => {
  const lies = random.oneIn(8)
  const fails = random.oneIn(60)
  const spoils = random.pick([0, 1, 1, 2, 4])
  const bursts = Array.from({ length: random.between(1, 6) }, () => said(random))
  let text = 0
  const numbered = (words: string) => `${words} #${++text}`
  const steps: Step[] = []
  for (const burst of bursts) {
    const frames = spoilt(
      random,
      burst.flatMap((say) => messagesOf(say, numbered)),
      spoils,
      bursts.length,
    )
    steps.push({ client: cut(random, Buffer.concat(frames)) })
    for (let left = random.below(3); left > 0; left--) steps.push({ happens: random.pick(HAPPENS) })
    if (fails && random.oneIn(2)) steps.push({ happens: random.pick(['fail', 'heal']) })
    if (lies && random.oneIn(2)) steps.push({ server: cut(random, Buffer.concat(lied(random))) })
  }
  return {
    steps,
    holdSeconds: random.oneIn(4) ? 30 : undefined,
    asksFirst: random.oneIn(4),
    end: random.oneIn(4) ? 'server' : 'client',
  }
}

const HAPPENS: readonly Happens[] = [
  'settle', 'settle', 'settle', 'wait', 'wait', 'hold', 'release', 'ponder', 'answer', 'silence', 'speak', 'cancel',
  'client-slow', 'client-takes', 'server-slow', 'server-takes', 'revoke',
] // prettier-ignore

const COMMANDS = [
  'read 0', 'read 2', 'mask read 2', 'write 1', 'returning 2', 'fail', 'syntax', 'deny read 1', 'deny write 1', 'begin',
  'commit', 'rollback', 'defer 1', 'notice 1', 'copyout 2', 'mask copyout 1', 'copyin', 'failbind', 'badwrite',
  'hold write 1', 'gibberish', 'prepare s as read 1', 'prepare s as deny write 1', 'run s', 'deallocate s', 'path a',
  'temp', 'say why', 'alter', '',
] // prettier-ignore

/** The last two are one and the same to the server. */
const NAMES = ['', '', '', 's', 't', `${'n'.repeat(63)}a`, `${'n'.repeat(63)}b`]

const said = (random: Random): readonly Say[] => {
  switch (random.below(6)) {
    case 0:
    case 1:
      return [{ say: 'query', texts: Array.from({ length: random.below(4) }, () => random.pick(COMMANDS)) }]
    case 2:
      return copied(random)
    case 3:
      return [...Array.from({ length: random.between(1, 5) }, () => unit(random)), { say: 'sync' }]
    default:
      return [...Array.from({ length: random.between(1, 3) }, () => prepared(random)).flat(), { say: 'sync' }]
  }
}

const copied = (random: Random): readonly Say[] => [
  { say: 'query', texts: [random.pick(['copyin', 'copyin', 'deny copyin', 'mask copyin', 'read 1'])] },
  {
    say: 'copy',
    rows: Array.from({ length: random.below(4) }, () => random.pick(['a', 'bad', 'x'.repeat(70_000), ''])),
    end: random.pick(['done', 'fail']),
  },
]

/** As drivers do it: prepared, bound, perhaps described, run in portions perhaps. */
const prepared = (random: Random): readonly Say[] => {
  const [name, portal, text] = [random.pick(NAMES), random.pick(NAMES), random.pick(COMMANDS)]
  return [
    { say: 'parse', name, text },
    ...(random.oneIn(4) ? ([{ say: 'describe', kind: 'S', name }] as const) : []),
    { say: 'bind', portal, name },
    ...(random.oneIn(2) ? ([{ say: 'describe', kind: 'P', name: portal }] as const) : []),
    { say: 'execute', portal, rowsMax: random.below(3) },
  ]
}

const unit = (random: Random): Say => {
  const [name, portal] = [random.pick(NAMES), random.pick(NAMES)]
  return random.pick<Say>([
    { say: 'parse', name, text: random.pick(COMMANDS) },
    { say: 'bind', portal, name },
    { say: 'execute', portal, rowsMax: random.below(3) },
    { say: 'describe', kind: random.pick(['S', 'P']), name },
    { say: 'close', kind: random.pick(['S', 'P']), name },
    { say: 'flush' },
    { say: 'sync' },
  ])
}

const ODD: Frames = [
  wire.functionCall(1),
  wire.functionCall(99),
  wire.terminate,
  wire.copyDone,
  wire.copyData('row'),
  wire.sync,
  wire.flush,
]

const spoilt = (random: Random, frames: Frames, times: number, bursts: number): Frames => {
  const more = random.oneIn(10) ? [...frames, random.pick(ODD)] : frames
  return random.oneIn(bursts) ? mutated(random, more, times) : more
}

const ANSWERS: Frames = [
  wire.readyForQuery('idle'),
  wire.readyForQuery('open'),
  wire.readyForQuery('failed'),
  wire.commandComplete('SELECT 1'),
  wire.dataRow(['read 1.1']),
  wire.parseComplete,
  wire.bindComplete,
  wire.closeComplete,
  wire.noData,
  wire.portalSuspended,
  wire.emptyQueryResponse,
  wire.copyInResponse,
  wire.copyOutResponse,
  wire.copyData('x'),
  wire.copyDone,
  wire.parameterStatus('client_encoding', 'UTF8'),
  wire.parameterStatus('client_encoding', 'LATIN1'),
  wire.notificationResponse({ processId: 1, channel: 'c', payload: 'p' }),
  wire.errorResponse({ severity: 'ERROR', code: '22012', message: 'no' }),
  wire.errorResponse({ severity: 'FATAL', code: '57P01', message: 'no' }),
  wire.noticeResponse({ severity: 'NOTICE', code: '00000', message: 'so' }),
  message(BACKEND.copyBothResponse, Buffer.from([0, 0, 0])),
  message(BACKEND.functionCallResponse, Buffer.from([0, 0, 0, 0])),
]

const lied = (random: Random): Frames =>
  mutated(
    random,
    Array.from({ length: random.between(1, 3) }, () => random.pick(ANSWERS)),
    random.below(3),
  )
