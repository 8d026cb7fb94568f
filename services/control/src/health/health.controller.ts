import type { ServerResponse } from 'node:http'
import { Controller, Get, Inject, Res } from '@nestjs/common'
import { HEALTH } from '../tokens.ts'
import type { Health } from './health.ts'
import { renderFigures } from './metrics.ts'

@Controller()
export class HealthController {
  constructor(@Inject(HEALTH) private readonly health: Health) {}

  @Get('healthz')
  healthz() {
    return { status: 'ok' }
  }

  @Get('readyz')
  async readyz(@Res() response: ServerResponse): Promise<void> {
    const checks = await this.health.checks()
    const ready = Object.values(checks).every(({ ok }) => ok)
    response.writeHead(ready ? 200 : 503, { 'content-type': 'application/json' })
    response.end(JSON.stringify({ ready, checks }))
  }

  @Get('metrics')
  metrics(@Res() response: ServerResponse): void {
    response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' })
    response.end(renderFigures(this.health.figures()))
  }
}
