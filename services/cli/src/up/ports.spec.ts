import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { describe, expect, it } from 'vitest'
import { assertPortsFree, portsFrom } from './ports.ts'

describe('the ports', () => {
  it('are counted from the base', () =>
    expect(portsFrom(7000)).toEqual({
      proxy: 7000,
      control: 7001,
      clickhouseHttp: 7002,
      postgres: 7003,
      audit: 7004,
      nodeAdmin: 7005,
    }))

  it.each([0, 1023, 65_531, 70_000, 6432.5, Number.NaN, -1])('are refused from %d on', (base) =>
    expect(() => portsFrom(base)).toThrow('--port-base must be a number from 1024 to 65530'),
  )

  it('may reach the last one there is', () => expect(portsFrom(65_530).nodeAdmin).toBe(65_535))

  it('are all named when several are taken, and none when all are free', async () => {
    const servers = [createServer(), createServer()]
    for (const server of servers) await once(server.listen(0, '127.0.0.1'), 'listening')
    const [one, two] = servers.map((server) => (server.address() as AddressInfo).port)
    const wanted = [
      { name: 'node', host: '127.0.0.1', port: one! },
      { name: 'audit', host: '127.0.0.1', port: two! },
    ]
    await expect(assertPortsFree(wanted)).rejects.toThrow(
      `ports ${one} (node), ${two} (audit) in use by another program: stop it, or give another --port-base`,
    )
    for (const server of servers) await once(server.close(), 'close')
    await expect(assertPortsFree(wanted)).resolves.toBeUndefined()
  })
})
