import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Topic } from '@countersign/contracts'
import kafkajs, { type Admin, type ICustomPartitioner, type ISocketFactory, type LogEntry, type Message } from 'kafkajs'
import Cluster, { type ResponseReader } from 'kafkajs/src/cluster/index.js'
import loggers from 'kafkajs/src/loggers/index.js'
import RequestQueue from 'kafkajs/src/network/requestQueue/index.js'
import Decoder from 'kafkajs/src/protocol/decoder.js'
import errors from 'kafkajs/src/protocol/error.js'
import decodeRecordBatch, { type DecodedRecord } from 'kafkajs/src/protocol/recordBatch/v0/decoder.js'
import fetchRequest from 'kafkajs/src/protocol/requests/fetch/v11/request.js'
import type { Cursor, LogRecord, Position } from '../event-log.ts'
import type { Addressed, ClientSettings, Fetched, KafkaClient, Sink, Source } from './client.ts'
import type { TopicPlan } from './topics.ts'

/*
 * The one file that knows kafkajs. Writing goes through its producer. Reading goes around its consumer: that one
 * needs a consumer group, seconds to join it, and offsets kept by the broker, while ours are kept with the effect.
 * So partitions are fetched with the requests that the consumer itself is made of.
 */

const { Kafka, Partitioners, logLevel } = kafkajs

export const kafkajsClient = (settings: ClientSettings): KafkaClient => {
  let turn = 0
  // kafkajs asks the first broker of its list, and only that one when it may not retry: so each attempt has another.
  const next = (): ClientSettings => {
    const { brokers } = settings
    const first = turn++ % brokers.length
    return { ...settings, brokers: [...brokers.slice(first), ...brokers.slice(0, first)] }
  }
  return {
    ensureTopics: (plans) => ensureTopics(next(), plans),
    openSink: () => openSink(next()),
    openSource: () => openSource(next()),
  }
}

// ---- Topics

const TOPIC_TIMEOUT_MS = 10_000
const LEADER_LOOK_MS = 100

const ensureTopics = async (settings: ClientSettings, plans: readonly TopicPlan[]): Promise<void> => {
  const sockets = trackedSockets()
  const admin = new Kafka(optionsOf(settings, sockets, TOPIC_TIMEOUT_MS)).admin()
  try {
    await admin.connect()
    const present = await admin.listTopics()
    const absent = plans.filter(({ topic }) => !present.includes(topic))
    if (absent.length > 0) {
      await admin.createTopics({ topics: absent.map(planned), waitForLeaders: false, timeout: TOPIC_TIMEOUT_MS })
    }
    await untilLed(admin, plans)
  } finally {
    sockets.destroy()
  }
}

const untilLed = async (admin: Admin, plans: readonly TopicPlan[]): Promise<void> => {
  const names = plans.map(({ topic }) => topic)
  const giveUpAt = performance.now() + TOPIC_TIMEOUT_MS
  for (;;) {
    const { topics } = await admin.fetchTopicMetadata({ topics: names })
    const waiting = topics.find(({ partitions }) => partitions.some(({ leader }) => leader < 0))
    if (!waiting) return
    if (performance.now() > giveUpAt) throw new Error(`${waiting.name} has a partition without a leader`)
    await sleep(LEADER_LOOK_MS)
  }
}

const planned = ({ topic, partitions, replicationFactor, settings }: TopicPlan) => ({
  topic,
  numPartitions: partitions,
  replicationFactor,
  configEntries: Object.entries(settings).map(([name, value]) => ({ name, value })),
})

// ---- Writing

/** Below the deadline of an append, so that the reason is the broker's and not only that time is up. */
const SEND_TIMEOUT_MS = 500

const openSink = async (settings: ClientSettings): Promise<Sink> => {
  const sockets = trackedSockets()
  const partitions = new WeakMap<Message, number>()
  const producer = new Kafka(optionsOf(settings, sockets, SEND_TIMEOUT_MS)).producer({
    idempotent: true,
    maxInFlightRequests: 1,
    allowAutoTopicCreation: false,
    createPartitioner: remembering(partitions),
    // One for a leader that has moved. Beyond that the caller is told, and a new connection is made.
    retry: { retries: 2, initialRetryTime: 50, maxRetryTime: 100 },
  })
  const close = () => {
    producer.disconnect().catch(ignored)
    sockets.destroy()
  }
  try {
    await producer.connect()
  } catch (error) {
    close()
    throw error
  }

  const send = async (records: readonly Addressed[]): Promise<readonly Position[]> => {
    const messages = records.map(messageOf)
    const sent = await producer.sendBatch({
      acks: -1,
      timeout: SEND_TIMEOUT_MS,
      topicMessages: byTopic(records, messages),
    })
    const next = new Map(sent.map(({ topicName, partition, baseOffset }) => [`${topicName}/${partition}`, baseOffset]))
    return records.map(({ topic }, i) => {
      const message = messages[i]
      const partition = (message && partitions.get(message)) ?? 0
      const offset = Number(next.get(`${topic}/${partition}`))
      next.set(`${topic}/${partition}`, String(offset + 1))
      return { partition, offset }
    })
  }

  return { send, close }
}

