import { setTimeout as sleep } from 'node:timers/promises'
import { LogUnavailableError, type EventLog, type Subscription } from '../event-log.ts'
import { subscriptionOver } from '../subscription.ts'
import { within } from '../within.ts'
import type { KafkaClient, LogListener, Sink } from './client.ts'
import { followPartitions } from './follow-partitions.ts'
import { kafkajsClient } from './kafkajs.ts'
import { openLookups } from './lookups.ts'
import { reconnecting, type Reconnecting } from './reconnecting.ts'
import { topicPlans, type TopicPlan, type TopicSizes } from './topics.ts'
import { openWriter } from './writer.ts'

export interface KafkaOptions extends TopicSizes {
  readonly kind: 'kafka'
  /** `host:port` of some brokers of the cluster. */
  readonly brokers: readonly string[]
  readonly clientId: string
}

/** How long a cluster that does not answer is waited for at the start. */
const OPEN_TIMEOUT_MS = 15_000
const OPEN_RETRY_MS = 250
const CHECK_TIMEOUT_MS = 700

/** The log for everything beyond one machine. Makes the topics that are not there. */
export const openKafkaLog = async (options: KafkaOptions, onLog?: LogListener): Promise<EventLog> => {
  const client = kafkajsClient({ ...options, ...(onLog && { onLog }) })
  const name = `kafka at ${options.brokers.join(', ')}`
  const sink = await opened(client, topicPlans(options), name)
  const writer = openWriter(sink, name)
  const lookups = openLookups(client, name, options.brokers.length)
  const subscriptions = new Set<Subscription>()

  return {
    append: (topic, record) => writer.append({ ...record, topic }),
    read: lookups.read,
    end: lookups.end,
    subscribe: (topic, from, handler, failed) => {
      const subscription = subscriptionOver(followPartitions(client, topic, from), handler, failed)
      subscriptions.add(subscription)
      return subscription
    },
    check: async () => {
      writer.check()
      const late = () => new LogUnavailableError(`${name} does not answer within ${CHECK_TIMEOUT_MS} ms`)
      await within(CHECK_TIMEOUT_MS, lookups.probe(), late)
    },
    close: async () => {
      await Promise.all([writer.close(), ...Array.from(subscriptions, (subscription) => subscription.close())])
      sink.close()
      lookups.close()
    },
  }
}

/** The first connection. From then on it looks after itself. */
const opened = async (client: KafkaClient, plans: readonly TopicPlan[], name: string): Promise<Reconnecting<Sink>> => {
  await prepared(client, plans, name)
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => {
      sink.close()
      reject(new LogUnavailableError(`${name} does not answer: ${sink.reason()}`))
    }, OPEN_TIMEOUT_MS)
    const sink = reconnecting(client.openSink, () => {
      clearTimeout(late)
      resolve(sink)
    })
  })
}

const prepared = async (client: KafkaClient, plans: readonly TopicPlan[], name: string): Promise<void> => {
  const giveUpAt = performance.now() + OPEN_TIMEOUT_MS
  for (;;) {
    try {
      await client.ensureTopics(plans)
      return
    } catch (cause) {
      if (performance.now() > giveUpAt)
        throw new LogUnavailableError(`${name} does not answer: ${String(cause)}`, { cause })
    }
    await sleep(OPEN_RETRY_MS)
  }
}
