import { openEmbeddedLog, type EmbeddedOptions } from './embedded/embedded-log.ts'
import type { EventLog } from './event-log.ts'
import type { LogListener } from './kafka/client.ts'
import { openKafkaLog, type KafkaOptions } from './kafka/kafka-log.ts'

export type LogOptions = EmbeddedOptions | KafkaOptions

/**
 * Opens the log that the configuration names, and makes it when it is not there yet. Rejects with
 * `LogUnavailableError` when it cannot be used at all. `onLog` hears what a client has to say about its connections.
 */
export const openEventLog = (options: LogOptions, onLog?: LogListener): Promise<EventLog> =>
  options.kind === 'embedded' ? openEmbeddedLog(options) : openKafkaLog(options, onLog)
