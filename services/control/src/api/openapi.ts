import { z } from 'zod'
import { ApiError, type ApiErrorCode } from './api-error.ts'
import { ROUTES, type Route } from './routes.ts'
import { Fault } from './schemas.ts'

/** SPEC: OpenAPI 3.1.1. Its schemas are JSON Schema 2020-12, which is what zod writes. */
export const openapi = (routes: readonly Route[] = ROUTES) => ({
  openapi: '3.1.1',
  info: {
    title: 'Countersign control',
    version: '1',
    description: 'Requests for dangerous statements, who signs for them, and what is in force.',
    license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
  },
  security: [{ token: [] }],
  paths: pathsOf(routes),
  components: {
    securitySchemes: {
      token: { type: 'http', scheme: 'bearer', description: 'The token that you use as password for a database.' },
    },
    schemas: { Fault: schemaOf(Fault, 'output') },
  },
})

const pathsOf = (routes: readonly Route[]) => {
  const paths: Record<string, Record<string, unknown>> = {}
  for (const route of routes) paths[route.path] = { ...paths[route.path], [route.method]: operationOf(route) }
  return paths
}

const operationOf = (route: Route) => ({
  operationId: route.id,
  summary: route.summary,
  ...(route.open && { security: [] }),
  parameters: [...parametersOf(route.parameters, 'path'), ...parametersOf(route.query, 'query')],
  ...(route.body && {
    requestBody: { required: true, content: { 'application/json': { schema: schemaOf(route.body, 'input') } } },
  }),
  responses: {
    200: {
      description: route.summary,
      content: { [route.answer.type ?? 'application/json']: { schema: schemaOf(route.answer.schema, 'output') } },
    },
    ...faultsOf(route),
  },
})

const parametersOf = (schema: z.ZodObject | undefined, place: 'path' | 'query') =>
  Object.entries(schema?.shape ?? {}).map(([name, part]) => {
    const { description, ...rest } = schemaOf(part, 'input')
    const required = place === 'path' || !z.safeParse(part, undefined).success
    return { name, in: place, required, ...(description !== undefined && { description }), schema: rest }
  })

const SIGN_IN: readonly ApiErrorCode[] = ['unauthenticated', 'token-expired', 'restricted']

/** By status, because that is how OpenAPI lists them; the codes that a status stands for are named in its description. */
const faultsOf = ({ open, errors = [] }: Route) => {
  const byStatus = Map.groupBy([...(open ? [] : SIGN_IN), ...errors], (code) => new ApiError(code, '').status)
  return Object.fromEntries(
    [...byStatus].map(([status, codes]) => [
      String(status),
      {
        description: codes.map((code) => `\`${code}\``).join(', '),
        content: { 'application/json': { schema: { $ref: '#/components/schemas/Fault' } } },
      },
    ]),
  )
}

const schemaOf = (schema: z.ZodType, io: 'input' | 'output'): Readonly<Record<string, unknown>> => {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any' })
  return rest
}
