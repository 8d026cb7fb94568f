import { parentPort, workerData } from 'node:worker_threads'
import { LogUnavailableError } from '../event-log.ts'
import type { Batch } from './batch.ts'
import { openCommitter } from './committer.ts'
import type { TopicFile } from './topic-file.ts'

/*
 * The thread in which the commits of one topic happen, so that waiting for the disk never holds up anybody else.
 * It says when it is ready. It is sent a batch, or null to end; it answers with the first offset, or with the reason
 * why there is none.
 */

export type Answer = { readonly ready: true } | Outcome
export type Outcome = { readonly first: number } | { readonly reason: string }

const committer = openCommitter(workerData as TopicFile)

const answerTo = (batch: Batch): Outcome => {
  try {
    return { first: committer.commit(batch) }
  } catch (error) {
    if (error instanceof LogUnavailableError) return { reason: error.reason }
    return { reason: `the commit failed: ${error instanceof Error ? error.message : String(error)}` }
  }
}

parentPort?.on('message', (message: Batch | null) => {
  if (message) {
    parentPort?.postMessage(answerTo(message), [])
    committer.afterwards(message)
  } else {
    committer.close()
    parentPort?.close()
  }
})

parentPort?.postMessage({ ready: true } satisfies Answer, [])
