import type { EventLog } from '@countersign/eventlog'
import { ModelServer, type ModelOptions } from './model-server.ts'
import { SessionWorld, type WorldOptions } from './session-world.ts'

/** A session world whose server answers as PostgreSQL would; or keeps silent until it is told to go on. */
export class ServedWorld extends SessionWorld {
  readonly model: ModelServer
  #silent = false
  #unsaid: Buffer[] = []

  constructor(inner: EventLog, options: WorldOptions & Pick<ModelOptions, 'begins'> = {}) {
    super(inner, options)
    const say = (bytes: Buffer) => {
      if (this.#silent) this.#unsaid.push(bytes)
      else this.#answer(bytes)
    }
    this.model = new ModelServer({ say, ...(options.begins && { begins: options.begins }) })
    const { taken } = this.server.stream
    this.server.stream.taken = (bytes) => {
      taken(bytes)
      this.model.hear(bytes)
    }
  }

  /** The server works, but its answers are on their way until `speak`. */
  silence(): void {
    this.#silent = true
  }

  speak(): void {
    this.#silent = false
    for (const bytes of this.#unsaid.splice(0)) this.#answer(bytes)
  }

  /** So many of the messages that it has not said yet, and so many bytes of the one behind them. */
  async speakOnly(messages: number, bytes = 0): Promise<void> {
    const said = this.#unsaid.splice(0, messages)
    const next = this.#unsaid[0]
    if (next && bytes > 0) {
      said.push(next.subarray(0, bytes))
      this.#unsaid[0] = next.subarray(bytes)
    }
    await this.server.says(...said)
  }

  /** Not while somebody is writing to it: an answer takes its way. */
  #answer(bytes: Buffer): void {
    setImmediate(() => this.server.stream.receive(bytes))
  }
}
