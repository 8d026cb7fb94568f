import { Module, type DynamicModule } from '@nestjs/common'
import { HEALTH, HealthController } from './status/health.controller.ts'
import type { Health } from './status/health.ts'

/** What audit serves over HTTP. The projection runs beside it (projection/run-projection.ts) and knows no framework. */
@Module({})
export class AuditModule {
  static of(health: Health): DynamicModule {
    return {
      module: AuditModule,
      controllers: [HealthController],
      providers: [{ provide: HEALTH, useValue: health }],
    }
  }
}
