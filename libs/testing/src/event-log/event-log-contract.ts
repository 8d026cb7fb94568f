import type { EventLog, LogOptions } from '@countersign/eventlog'
import { afterAll, beforeAll, describe } from 'vitest'
import { outagesPart } from './contract/outages.ts'
import { processesPart } from './contract/processes.ts'
import { recordsPart } from './contract/records.ts'
import { subscriptionsPart } from './contract/subscriptions.ts'

/** A log of its own for one run of the contract. */
export interface LogUnderTest {
  readonly options: LogOptions
  /** Opens the log as a process of its own would. */
  open(): Promise<EventLog>
  /** Removes the log, and ends what runs for it. */
  remove(): Promise<void>
}

/** A way in which a log can be gone for a while. */
export interface Outage<Log extends LogUnderTest = LogUnderTest> {
  /** Reads on from `while `. */
  readonly name: string
  readonly begin: (log: Log) => Promise<void>
  readonly end: (log: Log) => Promise<void>
}

export interface Contract<Log extends LogUnderTest = LogUnderTest> {
  readonly make: () => Promise<Log>
  readonly outages: readonly Outage<Log>[]
  /** How often a process that writes is killed. */
  readonly kills: number
}

/** The log that the tests of a part work on: shared by all, because some take long to start. Each has its own keys. */
export interface Bench<Log extends LogUnderTest = LogUnderTest> {
  readonly log: () => EventLog
  readonly made: () => Log
}

/** What every adapter of the event log promises, as tests. */
export const eventLogContract = <Log extends LogUnderTest>(name: string, contract: Contract<Log>): void => {
  describe(`the ${name} log`, () => {
    let made: Log | undefined
    let log: EventLog | undefined

    beforeAll(async () => {
      made = await contract.make()
      log = await made.open()
    })

    afterAll(async () => {
      await log?.close()
      await made?.remove()
    })

    const bench: Bench<Log> = { log: () => present(log), made: () => present(made) }
    recordsPart(bench)
    subscriptionsPart(bench)
    processesPart(bench, contract.kills)
    outagesPart(bench, contract.outages)
  })
}

const present = <T>(value: T | undefined): T => {
  if (value === undefined) throw new Error('the log under test was not made')
  return value
}
