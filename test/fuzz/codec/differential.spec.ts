import {
  BACKEND,
  Frames,
  readCommandTag,
  readDataRow,
  readNotice,
  readNotification,
  readParameterStatus,
  readReadyForQuery,
  readRowDescription,
} from '@countersign/pgwire'
import { Parser } from 'pg-protocol/dist/parser.js'
import { describe, expect, it } from 'vitest'
import { recordings } from '../recordings.ts'

/*
 * What our codec and pg-protocol make of what real servers have said to psql, pgbench, node-postgres and psycopg: each
 * message, by its kind and its fields.
 */

/** One message, in words that both are brought to. */
interface Heard {
  readonly name: string
  readonly length: number
  readonly fields: unknown
}

type Reader = (bytes: Buffer, start: number, end: number) => unknown

const readers: Readonly<Record<number, readonly [name: string, read: Reader]>> = {
  [BACKEND.authentication]: ['authenticationOk', () => null],
  [BACKEND.backendKeyData]: ['backendKeyData', () => null],
  [BACKEND.bindComplete]: ['bindComplete', () => null],
  [BACKEND.closeComplete]: ['closeComplete', () => null],
  [BACKEND.commandComplete]: ['commandComplete', readCommandTag],
  [BACKEND.copyData]: ['copyData', (bytes, start, end) => bytes.toString('latin1', start + 5, end)],
  [BACKEND.copyDone]: ['copyDone', () => null],
  [BACKEND.copyInResponse]: ['copyInResponse', () => null],
  [BACKEND.copyOutResponse]: ['copyOutResponse', () => null],
  [BACKEND.dataRow]: ['dataRow', (...at) => readDataRow(...at).map((value) => value?.toString('utf8') ?? null)],
  [BACKEND.emptyQueryResponse]: ['emptyQuery', () => null],
  [BACKEND.errorResponse]: ['error', (...at) => Object.fromEntries(readNotice(...at))],
  [BACKEND.noData]: ['noData', () => null],
  [BACKEND.noticeResponse]: ['notice', (...at) => Object.fromEntries(readNotice(...at))],
  [BACKEND.notificationResponse]: ['notification', readNotification],
  [BACKEND.parameterDescription]: ['parameterDescription', () => null],
  [BACKEND.parameterStatus]: ['parameterStatus', readParameterStatus],
  [BACKEND.parseComplete]: ['parseComplete', () => null],
  [BACKEND.portalSuspended]: ['portalSuspended', () => null],
  [BACKEND.readyForQuery]: ['readyForQuery', (...at) => readReadyForQuery(...at)],
  [BACKEND.rowDescription]: ['rowDescription', readRowDescription],
}

const byOurs = (pieces: readonly Buffer[]): readonly Heard[] => {
  const heard: Heard[] = []
  const frames = new Frames({
    begin: () => 'whole',
    piece: () => undefined,
    message: (tag, bytes, start, end) => {
      const [name, read] = readers[tag] ?? [`unknown ${tag}`, () => null]
      heard.push({ name, length: end - start - 1, fields: read(bytes, start, end) })
      return true
    },
  })
  for (const piece of pieces) frames.read(piece, 0, piece.length)
  return heard
}

type Theirs = Readonly<Record<string, unknown>>

/** What pg-protocol calls the fields of an error or a notice. */
const LETTERS = {
  S: 'severity', C: 'code', M: 'message', D: 'detail', H: 'hint', P: 'position', p: 'internalPosition',
  q: 'internalQuery', W: 'where', s: 'schema', t: 'table', c: 'column', d: 'dataType', n: 'constraint', F: 'file',
  L: 'line', R: 'routine',
} as const // prettier-ignore

const noticeOf = (message: Theirs) =>
  Object.fromEntries(
    Object.entries(LETTERS).flatMap(([letter, name]) => (message[name] === undefined ? [] : [[letter, message[name]]])),
  )

const STATUS: Readonly<Record<string, string>> = { I: 'idle', T: 'open', E: 'failed' }

const theirs: Readonly<Record<string, (message: Theirs) => unknown>> = {
  commandComplete: ({ text }) => text,
  copyData: ({ chunk }) => (chunk as Buffer).toString('latin1'),
  dataRow: ({ fields }) => fields,
  error: noticeOf,
  notice: noticeOf,
  notification: ({ processId, channel, payload }) => ({ processId, channel, payload }),
  parameterStatus: ({ parameterName, parameterValue }) => ({ name: parameterName, value: parameterValue }),
  readyForQuery: ({ status }) => STATUS[String(status)],
  rowDescription: ({ fields }) => (fields as readonly Theirs[]).map(columnOf),
}

const columnOf = ({ name, tableID, columnID, dataTypeID, dataTypeModifier, format }: Theirs) => ({
  name,
  relation: tableID,
  attribute: columnID,
  type: dataTypeID,
  modifier: dataTypeModifier,
  format: format === 'binary' ? 1 : 0,
})

const byTheirs = (pieces: readonly Buffer[]): readonly Heard[] => {
  const heard: Heard[] = []
  const parser = new Parser()
  for (const piece of pieces) {
    parser.parse(piece, (message: unknown) => {
      const { name, length, ...fields } = { ...(message as Theirs) }
      const text = (message as { readonly message?: string }).message
      const read = theirs[String(name)]
      heard.push({
        name: String(name),
        length: Number(length),
        fields: read ? read({ ...fields, ...(text !== undefined && { message: text }) }) : null,
      })
    })
  }
  return heard
}

/** The severity that is never translated is not one of theirs. */
const comparable = (heard: readonly Heard[]): readonly Heard[] =>
  heard.map(({ name, length, fields }) => {
    if (name !== 'error' && name !== 'notice') return { name, length, fields }
    const { V: _, ...others } = fields as Record<string, unknown>
    return { name, length, fields: others }
  })

const singleBytes = (bytes: Buffer) => Array.from(bytes, (_, at) => Buffer.from(bytes.subarray(at, at + 1)))

describe.each(recordings().map((recording) => [recording.client, recording.fromServer] as const))(
  'what a server said to %s',
  (_, bytes) => {
    const expected = comparable(byTheirs([bytes]))

    it('is the same to both', () => {
      expect(expected.length).toBeGreaterThan(15)
      expect(comparable(byOurs([bytes]))).toEqual(expected)
    })

    it('is the same byte by byte', () => {
      expect(comparable(byTheirs(singleBytes(bytes)))).toEqual(expected)
      expect(comparable(byOurs(singleBytes(bytes)))).toEqual(expected)
    })

    it('is the same cut in two, anywhere', () => {
      const text = JSON.stringify(byOurs([bytes]))
      for (let at = 1; at < bytes.length; at++) {
        const cut = JSON.stringify(byOurs([bytes.subarray(0, at), bytes.subarray(at)]))
        if (cut !== text) expect.fail(`another one when it is cut at ${at}`)
      }
    })
  },
)

describe('the recordings', () => {
  it('hold every kind of message that a server has for its clients, but for those of replication', () => {
    const names = new Set(recordings().flatMap(({ fromServer }) => byOurs([fromServer]).map(({ name }) => name)))
    expect([...names].sort()).toEqual(
      Object.values(readers)
        .map(([name]) => name)
        .sort(),
    )
  })
})
