import { resolve } from 'node:path'
import { ALL_TOPICS, type Topic } from '@countersign/contracts'
import type { Cursor, EventLog } from '../event-log.ts'
import { openTopic, type OpenTopic } from './open-topic.ts'
import { makeDirectory, openTopicFile } from './topic-file.ts'

export interface EmbeddedOptions {
  readonly kind: 'embedded'
  /** Every process of this machine that names the same directory shares one log. */
  readonly directory: string
}

/** The log for one machine: a SQLite file a topic, each of them with one partition. */
export const openEmbeddedLog = async (options: EmbeddedOptions): Promise<EventLog> => {
  const directory = resolve(options.directory)
  makeDirectory(directory)
  const topics = new Map<Topic, OpenTopic>()
  for (const topic of ALL_TOPICS) topics.set(topic, openTopic(await openTopicFile(directory, topic)))

  const on = (topic: Topic): OpenTopic => {
    const open = topics.get(topic)
    if (!open) throw new TypeError(`there is no topic ${topic}; see TOPICS in libs/contracts`)
    return open
  }

  return {
    append: (topic, record) => on(topic).append(record),
    read: async (topic, from, limit) => on(topic).read(offsetIn(from), limit),
    end: async (topic) => ({ [PARTITION]: on(topic).end() }),
    subscribe: (topic, from, handler, failed) => on(topic).subscribe(offsetIn(from), handler, failed),
    check: async () => topics.forEach((topic) => topic.check()),
    close: async () => {
      await Promise.all(Array.from(topics.values(), (topic) => topic.close()))
    },
  }
}

const PARTITION = 0

const offsetIn = (cursor: Cursor): number => cursor[PARTITION] ?? 0
