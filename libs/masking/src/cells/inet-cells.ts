import { partialAddress } from '../values/partial.ts'
import type { WireFormat } from '../values/types.ts'
import { NULLED, REPLACED, type CellMask } from './cell-mask.ts'

const CIDR = 650
const COLON = 0x3a

/** The network that an address is in: 16 bits of a version 4 address, 32 of a version 6. A `cidr` says so itself. */
export const textInetCell = (oid: number): CellMask => ({
  apply: (bytes, start, end, out) => {
    const address = partialAddress(bytes.toString('latin1', start, end))
    out.ascii(address)
    if (oid === CIDR) out.ascii(address.includes(':') ? '/32' : '/16')
    return REPLACED
  },
})

/** SPEC: PostgreSQL inet_send: family (2: version 4, 3: version 6), bits, is a network, count of bytes, the bytes. */
export const binaryInetCell = (oid: number): CellMask => ({
  apply: (bytes, start, end, out) => {
    const length = end - start - 4
    if (length !== 4 && length !== 16) return NULLED
    out.range(bytes, start, start + 1)
    const kept = length === 4 ? 2 : 4
    out.byte((oid === CIDR ? kept : length) * 8)
    out.range(bytes, start + 2, start + 4 + kept)
    out.fill(0, length - kept)
    return REPLACED
  },
})

/** No address, of the same version. */
export const zeroInetCell = (oid: number, format: WireFormat): CellMask =>
  format === 'text' ? zeroText(oid) : zeroBinary(oid)

const zeroText = (oid: number): CellMask => ({
  apply: (bytes, start, end, out) => {
    out.ascii(bytes.subarray(start, end).includes(COLON) ? '::' : '0.0.0.0')
    if (oid === CIDR) out.ascii('/0')
    return REPLACED
  },
})

const zeroBinary = (oid: number): CellMask => ({
  apply: (bytes, start, end, out) => {
    const length = end - start - 4
    if (length !== 4 && length !== 16) return NULLED
    out.range(bytes, start, start + 1)
    out.byte(oid === CIDR ? 0 : length * 8)
    out.range(bytes, start + 2, start + 4)
    out.fill(0, length)
    return REPLACED
  },
})
