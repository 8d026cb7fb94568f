import { PrincipalId, type Principal } from '@countersign/contracts'
import { describe, expect, it } from 'vitest'
import { isOneOf } from './readers.ts'

describe('whose thing it is', () => {
  const ana = principal('ana', 'person', 'ana')
  const admin = principal('ana-admin', 'person', 'ana')
  const copilot = principal('copilot', 'agent', 'ana')
  const etl = principal('etl', 'service', 'ana')
  const bo = principal('bo', 'person', 'bo')

  it.each([
    ['one’s own', ana, ana, true],
    ['that of another identity of one’s own', ana, admin, true],
    ['that of one’s agent', ana, copilot, true],
    ['not that of a service, whoever answers for it', ana, etl, false],
    ['not that of another', bo, ana, false],
    ['not that of the person, for their agent', copilot, ana, false],
    ['not that of another agent, for an agent', copilot, principal('other', 'agent', 'ana'), false],
    ['a service’s own', etl, etl, true],
  ])('is %s', (_, reader, other, is) => expect(isOneOf(reader, other)).toBe(is))
})

function principal(id: string, kind: Principal['kind'], person: string): Principal {
  return { id: PrincipalId.parse(id), kind, person, groups: [] }
}
