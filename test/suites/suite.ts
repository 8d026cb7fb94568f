/** One test, by the name that its suite gives it, and how it ended. */
export type Results = ReadonlyMap<string, Result>

export interface Result {
  readonly outcome: 'passed' | 'failed' | 'skipped'
  /** What it said, for people. */
  readonly said: string
}

/** Where a suite's tests connect to. The same for both sides, but for the port. */
export interface Side {
  readonly name: 'direct' | 'node'
  readonly port: number
  readonly password: string
}

/** A driver's own test suite, as its authors publish it. */
export interface Suite {
  readonly name: string
  /** Made in a new cluster for each side. The first is the one that `setup` runs in. */
  readonly databases: readonly string[]
  /** Those that its tests make themselves: a node serves the databases that its configuration names. */
  readonly makes?: readonly string[]
  /** The user of the tests, a superuser of the server; and those that some tests log in as, with their passwords. */
  readonly user: string
  readonly others?: Readonly<Record<string, string>>
  /** SQL that the suite's own instructions ask for. */
  readonly setup?: string
  /** Puts the suite where `run` finds it. */
  readonly install: () => Promise<string>
  readonly run: (folder: string, side: Side, selection: Selection) => Promise<Results>
}

/** `few`: those that are quick and say most; for `npm test`. */
export type Selection = 'all' | 'few'