const messageOf = ({ key, headers, value }: Addressed): Message => ({
  key,
  headers: { ...headers },
  value: Buffer.from(value.buffer, value.byteOffset, value.byteLength),
})

const byTopic = (records: readonly Addressed[], messages: readonly Message[]) => {
  const topics = Map.groupBy(messages, (_, i) => records[i]?.topic ?? '')
  return Array.from(topics, ([topic, messages]) => ({ topic, messages }))
}

/** The usual partitioner, which also notes where each message went: the answer tells only of partitions. */
const remembering =
  (partitions: WeakMap<Message, number>): ICustomPartitioner =>
  () => {
    const choose = Partitioners.DefaultPartitioner()
    return (choice) => {
      const partition = choose(choice)
      partitions.set(choice.message, partition)
      return partition
    }
  }

// ---- Reading

const READ_TIMEOUT_MS = 1_500
/** How long the broker holds a fetch back while there is nothing: it answers at once when something comes. */
const FETCH_WAIT_MS = 500
const FETCH_BYTES_MAX = 4 * 1024 * 1024
const PARTITION_BYTES_MAX = 1024 * 1024
const CONSUMER = -1
const READ_UNCOMMITTED = 0

const openSource = async (settings: ClientSettings): Promise<Source> => {
  const sockets = trackedSockets()
  const cluster = clusterOf(settings, sockets)
  try {
    await cluster.connect()
  } catch (error) {
    sockets.destroy()
    throw error
  }

  const leaders = async (topic: Topic) => {
    await cluster.addTargetTopic(topic)
    await cluster.refreshMetadata()
    const partitions = cluster.findTopicPartitionMetadata(topic)
    const leaderless = partitions.find(({ leader }) => leader < 0)
    if (leaderless) throw new Error(`${topic}/${leaderless.partitionId} has no leader`)
    if (partitions.length === 0) throw new Error(`${topic} is not there`)
    const groups = Map.groupBy(partitions, ({ leader }) => String(leader))
    return new Map(Array.from(groups, ([leader, led]) => [leader, led.map(({ partitionId }) => partitionId)]))
  }

  const offsets = async (topic: Topic, at: 'start' | 'end'): Promise<Cursor> => {
    const partitions = Array.from((await leaders(topic)).values(), (led) =>
      led.map((partition) => ({ partition })),
    ).flat()
    const [answer] = await cluster.fetchTopicsOffset([{ topic, partitions, fromBeginning: at === 'start' }])
    return Object.fromEntries((answer?.partitions ?? []).map(({ partition, offset }) => [partition, Number(offset)]))
  }

  const fetch = async (leader: string, topic: Topic, from: Cursor): Promise<readonly Fetched[]> => {
    const { connectionPool } = await cluster.findBroker({ nodeId: leader })
    const partitions = Object.entries(from).map(([partition, fetchOffset]) => ({
      partition: Number(partition),
      fetchOffset,
      maxBytes: PARTITION_BYTES_MAX,
    }))
    const request = fetchRequest({
      replicaId: CONSUMER,
      maxWaitTime: FETCH_WAIT_MS,
      minBytes: 1,
      maxBytes: FETCH_BYTES_MAX,
      isolationLevel: READ_UNCOMMITTED,
      topics: [{ topic, partitions }],
    })
    const requestTimeout = FETCH_WAIT_MS + READ_TIMEOUT_MS
    const { answers } = await connectionPool.send({ request, response: FETCH_RESPONSE, requestTimeout })
    return Promise.all(answers.map((answer) => fetchedIn(topic, from, answer)))
  }

  return { leaders, offsets, fetch, close: sockets.destroy }
}

interface PartitionAnswer {
  readonly partition: number
  readonly errorCode: number
  readonly batches: Buffer | null
}

/*
 * Fetch Response (Version: 11) => throttleTimeMs errorCode sessionId [responses]
 *   responses => topic [partitions]
 *     partitions => partition errorCode highWatermark lastStableOffset logStartOffset [abortedTransactions]
 *                   preferredReadReplica records
 *       abortedTransactions => producerId firstOffset
 */
const FETCH_RESPONSE: ResponseReader<{ readonly answers: readonly PartitionAnswer[] }> = {
  decode: async (payload) => {
    const decoder = new Decoder(payload)
    decoder.readInt32()
    const errorCode = decoder.readInt16()
    if (errorCode !== 0) throw errors.createErrorFromCode(errorCode)
    decoder.readInt32()
    return { answers: decoder.readArray(readTopicAnswer).flat() }
  },
  parse: async (decoded) => decoded,
}

const readTopicAnswer = (decoder: Decoder): PartitionAnswer[] => {
  decoder.readString()
  return decoder.readArray(readPartitionAnswer)
}

const readPartitionAnswer = (decoder: Decoder): PartitionAnswer => {
  const partition = decoder.readInt32()
  const errorCode = decoder.readInt16()
  for (let i = 0; i < 3; i++) decoder.readInt64()
  decoder.readArray(() => [decoder.readInt64(), decoder.readInt64()])
  decoder.readInt32()
  return { partition, errorCode, batches: decoder.readBytes() }
}

