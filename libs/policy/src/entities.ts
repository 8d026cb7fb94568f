import type { EntityJson, TypeAndId } from '@cedar-policy/cedar-wasm/nodejs'
import type { Principal, Target } from '@countersign/contracts'
import type { RequestedUse } from './request.ts'

/*
 * Principals, actions and resources in Cedar's terms (countersign.cedarschema). Each names everything that it is in,
 * at whatever distance, so that no other entity has to be handed over: reading them is most of what a question costs.
 */

const TYPES = { person: 'Person', service: 'Service', agent: 'Agent' } as const

export const principalEntity = ({ id, kind, onBehalfOf, groups }: Principal): EntityJson => ({
  uid: { type: TYPES[kind], id },
  attrs: kind === 'agent' && onBehalfOf !== undefined ? { id, onBehalfOf } : { id },
  parents: groups.map((group) => ({ type: 'Group', id: group })),
})

/** What a statement does to what it uses: all of these are in one group. */
export const actionEntity = (action: RequestedUse['action']): EntityJson => ({
  uid: { type: 'Action', id: action },
  attrs: {},
  parents: [{ type: 'Action', id: 'use' }],
})

export const databaseEntity = (target: Target): EntityJson => {
  const [uid, ...parents] = database(target)
  return { uid, attrs: {}, parents }
}

export const resourceEntity = (resource: RequestedUse['resource'], target: Target): EntityJson => {
  const { kind, schema, name: short, temporary, system } = resource
  const name = schema === undefined ? short : `${schema}.${short}`
  if (kind === 'relation') {
    const [uid, ...parents] = relation(schema, name, target)
    return { uid, attrs: { name, temporary, system }, parents }
  }
  const parents = database(target)
  const uid = { type: 'Object', id: `${parents[0].id}:${kind}:${name}` }
  return { uid, attrs: { kind, name, temporary, system }, parents: [...parents] }
}

/** `column`: `schema.relation.column`, and what it holds. */
export const columnEntity = (column: { readonly name: string; readonly class: string }, target: Target): EntityJson => {
  const [schema = '', table = ''] = column.name.split('.', 2)
  const uid = { type: 'Column', id: `${database(target)[0].id}.${column.name}` }
  const parents = relation(schema, `${schema}.${table}`, target)
  return { uid, attrs: { name: column.name, class: column.class }, parents: [...parents] }
}

type Path = readonly [TypeAndId, ...TypeAndId[]]

const database = ({ environment, database: name }: Target): Path => [
  { type: 'Database', id: `${environment}/${name}` },
  { type: 'Environment', id: environment },
]

/** The relation, and what it is in from the inside out. `name` is with its schema, when that is known. */
const relation = (schema: string | undefined, name: string, target: Target): Path => {
  const around = database(target)
  const inside = schema === undefined ? [] : [{ type: 'Schema', id: `${around[0].id}.${schema}` }]
  return [{ type: 'Relation', id: `${around[0].id}.${name}` }, ...inside, ...around]
}
