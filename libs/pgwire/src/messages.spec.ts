import { describe, expect, it } from 'vitest'
import {
  backendKeyData,
  commandComplete,
  dataRow,
  describePortal,
  errorResponse,
  formatAt,
  notificationResponse,
  ProtocolError,
  readBind,
  readCommandTag,
  readDataRow,
  readExecute,
  readFirstPacket,
  readNamed,
  readNotice,
  readNotification,
  readParameters,
  readParse,
  readQuery,
  readReadyForQuery,
  readRowDescription,
  readyForQuery,
  rowsOf,
  textColumns,
  writeNotice,
} from './index.ts'

const hex = (text: string) => Buffer.from(text.replaceAll(/\s/g, ''), 'hex')
const z = (text: string) => Buffer.from(`${text}\0`)
const framed = (tag: string, ...parts: Uint8Array[]) => {
  const body = Buffer.concat(parts)
  const head = Buffer.alloc(5)
  head.write(tag)
  head.writeInt32BE(4 + body.length, 1)
  return Buffer.concat([head, body])
}

describe('what a client calls its statements and portals', () => {
  const long = 'x'.repeat(63)
  const named = (name: Buffer) => {
    const end = Buffer.concat([name, Buffer.from([0])])
    const read = <T>(frame: Buffer, reader: (bytes: Buffer, start: number, end: number) => T) =>
      reader(frame, 0, frame.length)
    const { portal, statement } = read(framed('B', end, end, hex('0000 0000 0000')), readBind)
    return [
      read(framed('P', end, z('select 1'), hex('0000')), readParse).statement,
      portal,
      statement,
      read(framed('E', end, hex('00000000')), readExecute).portal,
      read(framed('D', Buffer.from('S'), end), readNamed).name,
    ]
  }

  it('is told apart by 63 bytes, as the server does it', () => {
    expect(named(Buffer.from(`${long}one`))).toEqual(named(Buffer.from(`${long}two`)))
    expect(new Set(named(Buffer.from(`${long}one`)))).toEqual(new Set([long]))
  })

  it('is told apart where a character is cut in the middle, and where it is no text', () => {
    const almost = 'x'.repeat(62)
    expect(named(Buffer.from(`${almost}é`))).not.toEqual(named(Buffer.from(`${almost}ñ`).fill(0xc4, 62, 63)))
    expect(named(Buffer.from([0xff]))).not.toEqual(named(Buffer.from([0xfe])))
    expect(named(Buffer.from([0xff]))).not.toEqual(named(Buffer.from('ÿ')))
  })

  it('may be in any script', () => expect(named(Buffer.from('名前'))[0]).toBe('名前'))
})

describe('what a client sends', () => {
  it('is a query, whose text ends where PostgreSQL ends it', () => {
    const bytes = framed('Q', z('select 1'))
    expect(readQuery(bytes, 0, bytes.length).toString()).toBe('select 1')
  })

  it.each([
    ['bytes behind the text', framed('Q', z('select 1'), z('drop table audit'))],
    ['no zero byte', framed('Q', Buffer.from('select 1'))],
  ])('is refused with %s', (_, bytes) => expect(() => readQuery(bytes, 0, bytes.length)).toThrow(ProtocolError))

  it('is read in place, from the middle of a buffer, and no further than its end', () => {
    const bytes = Buffer.concat([Buffer.from('xx'), framed('Q', Buffer.from('select 1')), z('0')])
    expect(() => readQuery(bytes, 2, bytes.length - 2)).toThrow(ProtocolError)
  })

  it('is a statement to prepare', () => {
    const bytes = framed('P', z('s1'), z('select $1'), hex('0002 00000017 00000000'))
    expect(readParse(bytes, 0, bytes.length)).toMatchObject({ statement: 's1', parameterTypes: [23, 0] })
  })

  it('is a portal with NULL, text and binary parameters', () => {
    const parameters = hex('0003 ffffffff 00000000 00000002 abcd')
    const bytes = framed('B', z('p'), z('s1'), hex('0001 0001'), parameters, hex('0002 0000 0001'))
    const bind = readBind(bytes, 0, bytes.length)
    expect(bind).toMatchObject({ portal: 'p', statement: 's1', parameterCount: 3, resultFormats: [0, 1] })
    expect(readParameters(bind)).toEqual([null, Buffer.alloc(0), hex('abcd')])
    expect(bind.parameterBytes).toEqual(Buffer.concat([hex('0001 0001'), parameters]))
  })

  it('may bind 65,535 parameters: the count is unsigned', () => {
    const bytes = framed('B', z(''), z(''), hex('0000 ffff'), Buffer.alloc(4 * 65_535, 0xff), hex('0000'))
    expect(readBind(bytes, 0, bytes.length).parameterCount).toBe(65_535)
  })

  it.each(['fffffffe', '7fffffff'])('is refused with a parameter of length %s', (length) => {
    const bytes = framed('B', z(''), z(''), hex('0000 0001'), hex(length), hex('0000'))
    expect(() => readBind(bytes, 0, bytes.length)).toThrow(ProtocolError)
  })

  it('gives one format for all, or one for each, or none for text', () =>
    expect([formatAt([1], 5), formatAt([0, 1], 1), formatAt([], 3)]).toEqual([1, 1, 0]))

  it('names statements and portals', () => {
    const bytes = describePortal('c1')
    expect(readNamed(bytes, 0, bytes.length)).toEqual({ kind: 'portal', name: 'c1' })
    const wrong = framed('D', Buffer.from('Q'), z('x'))
    expect(() => readNamed(wrong, 0, wrong.length)).toThrow(ProtocolError)
  })

  it('executes portals for some rows', () => {
    const bytes = framed('E', z('p'), hex('0000000a'))
    expect(readExecute(bytes, 0, bytes.length)).toEqual({ portal: 'p', rowsMax: 10 })
  })
})

