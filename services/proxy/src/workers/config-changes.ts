import type { Config } from '@countersign/platform'

/**
 * The values that differ, by name: `node.limits.connectionsMax`, `databases.prod/shop.upstream.roles.shop_app`. Never the
 * values themselves. What other services read is left out.
 */
export const configChanges = (before: Config, after: Config): readonly string[] =>
  differences(ofNode(before), ofNode(after))

/** What a running node cannot change, because clients, the record or its own state rest on it. */
const FIXED = ['log', 'node.name', 'node.listen', 'node.admin', 'node.state', 'node.workers', 'node.telemetry']

export const fixedAmong = (changes: readonly string[]): readonly string[] =>
  changes.filter((change) => FIXED.some((fixed) => change === fixed || change.startsWith(`${fixed}.`)))

const ofNode = ({ log, databases, node, holds, control }: Config): Tree => ({
  log,
  databases: Object.fromEntries(databases.map((database) => [`${database.environment}/${database.name}`, database])),
  node,
  holds,
  control: { listen: control.listen },
})

type Tree = Readonly<Record<string, unknown>>

/** Paths at which two values differ. */
export const differences = (before: unknown, after: unknown, path = ''): readonly string[] => {
  if (!isTree(before) || !isTree(after)) return bare(before) === bare(after) ? [] : [path]
  const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort()
  return keys.flatMap((key) => differences(before[key], after[key], path === '' ? key : `${path}.${key}`))
}

const isTree = (value: unknown): value is Tree =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !isSecret(value)

/** A secret that shows itself to nobody who does not ask for it by name. */
const isSecret = (value: unknown): value is { reveal(): string } =>
  typeof value === 'object' && value !== null && 'reveal' in value && typeof value.reveal === 'function'

const bare = (value: unknown): string | undefined => JSON.stringify(isSecret(value) ? value.reveal() : value)
