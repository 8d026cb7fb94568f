import { createServer, type Server, type ServerResponse } from 'node:http'
import type { NodeConfig } from '@countersign/platform'
import type { NodeHealth } from './health.ts'
import { METRICS_TYPE } from './telemetry/node-metrics.ts'

/** What an operator or an orchestrator asks of a node: of one worker, or of whoever speaks for all of them. */
export interface AdminSource {
  readonly health: () => NodeHealth | Promise<NodeHealth>
  /** In Prometheus' text format. */
  readonly metrics: () => Promise<string>
}

/** `/healthz` the process lives, `/readyz` it can serve, `/metrics` in Prometheus' text format. */
export const serveAdmin = async ({ admin }: Pick<NodeConfig, 'admin'>, source: AdminSource): Promise<Server> => {
  const server = createServer((request, response) => {
    if (request.method !== 'GET' && request.method !== 'HEAD') return answer(response, 405, TEXT, 'GET only\n')
    switch (request.url?.split('?')[0]) {
      case '/healthz':
        return answer(response, 200, JSON_TYPE, '{"status":"ok"}\n')
      case '/readyz':
        return eventually(response, async () => {
          const health = await source.health()
          answer(response, health.ready ? 200 : 503, JSON_TYPE, `${JSON.stringify(health)}\n`)
        })
      case '/metrics':
        return eventually(response, async () => answer(response, 200, METRICS_TYPE, await source.metrics()))
      default:
        return answer(response, 404, TEXT, 'not found: /healthz, /readyz, /metrics\n')
    }
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(admin.port, admin.host, resolve)
  })
  return server
}

const TEXT = 'text/plain; charset=utf-8'
const JSON_TYPE = 'application/json'

const eventually = (response: ServerResponse, work: () => Promise<void>): void => {
  work().catch(() => answer(response, 500, TEXT, 'it could not be found out\n'))
}

const answer = (response: ServerResponse, status: number, type: string, body: string): void => {
  response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' }).end(body)
}
