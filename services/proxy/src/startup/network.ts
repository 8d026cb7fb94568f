import { isIP } from 'node:net'

/**
 * What counts as one client's address: an IPv4 address, or the /64 of an IPv6 one, because whoever has one address of
 * such a network has all of them.
 */
export const networkOf = (address: string): string => {
  const plain = withoutMapping(address)
  if (isIP(plain) !== 6) return plain
  const [head = '', tail] = withoutZone(plain).split('::')
  const before = head === '' ? [] : head.split(':')
  const after = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros = tail === undefined ? 0 : 8 - before.length - after.length
  const groups = [...before, ...Array<string>(Math.max(zeros, 0)).fill('0'), ...after]
  const prefix = groups.slice(0, 4).map((group) => Number.parseInt(group, 16).toString(16))
  return `${prefix.join(':')}::/64`
}

/** Whether it comes from this machine. */
export const isLoopback = (address: string): boolean => {
  const plain = withoutMapping(address)
  return plain === '::1' || (isIP(plain) === 4 && plain.startsWith('127.'))
}

/** An IPv4 client of a socket for both looks so. */
const withoutMapping = (address: string) => address.replace(/^::ffff:(?=\d+\.)/i, '')

const withoutZone = (address: string) => address.replace(/%.*$/, '')
