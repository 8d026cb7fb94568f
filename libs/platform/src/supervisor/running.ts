/** A process that is ready to be used. */
export interface Running {
  readonly pid: number
  /** Resolves when the process has ended, however it did, and says how: `exit code 1`, `SIGKILL`. */
  readonly ended: Promise<string>
  /** Asks it to stop, and makes it stop when it has not done so within the time. Resolves when it is gone. */
  stop(graceMs: number): Promise<void>
}

/** A process did not become ready. `message` names it, says what it said last, and where all of it is written. */
export class StartError extends Error {
  readonly code = 'SUPERVISOR_START'

  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'StartError'
  }
}
