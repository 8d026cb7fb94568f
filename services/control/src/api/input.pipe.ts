import type { PipeTransform } from '@nestjs/common'
import type { z } from 'zod'
import { ApiError } from './api-error.ts'

/** What comes in is what its schema says, or the caller is told which field is not. Never the field's value. */
export class InputPipe<Schema extends z.ZodType> implements PipeTransform<unknown, z.output<Schema>> {
  readonly #schema: Schema

  constructor(schema: Schema) {
    this.#schema = schema
  }

  transform(value: unknown): z.output<Schema> {
    const parsed = this.#schema.safeParse(value ?? {})
    if (parsed.success) return parsed.data
    const faults = parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'input'}: ${message}`)
    throw new ApiError('invalid-input', faults.join('; '), 'see /openapi.json')
  }
}
