import { spawn, type ChildProcess } from 'node:child_process'
import { closeSync, openSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { answersAt } from './ready.ts'

/** One JVM that runs a broker and controller. */
export interface BrokerProcess {
  readonly pid: number
  /** Sends the signal; for one that ends the process, resolves when it has ended. */
  signal(name: 'SIGTERM' | 'SIGKILL' | 'SIGSTOP' | 'SIGCONT'): Promise<void>
}

export interface BrokerSettings {
  /** The distribution's folder. The class archive holds only for class paths relative to it. */
  readonly directory: string
  readonly properties: string
  readonly output: string
  readonly port: number
  readonly flags: readonly string[]
}

/** What starts fast and stays small; it need not run fast for long. */
const JVM_FLAGS = ['-Xmx256m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Dlog4j2.configurationFile=log4j2.yaml']
const START_TIMEOUT_MS = 60_000
const STOP_TIMEOUT_MS = 15_000
const LOOK_MS = 50

export const ARCHIVE = 'kafka.jsa'

/** Runs a program of the distribution: the broker, or one of its tools. */
export const javaArguments = (directory: string, flags: readonly string[], main: string): readonly string[] => [
  ...JVM_FLAGS,
  ...flags,
  '-cp',
  readdirSync(join(directory, 'libs'))
    .sort()
    .map((jar) => join('libs', jar))
    .join(':'),
  main,
]

/** Resolves when the broker answers requests. */
export const startBroker = async (settings: BrokerSettings): Promise<BrokerProcess> => {
  const { directory, flags, properties, output, port } = settings
  const sink = openSync(output, 'a')
  const child = spawn('java', [...javaArguments(directory, flags, 'kafka.Kafka'), properties], {
    cwd: directory,
    stdio: ['ignore', sink, sink],
  })
  closeSync(sink)
  const killWithUs = () => void child.kill('SIGKILL')
  process.once('exit', killWithUs)
  child.once('exit', () => process.removeListener('exit', killWithUs))
  await ready(child, port, output)
  return processOf(child)
}

const ready = async (child: ChildProcess, port: number, output: string): Promise<void> => {
  let failure: string | undefined
  child.once('error', (error) => (failure = error.message))
  child.once('exit', (code) => (failure = `it exited with ${code}`))
  const giveUpAt = performance.now() + START_TIMEOUT_MS
  while (!(await answersAt(port))) {
    if (failure === undefined && performance.now() > giveUpAt) failure = `no answer within ${START_TIMEOUT_MS} ms`
    if (failure !== undefined) {
      child.kill('SIGKILL')
      throw new BrokerStartError(failure, readFileSync(output, 'utf8'))
    }
    await sleep(LOOK_MS)
  }
}

const processOf = (child: ChildProcess): BrokerProcess => {
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  const isOver = () => child.exitCode !== null || child.signalCode !== null
  return {
    pid: child.pid ?? 0,
    signal: async (name) => {
      if (isOver()) return
      child.kill(name)
      if (name === 'SIGSTOP' || name === 'SIGCONT') return
      const late = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS)
      await exited
      clearTimeout(late)
    },
  }
}

/** The broker did not come up. The message ends with the last lines that it printed. */
export class BrokerStartError extends Error {
  readonly code = 'TESTING_BROKER_START'
  readonly portTaken: boolean

  constructor(because: string, output: string) {
    super(`kafka did not start: ${because}\n${output.split('\n').slice(-20).join('\n')}`)
    this.name = 'BrokerStartError'
    this.portTaken = output.includes('Address already in use')
  }
}
