import { createServer } from 'node:net'
import { CliError } from '../cli-error.ts'

/** Who listens where, counted from the base. */
export interface Ports {
  readonly proxy: number
  readonly control: number
  readonly clickhouseHttp: number
  readonly postgres: number
  readonly audit: number
  readonly nodeAdmin: number
}

export const PORT_BASE_DEFAULT = 6432
const COUNT = 6
const PORT_MIN = 1_024
const PORT_MAX = 65_535

export const portsFrom = (base: number): Ports => {
  if (!Number.isInteger(base) || base < PORT_MIN || base + COUNT - 1 > PORT_MAX) {
    throw new CliError('CLI_USAGE', `--port-base must be a number from ${PORT_MIN} to ${PORT_MAX - COUNT + 1}`)
  }
  return {
    proxy: base,
    control: base + 1,
    clickhouseHttp: base + 2,
    postgres: base + 3,
    audit: base + 4,
    nodeAdmin: base + 5,
  }
}

export interface Wanted {
  readonly name: string
  readonly host: string
  readonly port: number
}

/** Throws `CLI_PORT_IN_USE` that names every port that is taken, before anything is started. */
export const assertPortsFree = async (wanted: readonly Wanted[]): Promise<void> => {
  const answers = await Promise.all(wanted.map(async (each) => ({ each, free: await isFree(each) })))
  const taken = answers.filter(({ free }) => !free).map(({ each }) => `${each.port} (${each.name})`)
  if (taken.length === 0) return
  const ports = taken.length === 1 ? 'port' : 'ports'
  throw new CliError(
    'CLI_PORT_IN_USE',
    `${ports} ${taken.join(', ')} in use by another program: stop it, or give another --port-base`,
  )
}

const isFree = ({ host, port }: Wanted): Promise<boolean> =>
  new Promise((resolve) => {
    const probe = createServer()
    probe.once('error', () => resolve(false))
    probe.listen({ host, port, exclusive: true }, () => probe.close(() => resolve(true)))
  })
