import { dangerOfFunction, HARMLESS_EXTENSIONS, isChanging, isHarmlessVolatile } from '../dangerous-functions.ts'
import type { CatalogueFunction } from './catalogue.ts'

/** Came with the server, or with an extension that is known to compute and nothing else, as compiled code. */
export const isTrustedCode = ({ builtin, extension, language }: CatalogueFunction): boolean =>
  builtin || (extension !== undefined && HARMLESS_EXTENSIONS.has(extension) && ['c', 'internal'].includes(language))

/**
 * Proven to change nothing, without looking at its code. A volatile function that came with the server must be on the
 * list; one of a trusted extension is volatile because it is random.
 */
export const isHarmless = (routine: CatalogueFunction): boolean => {
  if (!isTrustedCode(routine) || dangerOfFunction(routine.name, routine.arguments)) return false
  if (isChanging(routine.name)) return false
  return routine.volatility !== 'volatile' || !routine.builtin || isHarmlessVolatile(routine.name)
}

/** Its result comes from its arguments (or a clock, or chance) and from nothing else. */
export const isTransparent = (routine: CatalogueFunction | undefined): boolean =>
  routine !== undefined && isTrustedCode(routine) && !dangerOfFunction(routine.name, routine.arguments)

/** The built-in that does what SET does. */
export const isSetConfig = (routine: CatalogueFunction | undefined): boolean =>
  routine !== undefined && routine.builtin && routine.name === 'set_config'
