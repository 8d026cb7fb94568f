import { createServer, type Server, type ServerResponse } from 'node:http'
import type { NodeConfig } from '@countersign/platform'

/** What an operator or an orchestrator asks of a node. */
export interface AdminSource {
  /** Why this node cannot serve, or undefined when it can. */
  readonly notReady: () => string | undefined
  readonly metrics: () => readonly Metric[]
}

export interface Metric {
  readonly name: string
  readonly help: string
  readonly type: 'counter' | 'gauge'
  readonly values: readonly { readonly labels?: Readonly<Record<string, string>>; readonly value: number }[]
}

/** `/healthz` the process lives, `/readyz` it can serve, `/metrics` in Prometheus' text format. */
export const serveAdmin = async ({ admin }: NodeConfig, source: AdminSource): Promise<Server> => {
  const server = createServer((request, response) => {
    if (request.method !== 'GET') return answer(response, 405, 'text/plain', 'GET only\n')
    switch (request.url) {
      case '/healthz':
        return answer(response, 200, 'application/json', '{"status":"ok"}\n')
      case '/readyz':
        return ready(response, source.notReady())
      case '/metrics':
        return answer(response, 200, 'text/plain; version=0.0.4', textOf(source.metrics()))
      default:
        return answer(response, 404, 'text/plain', 'not found: /healthz, /readyz, /metrics\n')
    }
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(admin.port, admin.host, resolve)
  })
  return server
}

const ready = (response: ServerResponse, reason: string | undefined): void => {
  if (reason === undefined) answer(response, 200, 'application/json', '{"status":"ok"}\n')
  else answer(response, 503, 'application/json', `${JSON.stringify({ status: 'not ready', reason })}\n`)
}

const answer = (response: ServerResponse, status: number, type: string, body: string): void => {
  response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' }).end(body)
}

const textOf = (metrics: readonly Metric[]): string =>
  metrics
    .map(({ name, help, type, values }) =>
      [
        `# HELP ${name} ${help}`,
        `# TYPE ${name} ${type}`,
        ...values.map((each) => `${name}${labelsOf(each.labels)} ${each.value}`),
      ].join('\n'),
    )
    .join('\n') + '\n'

const labelsOf = (labels: Readonly<Record<string, string>> | undefined): string =>
  labels === undefined
    ? ''
    : `{${Object.entries(labels)
        .map(([name, value]) => `${name}=${JSON.stringify(value)}`)
        .join(',')}}`