describe('the first packet', () => {
  const packet = (...parts: Uint8Array[]) => {
    const body = Buffer.concat(parts)
    const length = Buffer.alloc(4)
    length.writeInt32BE(4 + body.length)
    return Buffer.concat([length, body])
  }

  it('is awaited until it is whole', () => {
    const bytes = packet(hex('00030000'), z('user'), z('ana'), hex('00'))
    for (let end = 0; end < bytes.length; end++) expect(readFirstPacket(bytes.subarray(0, end))).toBeUndefined()
    expect(readFirstPacket(bytes)?.packet).toEqual({
      name: 'StartupMessage',
      minor: 0,
      parameters: new Map([['user', 'ana']]),
    })
  })

  it('says which minor version is wanted', () =>
    expect(readFirstPacket(packet(hex('00030002'), hex('00')))?.packet).toMatchObject({ minor: 2 }))

  it('may ask for TLS or Kerberos', () => {
    expect(readFirstPacket(packet(hex('04d2162f')))?.packet).toEqual({ name: 'SSLRequest' })
    expect(readFirstPacket(packet(hex('04d21630')))?.packet).toEqual({ name: 'GSSENCRequest' })
  })

  it('may cancel, with a key of either length', () => {
    const cancel = (secret: Buffer) => readFirstPacket(packet(hex('04d2162e 00000007'), secret))?.packet
    expect(cancel(hex('0a0b0c0d'))).toEqual({ name: 'CancelRequest', processId: 7, secret: hex('0a0b0c0d') })
    expect(cancel(Buffer.alloc(32, 1))).toMatchObject({ secret: Buffer.alloc(32, 1) })
  })

  it.each([
    ['a length of 2 GiB', hex('7fffffff 00030000')],
    ['a length below its own', hex('00000004 00030000')],
    ['protocol 2', packet(hex('00020000'), hex('00'))],
    ['an HTTP request', Buffer.from('GET / HTTP/1.1\r\n')],
    ['a name without a value', packet(hex('00030000'), z('user'))],
    ['bytes behind its end', packet(hex('00030000'), hex('00'), z('x'))],
  ])('is refused with %s', (_, bytes) => expect(() => readFirstPacket(bytes)).toThrow(ProtocolError))
})

describe('what a server sends', () => {
  it('is an error, field by field, and can be written back', () => {
    const bytes = errorResponse({ severity: 'ERROR', code: 'ZA010', message: 'refused', hint: 'later' })
    const fields = readNotice(bytes, 0, bytes.length)
    expect(Object.fromEntries(fields)).toEqual({ S: 'ERROR', V: 'ERROR', C: 'ZA010', M: 'refused', H: 'later' })
    expect(writeNotice(0x45, fields)).toEqual(bytes)
  })

  it('never carries a zero byte inside a field', () => {
    const bytes = errorResponse({ severity: 'ERROR', code: '22021', message: 'a\0b' })
    expect(readNotice(bytes, 0, bytes.length).get('M')).toBe('ab')
  })

  it('describes columns by where they come from', () => {
    const bytes = framed('T', hex('0001'), z('email'), hex('00004001 0003 00000019 ffff ffffffff 0001'))
    expect(readRowDescription(bytes, 0, bytes.length)).toEqual([
      { name: 'email', relation: 0x4001, attribute: 3, type: 25, modifier: -1, format: 1 },
    ])
  })

  it('is rows', () => {
    const bytes = dataRow(['a', null, ''])
    expect(readDataRow(bytes, 0, bytes.length)).toEqual([Buffer.from('a'), null, Buffer.alloc(0)])
    const columns = textColumns(['x', 'y'])
    expect(readRowDescription(columns, 0, columns.length).map(({ name }) => name)).toEqual(['x', 'y'])
  })

  it.each([
    ['SELECT 5', 5],
    ['INSERT 0 3', 3],
    ['DELETE 12', 12],
    ['CREATE TABLE', 0],
    ['BEGIN', 0],
    ['LISTEN2', 0],
  ])('counts rows in %s', (tag, rows) => {
    const bytes = commandComplete(tag)
    expect([readCommandTag(bytes, 0, bytes.length), rowsOf(tag)]).toEqual([tag, rows])
  })

  it.each([
    ['no zero byte', framed('C', Buffer.from('SELECT 5'))],
    ['nothing', framed('C')],
    ['more behind its tag', framed('C', z('SELECT 5'), z('6'))],
  ])('is refused when it is the end of a command with %s', (_, bytes) =>
    expect(() => readCommandTag(Buffer.concat([bytes, z('')]), 0, bytes.length)).toThrow(ProtocolError),
  )

  it.each([
    ['no status', framed('Z')],
    ['two', framed('Z', Buffer.from('II'))],
    ['one that is none', framed('Z', Buffer.from('i'))],
  ])('is refused when it is ready with %s', (_, bytes) =>
    expect(() => readReadyForQuery(Buffer.concat([bytes, readyForQuery('open')]), 0, bytes.length)).toThrow(
      ProtocolError,
    ),
  )

  it('says where the transaction stands', () => {
    for (const status of ['idle', 'open', 'failed'] as const) {
      expect(readReadyForQuery(readyForQuery(status), 0, 6)).toBe(status)
    }
  })

  it('is notifications and keys', () => {
    const notification = { processId: 4, channel: 'c', payload: 'p' }
    const bytes = notificationResponse(notification)
    expect(readNotification(bytes, 0, bytes.length)).toEqual(notification)
    expect(backendKeyData(1, hex('01020304'))).toEqual(framed('K', hex('00000001 01020304')))
  })
})
