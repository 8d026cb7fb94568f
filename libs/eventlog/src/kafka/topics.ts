import { TOPICS, type Topic } from '@countersign/contracts'
import { RECORD_BYTES_MAX } from '../event-log.ts'

/** How a topic is made when it is not there. One that is there is left as it is. */
export interface TopicPlan {
  readonly topic: Topic
  readonly partitions: number
  readonly replicationFactor: number
  readonly settings: Readonly<Record<string, string>>
}

export interface TopicSizes {
  readonly replicationFactor: number
  readonly accessPartitions: number
}

/** Beyond the record itself: its key, its headers and the batch that it travels in. */
const ENVELOPE_BYTES = 1024 * 1024

export const topicPlans = ({ replicationFactor, accessPartitions }: TopicSizes): readonly TopicPlan[] =>
  Object.values(TOPICS).map((topic) => ({
    topic,
    partitions: topic === TOPICS.access ? accessPartitions : 1,
    replicationFactor,
    settings: {
      ...(topic === TOPICS.decisions ? COMPACTED : KEPT),
      ...durability(replicationFactor),
      'max.message.bytes': String(RECORD_BYTES_MAX + ENVELOPE_BYTES),
    },
  }))

/** Evidence is never dropped by age or size; what is erased is erased by key. */
const KEPT = { 'cleanup.policy': 'delete', 'retention.ms': '-1', 'retention.bytes': '-1' }
const COMPACTED = { 'cleanup.policy': 'compact' }

/**
 * Acknowledged is durable: in a majority of the replicas, or, where there is only one, on its disk. Kafka otherwise
 * acknowledges what a single broker holds in memory.
 */
const durability = (replicationFactor: number) => ({
  'min.insync.replicas': String(Math.floor(replicationFactor / 2) + 1),
  'unclean.leader.election.enable': 'false',
  ...(replicationFactor === 1 && { 'flush.messages': '1' }),
})
