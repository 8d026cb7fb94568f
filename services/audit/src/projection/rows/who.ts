import type { Principal } from '@countersign/contracts'

/** The columns that say who acted, in every table that has them. */
export const whoOf = ({ id, kind, person, onBehalfOf, groups }: Principal) => ({
  principal_id: id as string,
  principal_kind: kind as string,
  person: person ?? '',
  on_behalf_of: (onBehalfOf ?? '') as string,
  principal_groups: groups as readonly string[],
})
