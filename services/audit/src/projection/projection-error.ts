export type ProjectionFault =
  /** The log ends before what was projected from it: it is another log, or has lost its end. */
  'PROJECTION_LOG_REPLACED'

export class ProjectionError extends Error {
  readonly code: ProjectionFault

  constructor(code: ProjectionFault, message: string) {
    super(message)
    this.name = 'ProjectionError'
    this.code = code
  }
}
