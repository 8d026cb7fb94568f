import { randomInt } from 'node:crypto'
import { RequestId } from '@countersign/contracts'

/** Crockford's base 32, as nodes make them too. */
const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz'

export const newRequestId = (): RequestId =>
  RequestId.parse(`rq_${Array.from({ length: 10 }, () => ALPHABET[randomInt(ALPHABET.length)]).join('')}`)