const OFFSET_OUT_OF_RANGE = 1

const fetchedIn = async (topic: Topic, from: Cursor, answer: PartitionAnswer): Promise<Fetched> => {
  const { partition, errorCode, batches } = answer
  const start = from[partition] ?? 0
  if (errorCode === OFFSET_OUT_OF_RANGE) return { partition, outOfRange: true, records: [], next: start }
  if (errorCode !== 0) throw errors.createErrorFromCode(errorCode)
  const { records, next } = await decodeBatches(batches ?? Buffer.alloc(0), start)
  return { partition, outOfRange: false, records: records.map((record) => recordOf(topic, partition, record)), next }
}

/** The head of a batch up to where its length has been read. */
const BATCH_HEAD_BYTES = 12

/** A batch may begin before what was asked for, may be empty since the topic was compacted, or be cut off at the end. */
const decodeBatches = async (bytes: Buffer, start: number) => {
  const decoder = new Decoder(bytes)
  const records: DecodedRecord[] = []
  let next = start
  while (decoder.canReadBytes(BATCH_HEAD_BYTES)) {
    const batch = await decodeRecordBatch(decoder).catch(unlessCutOff)
    if (!batch) break
    next = Math.max(next, Number(batch.firstOffset) + batch.lastOffsetDelta + 1)
    for (const record of batch.records) {
      if (!record.isControlRecord && Number(record.offset) >= start) records.push(record)
    }
  }
  return { records, next }
}

const unlessCutOff = (error: unknown): undefined => {
  if (!(error instanceof Error) || error.name !== 'KafkaJSPartialMessageError') throw error
}

const recordOf = (topic: Topic, partition: number, { offset, key, value, headers }: DecodedRecord): LogRecord => ({
  topic,
  partition,
  offset: Number(offset),
  key: key?.toString('utf8') ?? '',
  headers: Object.fromEntries(Object.entries(headers).map(([name, header]) => [name, textOf(header)])),
  value: value ?? new Uint8Array(0),
})

/** Kafka allows a header several times. Ours come once; of others the last counts. */
const textOf = (header: Buffer | Buffer[]): string =>
  (Array.isArray(header) ? header.at(-1) : header)?.toString('utf8') ?? ''

// ---- The client itself

const CONNECT_TIMEOUT_MS = 500

const optionsOf = ({ brokers, clientId, onLog }: ClientSettings, sockets: Sockets, requestTimeout: number) => ({
  brokers: [...brokers],
  clientId,
  connectionTimeout: CONNECT_TIMEOUT_MS,
  requestTimeout,
  retry: { retries: 0 },
  socketFactory: sockets.open,
  logLevel: logLevel.WARN,
  logCreator: listening(onLog),
})

const clusterOf = (settings: ClientSettings, sockets: Sockets): Cluster => {
  const options = optionsOf(settings, sockets, READ_TIMEOUT_MS)
  return new Cluster({
    ...options,
    logger: loggers.createLogger({ level: options.logLevel, logCreator: options.logCreator }),
    enforceRequestTimeout: true,
    metadataMaxAge: 0,
    allowAutoTopicCreation: false,
    isolationLevel: READ_UNCOMMITTED,
  })
}

const listening =
  (onLog: ClientSettings['onLog']) =>
  () =>
  ({ level, log }: LogEntry) =>
    onLog?.(level === logLevel.ERROR ? 'error' : 'warn', log.message)

/** The sockets of one client, so that it can be ended at once, whatever it is waiting for. */
interface Sockets {
  readonly open: ISocketFactory
  /** Fails everything that is under way, and whatever is tried from then on. */
  destroy(): void
}

const KEEP_ALIVE_MS = 60_000

const trackedSockets = (): Sockets => {
  const sockets = new Set<Socket>()
  let destroyed = false
  return {
    open: ({ host, port, onConnect }) => {
      if (destroyed) throw new Error('the client has been closed')
      const socket = connect(port, host, onConnect)
      socket.setKeepAlive(true, KEEP_ALIVE_MS)
      socket.setNoDelay(true)
      sockets.add(socket)
      socket.once('close', () => sockets.delete(socket))
      return socket
    },
    destroy: () => {
      destroyed = true
      for (const socket of sockets) socket.destroy(new Error('the client has been closed'))
    },
  }
}

const QUEUE_LOOK_MS = 10

/**
 * kafkajs looks after its queue by a timer, after every request and mostly with a negative delay, of which Node.js
 * warns. Here it looks only while something is queued.
 */
RequestQueue.prototype.scheduleCheckPendingRequests = function (this: RequestQueue) {
  if (this.throttleCheckTimeoutId || this.pending.length === 0) return
  const delayMs = Math.max(this.throttledUntil - Date.now(), QUEUE_LOOK_MS)
  this.throttleCheckTimeoutId = setTimeout(() => {
    this.throttleCheckTimeoutId = null
    this.checkPendingRequests()
  }, delayMs)
}

const ignored = () => {}
