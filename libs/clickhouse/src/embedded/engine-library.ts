import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { ClickhouseStartError } from './start-error.ts'

/** npm installs the one that fits this machine. Others exist upstream and are added here once they were tested. */
const PACKAGES: Readonly<Record<string, string>> = { 'linux-x64': '@chdb/lib-linux-x64-gnu' }

/** The path of the shared library that holds the engine, as npm installed it. */
export const engineLibrary = (platform: string = `${process.platform}-${process.arch}`): string => {
  const name = PACKAGES[platform]
  if (name === undefined) throw unsupported(`there is none for ${platform}`)
  try {
    return join(dirname(createRequire(import.meta.url).resolve(`${name}/package.json`)), 'libchdb.so')
  } catch (cause) {
    throw unsupported(`the package ${name} is not installed`, { cause })
  }
}

const unsupported = (reason: string, options?: ErrorOptions) =>
  new ClickhouseStartError(
    'CLICKHOUSE_UNSUPPORTED_PLATFORM',
    `the embedded ClickHouse cannot run here: ${reason}; set CLICKHOUSE_URL (audit.clickhouse in countersign.yaml) to a server of your own`,
    options,
  )
