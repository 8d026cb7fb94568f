import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { ControlConfig, Logger } from '@countersign/platform'
import type { Provider } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import type { NestExpressApplication } from '@nestjs/platform-express'
import { ErrorFilter } from './api/error.filter.ts'
import { consolePage, guardHeaders } from './console-page.ts'
import { ControlModule } from './control.module.ts'

// A set of policies, escaped as JSON, fits.
const BODY_MAX = '2mb'

/** The application, with everything in it but not listening yet: commands can be dispatched before anyone can call. */
export const createHttp = async (parts: readonly Provider[], logger: Logger): Promise<NestExpressApplication> => {
  const app = await NestFactory.create<NestExpressApplication>(ControlModule.of(parts), {
    logger: false,
    bodyParser: false,
    abortOnError: false,
  })
  app.disable('x-powered-by')
  app.use(guardHeaders)
  app.use(consolePage())
  app.useBodyParser('json', { limit: BODY_MAX })
  app.useGlobalFilters(new ErrorFilter(logger))
  return app.init()
}

/** Resolves with the port. */
export const listen = async (app: NestExpressApplication, { host, port }: ControlConfig['listen']): Promise<number> => {
  await app.listen(port, host)
  const server: Server = app.getHttpServer()
  return (server.address() as AddressInfo).port
}

/** Ends what is under way too: a tail of events would never end by itself. */
export const closeHttp = async (app: NestExpressApplication): Promise<void> => {
  const server: Server = app.getHttpServer()
  const closed = app.close()
  server.closeAllConnections()
  await closed
}
