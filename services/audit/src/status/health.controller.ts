import type { ServerResponse } from 'node:http'
import { Controller, Get, Inject, Res } from '@nestjs/common'
import type { Health } from './health.ts'
import { METRICS_TYPE, metricsText } from './metrics.ts'

export const HEALTH = Symbol('HEALTH')

@Controller()
export class HealthController {
  constructor(@Inject(HEALTH) private readonly health: Health) {}

  @Get('healthz')
  healthz() {
    return { status: 'ok' }
  }

  @Get('readyz')
  async readyz(@Res() response: ServerResponse): Promise<void> {
    const readiness = await this.health.readiness()
    response.writeHead(readiness.ready ? 200 : 503, { 'content-type': 'application/json' })
    response.end(JSON.stringify(readiness))
  }

  @Get('metrics')
  async metrics(@Res() response: ServerResponse): Promise<void> {
    const text = metricsText(await this.health.figures())
    response.writeHead(200, { 'content-type': METRICS_TYPE })
    response.end(text)
  }
}
