import { openEventLog, type EventLog } from '@countersign/eventlog'
import { append } from './append-job.ts'
import { count } from './count-job.ts'
import type { Job, Said } from './jobs.ts'
import { race } from './race-job.ts'

/*
 * A process that uses a log, for tests that need several of them, or one to kill. Its one argument is the job.
 */

const say = (said: Said) => void process.stdout.write(JSON.stringify(said) + '\n')

const work = (log: EventLog, job: Job): Promise<void> => {
  switch (job.kind) {
    case 'append':
      return append(log, job, say)
    case 'race':
      return race(log, job)
    case 'count':
      return count(log, job)
  }
}

const job = JSON.parse(process.argv[2] ?? '') as Job
const log = await openEventLog(job.options)
await work(log, job)
say({ said: 'done' })
await log.close()
