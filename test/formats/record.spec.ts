import { createDecipheriv, createHash } from 'node:crypto'
import { commitHeaders, decodeCommit, encodeCommit, readAccessEvent } from '@countersign/contracts'
import { describe, expect, it } from 'vitest'
import { readGolden } from './golden.ts'

const value = readGolden('commit@1/value.json')
const commit = decodeCommit(value)
const intended = commit.events
  .map((stored) => readAccessEvent(stored))
  .flatMap(({ type, data }) => (type === 'statement.intended' ? [data] : []))

describe('the golden record, as a node wrote it (commit/1)', () => {
  it('is read, every event of it', () => {
    expect(commit).toMatchObject({ stream: 'node-1/w0/mb3k9xq2', revision: 2 })
    expect(commit.events.map((stored) => readAccessEvent(stored).type)).toEqual([
      'session.opened',
      'credential.used',
      'statement.intended',
      'statement.intended',
      'statement.settled',
    ])
  })

  it('is written again byte for byte', () => expect(encodeCommit(commit).equals(value)).toBe(true))

  it('has the headers of a CloudEvent', () => {
    const headers = JSON.parse(readGolden('commit@1/headers.json').toString()) as Record<string, string>
    const { ce_source: source = '', ce_time: time = '' } = headers
    expect(commitHeaders(commit, source, time, commit.events[0]?.type ?? '')).toEqual(headers)
    expect(source).toBe(`/countersign/node/${commit.stream}`)
  })
})

/*
 * From the words of services/proxy/FORMAT.md alone, with no code of the node: what an auditor would write who has the
 * node's keys.
 */
describe('the exact statements in the golden record (sealed/1, statement-digest/1)', () => {
  it('are what their events say', () =>
    expect(intended.map((data) => partsOf(data).map(String))).toEqual([
      ["select id, note from customers where email = 'mia.huber@example.com' -- café", ''],
      ['update orders set status = $1 where id = $2', PARAMETERS],
    ]))

  it('have the digests that their events name', () =>
    expect(intended.map((data) => digestOf(...partsOf(data)))).toEqual(intended.map(({ digest }) => digest)))

  it('cannot be opened when a byte of them, or the name of their key, is another', () => {
    const { data = '', keyId = '' } = commit.sealed ?? {}
    expect(() => open({ data: data.replace(/^./, (first) => (first === 'A' ? 'B' : 'A')) })).toThrow()
    expect(() => open({ aad: `${keyId}x` })).toThrow()
  })
})

/** Two formats (text, binary), two parameters: `shipped`, and 12345 as an int4. As they lie in the Bind message. */
const PARAMETERS = '\0\x02\0\0\0\x01\0\x02\0\0\0\x07shipped\0\0\0\x04\0\0\x30\x39'

type Intended = (typeof intended)[number]

/** The text and the parameters of a statement. */
const partsOf = ({ sealed: [offset, length] = [0, 0], textBytes }: Intended): readonly [Buffer, Buffer] => {
  const exact = open().subarray(offset, offset + length)
  return [exact.subarray(0, textBytes), exact.subarray(textBytes)]
}

const digestOf = (text: Buffer, parameters: Buffer): string =>
  createHash('sha256')
    .update(parameters.length > 0 ? Buffer.concat([text, Buffer.of(0), parameters]) : text)
    .digest('hex')

const open = (changes: { readonly data?: string; readonly aad?: string } = {}): Buffer => {
  const { keyId = '', iv = '', tag = '', data = '' } = commit.sealed ?? {}
  const wrappingKey = readGolden('commit@1/state/key-encryption-key')
  const wrapped = JSON.parse(readGolden(`commit@1/state/keys/${keyId}.json`).toString()) as Ciphertext
  const key = decrypt(wrappingKey, keyId, wrapped)
  return decrypt(key, changes.aad ?? keyId, { iv, tag, data: changes.data ?? data })
}

interface Ciphertext {
  readonly iv: string
  readonly tag: string
  readonly data: string
}

const decrypt = (key: Buffer, additional: string, { iv, tag, data }: Ciphertext): Buffer => {
  const decipher = createDecipheriv('aes-256-gcm', key, Buffer.from(iv, 'base64'))
  decipher.setAAD(Buffer.from(additional)).setAuthTag(Buffer.from(tag, 'base64'))
  return Buffer.concat([decipher.update(Buffer.from(data, 'base64')), decipher.final()])
}
