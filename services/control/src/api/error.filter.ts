import type { ServerResponse } from 'node:http'
import { ContentionError, LogUnavailableError } from '@countersign/eventlog'
import { faultOf, type Logger } from '@countersign/platform'
import { Catch, HttpException, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common'
import { ApiError } from './api-error.ts'

/** Every error leaves as `{ error: { code, message, remedy? } }`. What we did not expect says nothing of our insides. */
@Catch()
export class ErrorFilter implements ExceptionFilter {
  readonly #logger: Logger

  constructor(logger: Logger) {
    this.#logger = logger
  }

  catch(error: unknown, host: ArgumentsHost): void {
    const response = host.switchToHttp().getResponse<ServerResponse>()
    const known = apiErrorFrom(error)
    if (known.code === 'internal') this.#logger.error('a request failed', faultOf(error))
    if (response.headersSent) {
      response.end()
      return
    }
    if (known.code === 'unauthenticated' || known.code === 'token-expired')
      response.setHeader('WWW-Authenticate', 'Bearer')
    const { code, message, remedy } = known
    response.writeHead(known.status, { 'content-type': 'application/json; charset=utf-8' })
    response.end(JSON.stringify({ error: { code, message, ...(remedy !== undefined && { remedy }) } }))
  }
}

const apiErrorFrom = (error: unknown): ApiError => {
  if (error instanceof ApiError) return error
  if (error instanceof LogUnavailableError) {
    return new ApiError('log-unavailable', error.message, 'try again: it recovers by itself', { cause: error })
  }
  if (error instanceof HttpException) return fromNest(error)
  if (error instanceof ContentionError) {
    return new ApiError('busy', 'others are deciding about the same request', 'try again', { cause: error })
  }
  return new ApiError('internal', 'something went wrong here', 'see the log of the control service', { cause: error })
}

/** What Nest and Express say by themselves: no such route, a body that is too large or is not JSON. */
const fromNest = (error: HttpException): ApiError => {
  switch (error.getStatus()) {
    case 404:
      return new ApiError('not-found', 'there is nothing here', 'see /openapi.json for what there is')
    case 413:
      return new ApiError('too-large', 'the request is too large')
    case 400:
    case 415:
      return new ApiError('invalid-input', 'the body cannot be read', 'send JSON in UTF-8')
    default:
      return new ApiError('internal', 'something went wrong here', 'see the log of the control service', {
        cause: error,
      })
  }
}
