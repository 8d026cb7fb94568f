import type { z } from 'zod'
import type { DatabaseConfig, ServerAddress, UpstreamConfig } from './config-schema.ts'

/** The servers of a database, in the order in which they are tried. */
export const serversOf = ({ host, port, hosts }: UpstreamConfig): readonly ServerAddress[] =>
  hosts ?? (host !== undefined && port !== undefined ? [{ host, port }] : [])

/** What one database's entry alone cannot tell: that each is reached in exactly one way, and each way leads to one. */
export const checkDatabases = (databases: readonly DatabaseConfig[], context: z.RefinementCtx): void => {
  const ways = new Map<string, DatabaseConfig>()
  const targets = new Set<string>()
  for (const [index, database] of databases.entries()) {
    const fault = (path: readonly (string | number)[], message: string) =>
      context.addIssue({ code: 'custom', path: [index, ...path], message })
    checkServers(database.upstream, (key, message) => fault(['upstream', key], message))
    const target = `${database.environment}/${database.name}`
    if (targets.has(target)) fault(['name'], `there is another \`${target}\``)
    targets.add(target)
    for (const way of waysTo(database)) {
      if (ways.has(way)) fault(['serverNames'], 'another database of this name is reached in the same way')
      ways.set(way, database)
    }
  }
}

const waysTo = ({ name, serverNames = [''] }: DatabaseConfig): readonly string[] =>
  [...new Set(serverNames.map((each) => each.toLowerCase()))].map((serverName) => `${serverName} ${name}`)

const checkServers = (
  { host, port, hosts, roles, standbyRoles = [] }: UpstreamConfig,
  fault: (key: string, message: string) => void,
): void => {
  if (hosts && (host ?? port) !== undefined) fault('hosts', 'give `host` and `port`, or `hosts`, not both')
  if (!hosts && host === undefined) fault('host', 'is missing: give `host` and `port`, or `hosts`')
  if (!hosts && host !== undefined && port === undefined) fault('port', 'is missing')
  const stranger = standbyRoles.find((role) => roles[role] === undefined)
  if (stranger !== undefined) fault('standbyRoles', 'names a role that is not in `roles`')
}
