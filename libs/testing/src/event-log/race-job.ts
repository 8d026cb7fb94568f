import { randomUUID } from 'node:crypto'
import { decodeCommit, encodeCommit } from '@countersign/contracts'
import { accepts, type EventLog, type Heads } from '@countersign/eventlog'
import type { RaceJob } from './jobs.ts'

/** Never looks before it writes: all processes of a race claim each revision, and the log decides. */
export const race = (log: EventLog, { topic, stream, name, until }: RaceJob): Promise<void> =>
  new Promise((resolve, reject) => {
    const heads: Heads = new Map()
    const claimed = new Set<number>()

    const claim = (revision: number) => {
      if (claimed.has(revision)) return
      claimed.add(revision)
      const events = [{ type: 'test.claimed', version: 1, data: { name } }]
      const value = encodeCommit({ stream, revision, commitId: randomUUID(), events })
      log.append(topic, { key: stream, headers: {}, value }).catch(reject)
    }

    const subscription = log.subscribe(
      topic,
      {},
      (records) => {
        for (const { key, value } of records) if (key === stream) accepts(heads, decodeCommit(value))
        const head = heads.get(stream) ?? 0
        if (head < until) claim(head + 1)
        else void subscription.close()
        if (head >= until) resolve()
      },
      reject,
    )
    claim(1)
  })
