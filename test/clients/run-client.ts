import { start, type Ran } from '../support/run.ts'
import { product } from '../support/shared-product.ts'
import { approveFirst } from './approve.ts'
import type { Program } from './runtimes/program.ts'
import type { Saw } from './saw.ts'
import { STATEMENTS_FILE } from './statements.ts'
import { doomedTable, type ClientName } from './tables.ts'

/** How a driver is told, in a connection string, to encrypt without knowing the certificate, and not to encrypt. */
export interface Encryption {
  readonly with: Readonly<Record<string, string>>
  readonly without: Readonly<Record<string, string>>
}

export const SSLMODE: Encryption = { with: { sslmode: 'require' }, without: { sslmode: 'disable' } }

/** Runs a client's program to its end, while the owner of the data signs what the agent in it asks for. */
export const runClient = async (client: ClientName, program: Program, encryption: Encryption): Promise<Saw> => {
  const owner = approveFirst([doomedTable(client), 'client_counts'])
  try {
    const env = { ...connections(encryption), CLIENT_STATEMENTS: STATEMENTS_FILE, ...program.env }
    const { status, stdout, stderr } = await toItsEnd(program, env)
    if (status !== 0) throw new Error(`the program of ${client} ended with ${status ?? 'SIGKILL: it hung'}:\n${stderr}`)
    return JSON.parse(stdout) as Saw
  } finally {
    await owner.stop()
  }
}

const PROGRAM_TIMEOUT_MS = 200_000

/** A program that waits for an answer that never comes is an error that holds what it has said so far. */
const toItsEnd = async ({ command, args }: Program, env: NodeJS.ProcessEnv): Promise<Ran> => {
  const running = start(command, args, { env })
  const late = setTimeout(() => running.kill('SIGKILL'), PROGRAM_TIMEOUT_MS)
  const ended = await running.ended
  clearTimeout(late)
  return ended
}

const connections = ({ with: encrypted, without: clear }: Encryption): NodeJS.ProcessEnv => {
  const node = product.dsn('ana', encrypted)
  return {
    CLIENT_DIRECT: changed(product.ready.upstream, (url) => {
      for (const [name, value] of Object.entries(clear)) url.searchParams.set(name, value)
    }),
    CLIENT_NODE: node,
    CLIENT_CLEAR: product.dsn('ana', clear),
    CLIENT_SERVICE: product.dsn('etl', encrypted),
    CLIENT_AGENT: product.dsn('copilot', encrypted),
    CLIENT_WRONG_TOKEN: changed(node, (url) => (url.password = 'cs_wrong')),
    CLIENT_WRONG_DATABASE: changed(node, (url) => (url.pathname = '/nowhere')),
  }
}

const changed = (dsn: string, change: (url: URL) => void): string => {
  const url = new URL(dsn)
  change(url)
  return url.href
}
