import { connect, createServer, type Socket } from 'node:net'
import { Forwarded, type By } from '../forwarded.ts'

/** What the node asks on connections of its own is no client's. */
const SIDE = '\0user\0guard\0'

/** Stands between a node and its database, and looks at every byte that the node forwards. */
export interface Tap {
  /** Takes the place of the database at this port; gives its own. */
  readonly between: (port: number) => Promise<number>
  /** What was forwarded that was not understood. */
  readonly wrong: string[]
  /** Texts of simple queries that were forwarded. */
  readonly queries: Set<string>
  readonly close: () => void
}

export const tap = (): Tap => {
  const wrong: string[] = []
  const queries = new Set<string>()
  const sockets = new Set<Socket>()
  const server = createServer()
  const listen = (upstream: number) => {
    server.on('connection', (socket) => {
      const onward = connect(upstream, '127.0.0.1')
      const judged = (sql: string, by: By) => Boolean(by !== 'Query' || queries.add(sql))
      const forwarded = new Forwarded(judged, { wrong, eachWhole: false })
      let opening: Buffer | undefined
      for (const each of [socket, onward]) {
        sockets.add(each)
        each.setNoDelay(true)
        each.on('error', () => each.destroy())
        each.on('close', () => sockets.delete(each))
      }
      socket.on('data', (bytes) => {
        // The packet that opens a connection has no tag, and comes alone: the node waits for the answer.
        if (opening && !opening.includes(SIDE)) forwarded.hear(bytes)
        opening ??= bytes
      })
      socket.pipe(onward)
      onward.pipe(socket)
      socket.on('close', () => onward.destroy())
      onward.on('close', () => socket.destroy())
    })
    return new Promise<number>((resolve) => {
      server.listen(0, '127.0.0.1', () => {
        const address = server.address()
        resolve(typeof address === 'object' && address ? address.port : 0)
      })
    })
  }
  const close = () => {
    server.close()
    for (const socket of sockets) socket.destroy()
  }
  return { between: listen, wrong, queries, close }
}
