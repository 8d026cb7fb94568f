/*
 * The embedded ClickHouse: run as a process of its own by start-clickhouse.ts, never imported.
 *
 *   node engine-process.js LIBRARY DATA HTTP-PORT CONFIG
 *
 * The library's entry point for `clickhouse local` is given a query that opens the port and then reads standard input
 * to its end. So the server lives exactly as long as the one who started it wants, or can want: when the parent dies,
 * its end of the pipe closes and the server shuts down in order.
 */
import { createRequire } from 'node:module'
import type * as Ffi from 'ffi-rs'

const [library = '', data = '', httpPort = '', config = ''] = process.argv.slice(2)
if (!config.endsWith('.xml')) throw new Error('usage: engine-process LIBRARY DATA HTTP-PORT CONFIG')

const SERVE = [
  'SYSTEM START LISTEN HTTP',
  "SELECT count() FROM file('-', 'LineAsString', 'line String') FORMAT Null",
].join('; ')

const args = [
  'clickhouse',
  `--path=${data}`,
  '--listen_host=127.0.0.1',
  `--http_port=${httpPort}`,
  // Without one it would take ./config.xml of wherever it runs, or no users at all.
  `--config-file=${config}`,
  '--log-level=warning',
  '--multiquery',
  '--query',
  SERVE,
]

const { DataType, load, open } = createRequire(import.meta.url)('ffi-rs') as typeof Ffi
open({ library: 'engine', path: library })
load({
  library: 'engine',
  funcName: 'chdb_query_cmdline',
  retType: DataType.External,
  paramsType: [DataType.I32, DataType.StringArray],
  paramsValue: [args.length, args],
})

// The engine has shut down in order. `process.exit` would run its static destructors too, which crash.
const { reallyExit } = process as unknown as { reallyExit(code: number): never }
reallyExit.call(process, 0)
