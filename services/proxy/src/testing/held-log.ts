import { decodeCommit, readAccessEvent, type AccessEvent } from '@countersign/contracts'
import { LogUnavailableError, type EventLog } from '@countersign/eventlog'

/** A log whose appends a spec can hold back, let go and let fail. */
export class HeldLog {
  readonly log: EventLog
  /** Everything that is durable, in order, read back through its contract. */
  readonly events: AccessEvent[] = []
  #failing = false
  #holding = false
  #held: (() => void)[] = []

  constructor(inner: EventLog) {
    const append: EventLog['append'] = async (topic, record) => {
      if (this.#holding) await new Promise<void>((resolve) => this.#held.push(resolve))
      if (this.#failing) throw new LogUnavailableError('a spec has said so')
      const position = await inner.append(topic, record)
      this.events.push(...decodeCommit(record.value).events.map((event) => readAccessEvent(event)))
      return position
    }
    this.log = { ...inner, append }
  }

  /** Appends wait from now on. */
  hold(): void {
    this.#holding = true
  }

  /** Those that wait go on, to success or, when the log is failing, to failure. */
  release(): void {
    this.#holding = false
    for (const go of this.#held.splice(0)) go()
  }

  fail(): void {
    this.#failing = true
    this.release()
  }

  heal(): void {
    this.#failing = false
    this.release()
  }

  /** `statement.settled completed SELECT 1`: what happened, in short. */
  get told(): readonly string[] {
    return this.events.map(shortOf)
  }

  of<Type extends AccessEvent['type']>(type: Type): readonly Extract<AccessEvent, { type: Type }>['data'][] {
    return this.events.flatMap((event) => (event.type === type ? [event.data as never] : []))
  }
}

const shortOf = ({ type, data }: AccessEvent): string => {
  if (type === 'statement.intended') return `intended ${data.text}`
  if (type === 'statement.settled')
    return `settled ${data.sequence} ${data.outcome} ${data.sqlstate ?? data.command ?? ''}`
  return 'because' in data ? `${type} ${data.because}` : type
}
