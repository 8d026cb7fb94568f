import { setTimeout as sleep } from 'node:timers/promises'
import { approval, inForce, signersOf } from '@countersign/approval'
import { Digest, PrincipalId, type ApprovalEvent, type RequestId } from '@countersign/contracts'
import { openEventLog, type EventLog } from '@countersign/eventlog'
import { fold } from '@countersign/kernel'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { systemClock } from './clock.ts'
import { freePort, spawnControl, writeConfig, type ControlProcess } from './testing/control-process.ts'
import {
  apiAt,
  approvalsIn,
  configFolder,
  decisionsIn,
  held,
  newestDecisionsIn,
  newRequestId,
  newSession,
  nodeOn,
  opened,
  until,
  type ConfigFolder,
} from './testing/running-control.ts'

/*
 * Two replicas of control on a real log, killed without warning again and again while people vote and programs claim.
 */

const KILLS = 50
const DIGEST = Digest.parse('d'.repeat(64))

let folder: ConfigFolder
let log: EventLog
let file: string
let replicas: Replica[]

beforeAll(async () => {
  folder = configFolder()
  const config = writeConfig(folder)
  file = config.file
  log = await openEventLog({ kind: 'embedded', directory: config.directory })
  replicas = await Promise.all([startReplica(), startReplica()])
  await Promise.all(replicas.map(({ process }) => process.ready))
})

afterAll(async () => {
  for (const { process } of replicas) process.child.kill('SIGKILL')
  await Promise.all(replicas.map(({ process }) => process.ended))
  await log.close()
  folder.remove()
})

describe('control, killed at any moment', () => {
  it(
    `loses no vote, counts none twice and comes to one end each time, in ${KILLS} kills`,
    { timeout: 600_000 },
    async () => {
      const stop = new AbortController()
      const stories: Promise<Story>[] = []
      const people = (async () => {
        while (!stop.signal.aborted) {
          const told = story()
          told.catch(() => undefined) // Heard of below, with all the others.
          stories.push(told)
          await sleep(100 + Math.random() * 300)
        }
      })()

      for (let kills = 0; kills < KILLS;) {
        await sleep(Math.random() * 700)
        const victims = Math.random() < 0.25 ? replicas : [replicas[kills % 2]!]
        await Promise.all(victims.map(killAndRestart))
        kills += victims.length
      }
      stop.abort()
      await people
      const told = await Promise.all(stories)
      expect(told.length).toBeGreaterThan(KILLS)

      await until(() => isSettled(told.map(({ requestId }) => requestId)), 30_000)
      const decisions = await decisionsIn(log)
      const newest = await newestDecisionsIn(log)
      const ends = new Set<string>()
      for (const { requestId, votes, claims, mode } of told) {
        const events = await approvalsIn(log, requestId)
        const state = fold(approval, events)
        if (state.phase === 'not-asked') throw new Error(`${requestId} was held and never asked for`)
        ends.add(`${mode} ${state.phase}`)

        // Every vote that was answered with yes is there, once; none is there that nobody gave.
        expect(countedVotes(events)).toEqual([...votes].sort())
        expect(new Set(signersOf(state)).size).toBe(signersOf(state).length)
        // One end, and one only.
        const outcomes = events.filter(({ type }) => ENDS.has(type))
        expect([requestId, outcomes.map(({ type }) => type)]).toEqual([requestId, [outcomes[0]!.type]])
        // Every claim was answered, once, and at most one with yes.
        expect(answeredClaims(events).sort()).toEqual([...claims].sort())
        expect(events.filter(({ type }) => type === 'grant.claimed').length).toBeLessThanOrEqual(1)
        // Nodes of either way of reading have been told exactly that.
        expect(decisions.get(`approval/${requestId}`)).toEqual(inForce(state))
        expect(newest.get(`approval/${requestId}`)).toEqual(inForce(state))
      }
      expect(ends).toEqual(
        new Set([
          'rerun claimed',
          'rerun denied',
          'rerun withdrawn',
          'inline claimed',
          'inline denied',
          'inline withdrawn',
        ]),
      )
    },
  )

  it('ends when it is asked to, and when its supervisor goes away', async () => {
    const [first, second] = replicas
    first!.process.child.kill('SIGTERM')
    expect(await first!.process.ended).toBe(0)
    second!.process.child.disconnect()
    expect(await second!.process.ended).toBe(0)
  })
})

// The vocabulary of the stories.

interface Replica {
  readonly port: number
  process: ControlProcess
}

const startReplica = async (): Promise<Replica> => {
  const port = await freePort()
  return { port, process: spawnControl(file, port) }
}

/** Once in three times the next kill may come before it is ready. */
const killAndRestart = async (replica: Replica): Promise<void> => {
  replica.process.child.kill('SIGKILL')
  await replica.process.ended
  replica.process = spawnControl(file, replica.port)
  const isPatient = Math.random() < 2 / 3
  await (isPatient ? replica.process.ready : sleep(Math.random() * 1_500))
}

