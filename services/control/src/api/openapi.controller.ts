import { Controller, Get } from '@nestjs/common'
import { openapi } from './openapi.ts'

@Controller()
export class OpenapiController {
  readonly #description = openapi()

  @Get('openapi.json')
  describe() {
    return this.#description
  }
}
