import {
  FRONTEND,
  readBind,
  readCopyFail,
  readExecute,
  readFunctionCall,
  readNamed,
  readParse,
  readQuery,
} from '@countersign/pgwire'

/** A node's own: questions, and what the server cannot but refuse. Nobody has to judge them. */
const isOwn = (sql: string): boolean => sql.startsWith('SELECT NULL') || sql === '*'

/** The kind of message that a text came in; of a call, the text is the function's number. */
export type By = 'Query' | 'Parse' | 'FunctionCall'

const KNOWN: ReadonlyMap<number, (bytes: Buffer) => unknown> = new Map<number, (bytes: Buffer) => unknown>([
  [FRONTEND.query, (bytes) => readQuery(bytes, 0, bytes.length)],
  [FRONTEND.parse, (bytes) => readParse(bytes, 0, bytes.length)],
  [FRONTEND.bind, (bytes) => readBind(bytes, 0, bytes.length)],
  [FRONTEND.execute, (bytes) => readExecute(bytes, 0, bytes.length)],
  [FRONTEND.describe, (bytes) => readNamed(bytes, 0, bytes.length)],
  [FRONTEND.close, (bytes) => readNamed(bytes, 0, bytes.length)],
  [FRONTEND.functionCall, (bytes) => readFunctionCall(bytes, 0, bytes.length)],
  [FRONTEND.sync, bare],
  [FRONTEND.flush, bare],
  [FRONTEND.terminate, bare],
  [FRONTEND.copyDone, bare],
  [FRONTEND.copyFail, (bytes) => readCopyFail(bytes, 0, bytes.length)],
  [FRONTEND.copyData, () => undefined],
])

function bare(bytes: Buffer): void {
  if (bytes.length !== 5) throw new Error('a message with a body that it must not have')
}

/**
 * Looks at what a node forwards: complete messages, each understood, no text among them that was not judged. Only
 * COPY data may come in pieces, because it may be of any size.
 */
export class Forwarded {
  readonly wrong: string[]
  readonly #eachWhole: boolean
  readonly #wasJudged: (sql: string, by: By) => boolean
  #rest: Buffer = Buffer.alloc(0)
  /** Bytes of COPY data that are still to come. */
  #missing = 0

  /** `eachWhole`: each write is whole messages; a real connection may cut them anywhere. */
  constructor(wasJudged: (sql: string, by: By) => boolean, { wrong = [] as string[], eachWhole = true } = {}) {
    this.wrong = wrong
    this.#eachWhole = eachWhole
    this.#wasJudged = wasJudged
  }

  hear(bytes: Buffer): void {
    const passed = Math.min(this.#missing, bytes.length)
    this.#missing -= passed
    let left = Buffer.concat([this.#rest, bytes.subarray(passed)])
    while (left.length >= 5) {
      const end = 1 + left.readInt32BE(1)
      if (end < 5) this.wrong.push(`a message of length ${end - 1}`)
      if (left[0] === FRONTEND.copyData) this.#missing = Math.max(0, end - left.length)
      if (this.#missing > 0) left = left.subarray(left.length)
      if (end < 5 || left.length < end) break
      this.#look(left.subarray(0, end))
      left = left.subarray(end)
    }
    this.#rest = left
    if (this.#eachWhole && left.length > 0 && left[0] !== FRONTEND.copyData) {
      this.wrong.push(`half a message: ${JSON.stringify(left.toString('latin1', 0, 40))}`)
    }
  }

  #look(bytes: Buffer): void {
    const shown = JSON.stringify(bytes.toString('latin1', 0, 60))
    try {
      const read = KNOWN.get(bytes[0] ?? 0)
      if (!read) this.wrong.push(`a message that nobody knows: ${shown}`)
      read?.(bytes)
    } catch (error) {
      this.wrong.push(`a message that cannot be read: ${shown}: ${String(error)}`)
      return
    }
    const said = saidIn(bytes)
    if (said && !isOwn(said[0]) && !this.#wasJudged(...said)) this.wrong.push(`not judged: ${shown}`)
  }
}

const saidIn = (bytes: Buffer): [text: string, by: By] | undefined => {
  switch (bytes[0]) {
    case FRONTEND.query:
      return [readQuery(bytes, 0, bytes.length).toString('utf8'), 'Query']
    case FRONTEND.parse:
      return [readParse(bytes, 0, bytes.length).sql.toString('utf8'), 'Parse']
    case FRONTEND.functionCall:
      return [String(readFunctionCall(bytes, 0, bytes.length).function), 'FunctionCall']
    default:
      return undefined
  }
}