interface Story {
  readonly requestId: RequestId
  readonly mode: 'inline' | 'rerun'
  /** Votes that were answered with yes: `person vote`. */
  readonly votes: readonly string[]
  /** Statements that asked to use the grant. */
  readonly claims: readonly string[]
}

/**
 * Somebody's statement is held, owners vote, perhaps it is taken back, a program claims the grant three times, and the
 * session ends: so that control has less and less to read again when it starts.
 */
const story = async (): Promise<Story> => {
  const node = nodeOn(log, systemClock, `node-1/0/${newRequestId()}`)
  const { sessionId, statement } = newSession()
  const requestId = newRequestId()
  const mode = Math.random() < 0.5 ? 'inline' : 'rerun'
  const quorum = Math.random() < 0.5 ? 1 : 2
  const at = systemClock()
  await node.write(
    opened(sessionId, node.worker, 'copilot', at),
    held(requestId, statement(1), 'copilot', { mode, quorum, digest: DIGEST, at, holdSeconds: 600 }),
  )
  await whenShown(requestId)
  const votes = Math.random() < 0.2 ? await withdraw() : await vote()
  const claims = mode === 'inline' ? [] : await claim()
  await node.write({
    type: 'session.closed',
    data: { sessionId, because: 'client-gone', statements: 4, at: systemClock() },
  })
  return { requestId, mode, votes, claims }

  async function withdraw(): Promise<string[]> {
    const data = { requestId, statementId: statement(1), because: 'cancelled' as const, at: systemClock() }
    await node.write({ type: 'statement.withdrawn', data })
    return []
  }

  /** At once and twice each, as impatient people do. */
  async function vote(): Promise<string[]> {
    const isDenied = Math.random() < 0.25
    const voters = isDenied || quorum === 1 ? ['bo'] : ['bo', 'cy']
    const ballot = isDenied ? 'deny' : 'grant'
    const answers = await Promise.all([...voters, ...voters].map((who) => voteUntilAnswered(who, requestId, ballot)))
    expect(answers.filter((answer) => answer !== 200)).toEqual([])
    return voters.map((who) => `${who} ${ballot}`)
  }

  async function claim(): Promise<string[]> {
    const claims = [2, 3, 4].map(statement)
    for (const statementId of claims) {
      await node.write({
        type: 'grant.claim-asked',
        data: {
          requestId,
          statementId,
          sessionId,
          principalId: PrincipalId.parse('copilot'),
          digest: DIGEST,
          target: { environment: 'demo', database: 'shop' },
          role: 'shop_app',
          policyVersion: 'p1',
          at: systemClock(),
        },
      })
    }
    return claims
  }
}

const someApi = () => apiAt(`http://127.0.0.1:${replicas[Math.floor(Math.random() * replicas.length)]!.port}`)

/** Whoever gets no answer tries again: the other replica, or the same one later. */
const insistently = async <Value>(ask: () => Promise<Value | undefined>): Promise<Value> => {
  const end = Date.now() + 120_000
  while (Date.now() < end) {
    const answer = await ask().catch(() => undefined)
    if (answer !== undefined) return answer
    await sleep(20)
  }
  throw new Error(`no answer: ${ask.toString()}`)
}

const whenShown = (requestId: RequestId) =>
  insistently(async () =>
    (await someApi().get('eve', `/api/v1/requests/${requestId}`)).status === 200 ? true : undefined,
  )

const voteUntilAnswered = (who: string, requestId: RequestId, vote: 'grant' | 'deny') =>
  insistently(async () => {
    const { status, body } = await someApi().vote(who, requestId, { vote, digest: DIGEST, reason: 'because' })
    if (status >= 500 || status === 404) return undefined
    return status === 200 ? status : `${who} ${vote} ${requestId}: ${status} ${body.error?.code}`
  })

const ENDS: ReadonlySet<string> = new Set([
  'grant.claimed',
  'grant.expired',
  'approval.denied',
  'approval.expired',
  'approval.withdrawn',
  'approval.voided',
])

const isSettled = async (requestIds: readonly RequestId[]) => {
  const all = await approvalsIn(log)
  const decisions = await decisionsIn(log)
  const newest = await newestDecisionsIn(log)
  return requestIds.every((requestId) => {
    const state = fold(
      approval,
      all.filter(({ data }) => data.requestId === requestId),
    )
    if (state.phase === 'not-asked' || state.phase === 'pending' || state.phase === 'granted') return false
    const told = JSON.stringify(inForce(state))
    return [decisions, newest].every((one) => JSON.stringify(one.get(`approval/${requestId}`)) === told)
  })
}

const countedVotes = (events: readonly ApprovalEvent[]) =>
  events.flatMap(({ type, data }) => (type === 'approval.voted' ? [`${data.person} ${data.vote}`] : [])).sort()

const answeredClaims = (events: readonly ApprovalEvent[]) =>
  events.flatMap(({ type, data }) => {
    if (type === 'grant.claim-refused') return [data.statementId]
    return type === 'grant.claimed' && !data.statementId.endsWith('.1') ? [data.statementId] : []
  })
