import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { LoneNode } from '../support/lone-node.ts'
import { CONNECTION_TABLES, connections } from './connections.ts'
import { copyIn, copyOut, LOAD_TABLES, result, slowReader, slowServer } from './streams.ts'

/*
 * The short version of `npm run load`: less of everything, and bounds that hold on any machine.
 */

const MIB = 250
/** Far less than passes through, far more than chance. */
const GROWTH_MIB_MAX = 160

let node: LoneNode
beforeAll(async () => {
  node = await LoneNode.start({ postgres: { max_connections: 150 }, sql: `${LOAD_TABLES}; ${CONNECTION_TABLES}` })
})
afterAll(() => node?.stop())

describe('a stream of any length', () => {
  it.each([
    ['the result of a query', result],
    ['what COPY gives', copyOut],
    ['what COPY takes', copyIn],
  ])('costs the node no memory to speak of when it is %s', async (_, stream) => {
    expect((await stream(node, MIB)).growthMiB).toBeLessThan(GROWTH_MIB_MAX)
  })
})

describe('whoever is slow', () => {
  it('and reads slowly keeps the server waiting, and gets everything in the end', async () => {
    const { serverWaitsFor, mibUnderWay, growthMiB } = await slowReader(node, MIB)
    expect(serverWaitsFor).toBe('ClientWrite')
    expect(mibUnderWay).toBeLessThan(32)
    expect(growthMiB).toBeLessThan(GROWTH_MIB_MAX)
  })

  it('and is the server keeps the client waiting', async () => {
    const { serverWaitsFor, mibUnderWay, growthMiB } = await slowServer(node, MIB)
    expect(serverWaitsFor).toBe('relation')
    expect(mibUnderWay).toBeLessThan(32)
    expect(growthMiB).toBeLessThan(GROWTH_MIB_MAX)
  })
})

describe('many connections', () => {
  it('are all kept and all served', async () => {
    const done = await connections(node, { idle: 60, active: 20, seconds: 3, thinkMs: 100 })
    expect(done.statements).toBeGreaterThan(20)
    expect(done.kibPerConnection).toBeLessThan(1_024)
  })
})
