import { createServer, type Server, type ServerResponse } from 'node:http'
import type { NodeConfig } from '@countersign/platform'

/** What an operator or an orchestrator asks of a node. */
export interface AdminSource {
  /** `notReady`: why this node cannot serve. `degraded`: why not all of it does. */
  readonly notReady: () => Promise<Readiness>
  readonly metrics: () => Promise<readonly Metric[]>
}

export interface Readiness {
  readonly notReady?: string
  readonly degraded?: string
}

export interface Metric {
  readonly name: string
  readonly help: string
  readonly type: 'counter' | 'gauge'
  /** `worker`: its values of different workers cannot be added up. */
  readonly across?: 'worker'
  readonly values: readonly { readonly labels?: Readonly<Record<string, string>>; readonly value: number }[]
}

/** `/healthz` the process lives, `/readyz` it can serve, `/metrics` in Prometheus' text format. */
export const serveAdmin = async ({ admin }: NodeConfig, source: AdminSource): Promise<Server> => {
  const server = createServer((request, response) => {
    const failed = () => answer(response, 500, 'text/plain', 'internal error\n')
    if (request.method !== 'GET') return answer(response, 405, 'text/plain', 'GET only\n')
    switch (request.url) {
      case '/healthz':
        return answer(response, 200, 'application/json', '{"status":"ok"}\n')
      case '/readyz':
        return void source.notReady().then((readiness) => ready(response, readiness), failed)
      case '/metrics':
        return void source
          .metrics()
          .then((metrics) => answer(response, 200, 'text/plain; version=0.0.4', textOf(metrics)), failed)
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

const ready = (response: ServerResponse, { notReady, degraded }: Readiness): void => {
  const say = (code: number, body: object) => answer(response, code, 'application/json', `${JSON.stringify(body)}\n`)
  if (notReady !== undefined) say(503, { status: 'not ready', reason: notReady })
  else if (degraded !== undefined) say(200, { status: 'degraded', reason: degraded })
  else say(200, { status: 'ok' })
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
