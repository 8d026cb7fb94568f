import { authenticationOk, backendKeyData, message, BACKEND, int32 } from '@countersign/pgwire'
import { cut, mutated, type Frames } from '../../../../../test/fuzz/mutations.ts'
import type { Random } from '../../../../../test/fuzz/random.ts'
import { framed, startup } from '../../../../../test/support/wire-bytes.ts'
import * as wire from '../testing/wire.ts'

/** What a client says from its first byte on, and what the server behind the node says to the node's own login. */
export interface ListenerPlan {
  readonly client: readonly Buffer[]
  /** Instead of an ordinary answer to the login. */
  readonly server: readonly Buffer[] | undefined
  /** What the server says when the session has begun, though nobody has asked. */
  readonly later: readonly Buffer[]
  readonly serverEnds: boolean
  readonly clientEnds: 'half-closed' | 'reset'
}

export const USER = 'ana'
export const DATABASE = 'shop'
export const TOKEN = 'cs_token'

export const listenerPlan = (random: Random): ListenerPlan => {
  const hostile = random.oneIn(2)
  return {
    client: cut(random, Buffer.concat([...opening(random, hostile ? 0 : random.below(3)), ...talk(random)])),
    server: hostile
      ? cut(random, Buffer.concat(mutated(random, loginAnswer(random), random.between(0, 3))))
      : undefined,
    later: random.oneIn(3) ? cut(random, Buffer.concat(mutated(random, [wire.readyForQuery('idle')], 2))) : [],
    serverEnds: random.oneIn(4),
    clientEnds: random.pick(['half-closed', 'half-closed', 'reset']),
  }
}

const SSL_REQUEST = Buffer.from('0000000804d2162f', 'hex')
const GSSENC_REQUEST = Buffer.from('0000000804d21630', 'hex')
const CANCEL_REQUEST = Buffer.from('0000001004d2162e0000000100000001', 'hex')

const opening = (random: Random, times: number): Frames => {
  const packet = startup({ user: USER, database: DATABASE, application_name: 'fuzz', ...random.pick(SETTINGS) })
  const before = random.oneIn(4) ? [random.pick([SSL_REQUEST, GSSENC_REQUEST, CANCEL_REQUEST])] : []
  const token = framed('p', Buffer.from(`${random.oneIn(8) ? 'cs_wrong' : TOKEN}\0`))
  // To the mutations a packet looks like a message when a tag stands in front.
  const spoilt = mutated(random, [Buffer.concat([Buffer.from('x'), packet])], times)
  return [...before, ...spoilt.map((frame) => frame.subarray(1)), ...mutated(random, [token], random.oneIn(4) ? 1 : 0)]
}

const SETTINGS: readonly Readonly<Record<string, string>>[] = [
  {},
  { options: '-c work_mem=4MB' },
  { options: '-c role=postgres' },
  { replication: 'database' },
  { client_encoding: 'LATIN1' },
  { '_pq_.unknown': '1' },
  { search_path: 'a,b' },
]

const talk = (random: Random): Frames =>
  mutated(random, [wire.query('read 1'), wire.extended('write 1'), wire.terminate], random.below(3))

const WANTS: readonly number[] = [0, 3, 5, 7, 9, 10, 11, 12, 99, -1]

/** As a server answers to a login; or with another demand, or with an error. */
const loginAnswer = (random: Random): Frames => {
  const ending = [
    wire.parameterStatus('server_version', '18.0'),
    wire.parameterStatus('client_encoding', 'UTF8'),
    wire.parameterStatus('standard_conforming_strings', 'on'),
    backendKeyData(7, Buffer.from([1, 2, 3, 4])),
    wire.readyForQuery('idle'),
  ]
  switch (random.below(6)) {
    case 0:
      return [message(BACKEND.authentication, int32(random.pick(WANTS)), Buffer.from('SCRAM-SHA-256\0\0')), ...ending]
    case 1:
      return [message(BACKEND.authentication, int32(random.pick(WANTS))), ...ending]
    case 2:
      return [wire.errorResponse({ severity: 'FATAL', code: random.pick(['28P01', '53300', '']), message: 'no' })]
    default:
      return [authenticationOk(), ...ending]
  }
}
