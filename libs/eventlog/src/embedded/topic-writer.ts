import { Worker } from 'node:worker_threads'
import { AppendQueue } from '../append-queue.ts'
import { LogUnavailableError, type NewRecord, type Position } from '../event-log.ts'
import { batchOf } from './batch.ts'
import type { Answer, Outcome } from './commit-thread.ts'
import type { TopicFile } from './topic-file.ts'

/** Appends to one topic, in a thread that starts with the first append. */
export interface TopicWriter {
  append(record: NewRecord): Promise<Position>
  /** Throws `LogUnavailableError` while a commit has not come back in time. */
  check(): void
  /** The offset behind the last record that has been acknowledged to this process. */
  end(): number
  close(): Promise<void>
}

/** Longer than the thread waits for another process's lock, shorter than the second within which callers must know. */
const DEADLINE_MS = 700
/** A thread's own start is not the log's fault, and takes long on a machine that has much to do. */
const START_MS = 5_000

export const openTopicWriter = (file: TopicFile, onCommitted: () => void): TopicWriter => {
  let thread: Worker | undefined
  let readyAt = 0
  let end = 0
  let hanging = false
  let answer: (outcome: Outcome) => void = () => {}

  const start = (): Worker => {
    const started = new Worker(COMMIT_THREAD, { workerData: file })
    readyAt = performance.now() + START_MS
    const died = (because: string) => {
      if (thread !== started) return
      thread = undefined
      answer({ reason: `the thread that writes ${file.path} died: ${because}` })
    }
    started.on('message', (message: Answer) => {
      if ('ready' in message) readyAt = performance.now()
      else answer(message)
    })
    started.on('error', (error) => died(error instanceof Error ? error.message : String(error)))
    started.on('exit', (code) => died(`exit code ${code}`))
    return started
  }

  const commit = (records: readonly NewRecord[]): Promise<readonly Position[]> =>
    new Promise((resolve, reject) => {
      answer = (outcome) => {
        hanging = false
        if ('reason' in outcome) return reject(new LogUnavailableError(outcome.reason))
        end = outcome.first + records.length
        resolve(records.map((_, i) => ({ partition: 0, offset: outcome.first + i })))
        onCommitted()
      }
      thread ??= start()
      thread.postMessage(batchOf(records), [])
    })

  const queue = new AppendQueue<NewRecord>({
    commit,
    bytesOf: ({ value }) => value.byteLength,
    batchItemsMax: 1_000,
    batchBytesMax: 4 * 1024 * 1024,
    deadlineMs: DEADLINE_MS,
    name: file.path,
    readyAt: () => readyAt,
    onLate: () => (hanging = true),
  })

  const close = async () => {
    await queue.close()
    const ending = thread
    thread = undefined
    if (!ending) return
    // A thread that hangs in the disk cannot be waited for.
    if (hanging) return void ending.terminate()
    const ended = new Promise((resolve) => ending.once('exit', resolve))
    ending.postMessage(null, [])
    await ended
  }

  return { append: (record) => queue.append(record), check: () => queue.check(), end: () => end, close }
}

/** The thread's own file: beside this one, and in the same language, because no bundler stands in between. */
const COMMIT_THREAD = new URL(
  import.meta.url.endsWith('.ts') ? './commit-thread.ts' : './commit-thread.js',
  import.meta.url,
)
