/*
 * The parts of kafkajs 2.2.4 that have no types, as far as client.ts uses them. The version is pinned, and the project
 * has ended, so they will not move.
 */

declare module 'kafkajs/src/cluster/index.js' {
  import type { ISocketFactory } from 'kafkajs'

  export interface PartitionMetadata {
    readonly partitionId: number
    /** -1 while there is none. */
    readonly leader: number
  }

  export interface Broker {
    readonly connectionPool: {
      send<T>(exchange: { request: unknown; response: ResponseReader<T>; requestTimeout: number }): Promise<T>
    }
  }

  export interface ResponseReader<T> {
    decode(payload: Buffer): Promise<T>
    parse(decoded: T): Promise<T>
  }

  export default class Cluster {
    constructor(options: {
      readonly logger: unknown
      readonly socketFactory: ISocketFactory
      readonly brokers: readonly string[]
      readonly clientId: string
      readonly connectionTimeout: number
      readonly requestTimeout: number
      readonly enforceRequestTimeout: boolean
      readonly metadataMaxAge: number
      readonly retry: { readonly retries: number }
      readonly allowAutoTopicCreation: boolean
      readonly isolationLevel: number
    })
    connect(): Promise<void>
    disconnect(): Promise<void>
    addTargetTopic(topic: string): Promise<void>
    refreshMetadata(): Promise<void>
    findBroker(node: { readonly nodeId: string }): Promise<Broker>
    findTopicPartitionMetadata(topic: string): readonly PartitionMetadata[]
    fetchTopicsOffset(
      topics: readonly {
        readonly topic: string
        readonly partitions: readonly { readonly partition: number }[]
        readonly fromBeginning: boolean
      }[],
    ): Promise<readonly { readonly partitions: readonly { readonly partition: number; readonly offset: string }[] }[]>
  }
}

declare module 'kafkajs/src/loggers/index.js' {
  import type { logCreator, logLevel } from 'kafkajs'
  const loggers: { createLogger(options: { level: logLevel; logCreator: logCreator }): unknown }
  export default loggers
}

declare module 'kafkajs/src/network/requestQueue/index.js' {
  export default class RequestQueue {
    pending: unknown[]
    throttledUntil: number
    throttleCheckTimeoutId: NodeJS.Timeout | null
    checkPendingRequests(): void
    scheduleCheckPendingRequests(): void
  }
}

declare module 'kafkajs/src/protocol/requests/fetch/v11/request.js' {
  export default function fetchRequest(options: {
    readonly replicaId: number
    readonly maxWaitTime: number
    readonly minBytes: number
    readonly maxBytes: number
    readonly isolationLevel: number
    readonly topics: readonly {
      readonly topic: string
      readonly partitions: readonly {
        readonly partition: number
        readonly fetchOffset: number
        readonly maxBytes: number
      }[]
    }[]
  }): unknown
}

declare module 'kafkajs/src/protocol/decoder.js' {
  export default class Decoder {
    constructor(buffer: Buffer)
    readInt16(): number
    readInt32(): number
    readInt64(): bigint
    readString(): string | null
    readBytes(length?: number): Buffer | null
    readArray<T>(read: (decoder: Decoder) => T): T[]
    canReadBytes(length: number): boolean
  }
}

declare module 'kafkajs/src/protocol/recordBatch/v0/decoder.js' {
  import type Decoder from 'kafkajs/src/protocol/decoder.js'

  export interface DecodedRecord {
    readonly offset: string
    readonly key: Buffer | null
    readonly value: Buffer | null
    readonly headers: Readonly<Record<string, Buffer | Buffer[]>>
    readonly isControlRecord: boolean
  }

  export interface DecodedBatch {
    readonly firstOffset: string
    readonly lastOffsetDelta: number
    readonly records: readonly DecodedRecord[]
  }

  export default function decodeRecordBatch(decoder: Decoder): Promise<DecodedBatch>
}

declare module 'kafkajs/src/protocol/error.js' {
  const errors: { createErrorFromCode(code: number): Error & { readonly type: string } }
  export default errors
}
