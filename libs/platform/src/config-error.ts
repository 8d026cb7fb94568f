/** The configuration cannot be used. `message` names the file, the line and the remedy; the start stops here. */
export class ConfigError extends Error {
  readonly code = 'CONFIG_INVALID'

  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'ConfigError'
  }
}
