/**
 * Diagnostic reports of Node.js hold the environment, and that may hold passwords of the configuration. Call it first.
 */
export const keepEnvironmentOutOfReports = (): void => {
  const { report } = process
  if ('excludeEnv' in report) report.excludeEnv = true
}
