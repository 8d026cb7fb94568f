import type { IncomingMessage, Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { ControlConfig, Logger } from '@countersign/platform'
import type { Provider } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import type { NestExpressApplication } from '@nestjs/platform-express'
import { ErrorFilter } from './api/error.filter.ts'
import { consolePage, guardHeaders } from './console-page.ts'
import { ControlModule } from './control.module.ts'

const BODY_MAX = '64kb'
/** A whole set of policies, escaped as JSON, fits. */
const POLICIES_MAX = '2mb'
const POLICIES_PATH = '/api/v1/policies/'

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
  app.useBodyParser('json', {
    limit: POLICIES_MAX,
    type: (request: IncomingMessage) => isJson(request) && isOfPolicies(request),
  })
  app.useBodyParser('json', {
    limit: BODY_MAX,
    type: (request: IncomingMessage) => isJson(request) && !isOfPolicies(request),
  })
  app.useGlobalFilters(new ErrorFilter(logger))
  return app.init()
}

const isJson = ({ headers }: IncomingMessage): boolean => /^application\/json\b/i.test(headers['content-type'] ?? '')

const isOfPolicies = ({ url = '' }: IncomingMessage): boolean => url.startsWith(POLICIES_PATH)

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
