import type { Role } from './demo-database.ts'

export interface DemoPrincipal {
  readonly id: string
  readonly kind: 'person' | 'agent' | 'service'
  readonly groups: readonly string[]
  /** The human behind an agent. */
  readonly onBehalfOf?: string
  readonly role: Role
  /** For the banner. */
  readonly title: string
}

/** Who is known in the quick start (DESIGN.md, section 13). */
export const DEMO_PRINCIPALS = [
  { id: 'ana', kind: 'person', groups: ['developers'], role: 'shop_app', title: 'developer' },
  { id: 'bo', kind: 'person', groups: ['shop-owners'], role: 'shop_app', title: 'owner of the shop data' },
  { id: 'cy', kind: 'person', groups: ['shop-owners', 'security'], role: 'shop_app', title: 'second owner, security' },
  { id: 'dee', kind: 'person', groups: ['sre'], role: 'shop_readonly', title: 'SRE' },
  { id: 'eve', kind: 'person', groups: ['auditors'], role: 'shop_readonly', title: 'auditor' },
  { id: 'copilot', kind: 'agent', groups: ['agents'], onBehalfOf: 'ana', role: 'shop_agent', title: 'agent, for ana' },
  { id: 'etl', kind: 'service', groups: ['services'], role: 'shop_app', title: 'service' },
] as const satisfies readonly DemoPrincipal[]
