import type { Io } from '../command.ts'

/** What `up` says while it works. */
export interface Report {
  /** Something is done or has changed: `postgres`, `ready`. */
  readonly step: (name: string, what: string) => void
  readonly note: (text: string) => void
}

const NAME_WIDTH = 12

/** A line for people, with the seconds since the start. */
export const humanReport = (io: Io): Report => {
  const start = io.now().getTime()
  const elapsed = () => `${((io.now().getTime() - start) / 1000).toFixed(1)} s`.padStart(8)
  return {
    step: (name, what) => io.out(`${elapsed()}  ${name.padEnd(NAME_WIDTH)} ${what}`),
    note: (text) => io.out(text),
  }
}

/** An object a line, for programs. */
export const jsonReport = (io: Io): Report => {
  const write = (fields: object) => io.out(JSON.stringify({ time: io.now().toISOString(), ...fields }))
  return { step: (name, what) => write({ name, what }), note: (text) => write({ note: text }) }
}
