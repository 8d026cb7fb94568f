/** A line for operators. Never for secrets, tokens or values from a database: pass names, counts and codes. */
export type Fields = Readonly<Record<string, string | number | boolean | null | undefined>>

export interface Logger {
  info(message: string, fields?: Fields): void
  warn(message: string, fields?: Fields): void
  error(message: string, fields?: Fields): void
}

/** One JSON object a line, on standard error, so that standard output stays for what a command prints. */
export const loggerOf = (service: string, write: (line: string) => void = toStandardError): Logger => {
  const at = (level: string) => (message: string, fields?: Fields) =>
    write(JSON.stringify({ time: new Date().toISOString(), level, service, message, ...fields }))
  return { info: at('info'), warn: at('warn'), error: at('error') }
}

/** The same logger, whose every line says this as well. */
export const withFields = (logger: Logger, always: Fields): Logger => ({
  info: (message, fields) => logger.info(message, { ...always, ...fields }),
  warn: (message, fields) => logger.warn(message, { ...always, ...fields }),
  error: (message, fields) => logger.error(message, { ...always, ...fields }),
})

const toStandardError = (line: string): void => {
  process.stderr.write(line + '\n')
}

/** What may be said of an error in a log line: its code where it has one, and its message's first line. */
export const faultOf = (error: unknown): Fields => {
  if (!(error instanceof Error)) return { error: String(error) }
  const { code } = error as { code?: unknown }
  return { error: error.message.split('\n')[0], ...(typeof code === 'string' && { code }) }
}
