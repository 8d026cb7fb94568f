/*
 * The projection as a process of its own, to be killed: node --conditions=source projection-process.ts DIRECTORY
 * PARTITIONS SERVER. Says `ready` when it has begun.
 */
import { runProjection } from '../projection/run-projection.ts'
import { Status } from '../projection/status.ts'
import type { AuditDatabase } from '../store/generations.ts'
import { openPartitionedLog } from './partitioned-log.ts'

const [directory = '', partitions = '1', server = '{}'] = process.argv.slice(2)
const log = await openPartitionedLog(directory, Number(partitions))

process.once('disconnect', () => process.exit(0))
await runProjection({
  log,
  server: JSON.parse(server) as AuditDatabase,
  status: new Status(),
  signal: new AbortController().signal,
  now: Date.now,
  ready: () => process.send?.('ready'),
})
