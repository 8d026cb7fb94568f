import { loadavg } from 'node:os'
import { parseArgs } from 'node:util'
import { LoneNode } from '../support/lone-node.ts'
import { CONNECTION_TABLES, connections, type Connected } from './connections.ts'
import { copyIn, copyOut, LOAD_TABLES, result, slowReader, slowServer, type Pressed, type Streamed } from './streams.ts'

/*
 * What many connections and long streams cost a node.
 *
 *   npm run load                                            a short version: 500 idle, 100 active, a minute, 200 MiB
 *   npm run load -- --idle 5000 --active 500 --minutes 10 --mib 1024
 *   npm run load -- --only streams
 */

const { values } = parseArgs({
  options: {
    idle: { type: 'string', default: '500' },
    active: { type: 'string', default: '100' },
    minutes: { type: 'string', default: '1' },
    'think-ms': { type: 'string', default: '1000' },
    mib: { type: 'string', default: '200' },
    only: { type: 'string' },
  },
})

/** Generous: a leak of a byte in ten would be more. */
const STREAM_GROWTH_MIB_MAX = 400
const FLAT_MIB_MAX = 64
/** What may lie in the sockets of both sides, in the node, and in the client. */
const UNDER_WAY_MIB_MAX = 32

const main = async (): Promise<void> => {
  const [idle, active, minutes, mib] = [values.idle, values.active, values.minutes, values.mib].map(Number) as [
    number,
    number,
    number,
    number,
  ]
  if (mib < 2 * UNDER_WAY_MIB_MAX)
    throw new Error(`--mib ${mib}: it takes ${2 * UNDER_WAY_MIB_MAX} to fill what lies between`)
  const room = idle + active + 50
  const node = await LoneNode.start({
    postgres: { max_connections: room + 50, shared_buffers: '128MB' },
    limits: { connectionsMax: room, connectionsPerPrincipalMax: room, startupTimeoutMs: 120_000 },
    sql: `${LOAD_TABLES}; ${CONNECTION_TABLES}`,
  })
  const wrong: string[] = []
  try {
    if (values.only !== 'streams') {
      const load = { idle, active, seconds: minutes * 60, thinkMs: Number(values['think-ms']), progress: console.error }
      wrong.push(...tellConnected(await connections(node, load)))
    }
    if (values.only !== 'connections') {
      const streamed: Streamed[] = []
      for (const stream of [result, copyOut, copyIn]) streamed.push(await stream(node, mib))
      wrong.push(...tellStreamed(streamed))
      wrong.push(...tellPressed([await slowReader(node, mib), await slowServer(node, mib)]))
    }
    if (!node.runs) wrong.push('the node has ended')
  } finally {
    await node.stop()
  }
  for (const each of wrong) console.error(`load: ${each}`)
  console.log(
    `load: ${wrong.length === 0 ? 'everything held' : `${wrong.length} did not hold`}; machine load ${loadavg()[0]?.toFixed(1)}`,
  )
  process.exitCode = wrong.length === 0 ? 0 : 1
}

const tellConnected = (done: Connected): readonly string[] => {
  const [before, connected, first, second] = done.mib.map(Math.round) as [number, number, number, number]
  console.log(`| connections | set-up | statements | refused | median | slowest | node: before | connected | least, first half | second half | most | per connection | server, per connection |
| --- | --: | --: | --: | --: | --: | --: | --: | --: | --: | --: | --: | --: |
| ${done.idle} idle, ${done.active} active | ${done.setUpSeconds.toFixed(0)} s | ${done.statements} | ${done.refused} | ${done.medianMs.toFixed(1)} ms | ${done.slowestMs.toFixed(0)} ms | ${before} MiB | ${connected} MiB | ${first} MiB | ${second} MiB | ${Math.round(done.peakMiB)} MiB | **${done.kibPerConnection.toFixed(0)} KiB** | ${done.serverMibPerConnection.toFixed(1)} MiB |
`)
  return second - first > FLAT_MIB_MAX ? [`memory is not flat: at least ${first} MiB, then ${second} MiB`] : []
}

const tellStreamed = (streamed: readonly Streamed[]): readonly string[] => {
  console.log('| stream | size | time | rate | most memory gained |\n| --- | --: | --: | --: | --: |')
  for (const { name, mib, seconds, growthMiB } of streamed) {
    console.log(
      `| ${name} | ${mib} MiB | ${seconds.toFixed(1)} s | ${(mib / seconds).toFixed(0)} MiB/s | ${growthMiB.toFixed(0)} MiB |`,
    )
  }
  console.log('')
  return streamed.flatMap(({ name, growthMiB }) =>
    growthMiB > STREAM_GROWTH_MIB_MAX ? [`${name} takes ${growthMiB.toFixed(0)} MiB`] : [],
  )
}

const tellPressed = (pressed: readonly Pressed[]): readonly string[] => {
  console.log('| who is slow | the server waits for | under way at rest | memory gained |\n| --- | --- | --: | --: |')
  for (const { name, serverWaitsFor, mibUnderWay, growthMiB } of pressed) {
    console.log(`| ${name} | ${serverWaitsFor} | ${mibUnderWay.toFixed(1)} MiB | ${growthMiB.toFixed(0)} MiB |`)
  }
  console.log('')
  return pressed.flatMap(({ name, mibUnderWay }) =>
    mibUnderWay > UNDER_WAY_MIB_MAX ? [`${name}: ${mibUnderWay.toFixed(0)} MiB are under way`] : [],
  )
}

await main()
