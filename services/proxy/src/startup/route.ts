import type { DatabaseConfig } from '@countersign/platform'

/**
 * The database that a client means: by the name that it gives, and by the server name (SNI) under which it came.
 *
 * A server name that any database has leads to those that have it, and to no other: the exact name before `*.`. Under
 * every other name, and under none, a client finds the databases that have no server names. So a name that nobody has
 * falls back where there is something to fall back to, and is refused where each database has names of its own.
 */
export const routeTo = (
  databases: readonly DatabaseConfig[],
  name: string,
  serverName: string | undefined,
): DatabaseConfig | undefined => reachableUnder(databases, serverName).find((database) => database.name === name)

const reachableUnder = (
  databases: readonly DatabaseConfig[],
  serverName: string | undefined,
): readonly DatabaseConfig[] => {
  for (const pattern of patternsFor(serverName)) {
    const claimed = databases.filter(({ serverNames }) => serverNames?.some((each) => each.toLowerCase() === pattern))
    if (claimed.length > 0) return claimed
  }
  return databases.filter(({ serverNames }) => serverNames === undefined)
}

/** The name itself, then with its first label open. A closing dot says no more (RFC 1034, section 3.1). */
const patternsFor = (serverName: string | undefined): readonly string[] => {
  if (serverName === undefined) return []
  const name = serverName.toLowerCase().replace(/\.$/, '')
  const dot = name.indexOf('.')
  return dot < 0 ? [name] : [name, `*${name.slice(dot)}`]
}
