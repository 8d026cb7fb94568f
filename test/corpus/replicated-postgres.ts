import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { chownSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Client } from 'pg'
import { connection, ended, freePort, serverOwner, settings, untilReady, type Binaries } from './postgres.ts'

/** One server of a pair. It can be stopped, killed, and started again. */
export class ReplicaServer {
  readonly port: number
  readonly #folder: string
  readonly #data: string
  readonly #more: Readonly<Record<string, string>>
  #process: ChildProcess | undefined

  constructor(folder: string, data: string, port: number, more: Readonly<Record<string, string>> = {}) {
    this.#folder = folder
    this.#data = data
    this.port = port
    this.#more = more
  }

  connect(database: string, user = 'postgres'): Promise<Client> {
    return connection(this.port, database, user)
  }

  async query(database: string, sql: string): Promise<readonly (readonly unknown[])[]> {
    const client = await this.connect(database)
    try {
      const { rows } = await client.query<unknown[]>({ text: sql, rowMode: 'array' })
      return rows
    } finally {
      await client.end()
    }
  }

  async start(): Promise<void> {
    const server = spawn(join(this.#folder, 'postgres'), ['-D', this.#data, ...settings({ port: this.port, ...this.#settings })], {
      ...serverOwner(),
      cwd: '/',
      stdio: 'ignore',
    })
    this.#process = server
    process.once('exit', () => server.kill('SIGQUIT'))
    await untilReady((database) => this.connect(database), server)
  }

  /** SIGINT: its sessions are told; SIGQUIT: as if it had crashed; SIGSTOP: it goes silent, SIGCONT: it goes on. */
  async stop(signal: 'SIGINT' | 'SIGQUIT' = 'SIGINT'): Promise<void> {
    if (this.#process) await ended(this.#process, signal)
    this.#process = undefined
  }

  /** Of its postmaster. */
  get pid(): number {
    const pid = this.#process?.pid
    // Zero would mean ourselves, and everybody in our group.
    if (pid === undefined) throw new Error('the server does not run')
    return pid
  }

  get #settings() {
    return { wal_level: 'replica', max_wal_senders: '5', hot_standby: 'on', wal_keep_size: '64MB', ...this.#more }
  }
}

export interface ReplicatedPostgres {
  readonly primary: ReplicaServer
  readonly standby: ReplicaServer
  /** Resolves when the standby has replayed what the primary has written. */
  readonly caughtUp: () => Promise<void>
  readonly stop: () => Promise<void>
}

/** A primary and a streaming standby of it. `prepare`: what both have, given to the primary before it is copied. */
export const startReplicated = async (
  { folder }: Binaries,
  prepare: (primary: ReplicaServer) => Promise<void>,
): Promise<ReplicatedPostgres> => {
  const owner = serverOwner()
  const home = mkdtempSync(join(tmpdir(), 'replicated-'))
  if (owner) chownSync(home, owner.uid, owner.gid)
  const [data, copy] = [join(home, 'primary'), join(home, 'standby')]
  const initdb = ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync']
  run(join(folder, 'initdb'), initdb)
  const primary = new ReplicaServer(folder, data, await freePort())
  await primary.start()
  await prepare(primary)
  // A server that was shut down cleanly may be copied file by file; neither of the two has pg_basebackup for sure.
  await primary.stop()
  run('cp', ['-a', data, copy])
  writeFileSync(join(copy, 'standby.signal'), '')
  if (owner) chownSync(join(copy, 'standby.signal'), owner.uid, owner.gid)
  const from = `host=127.0.0.1 port=${primary.port} user=postgres`
  const standby = new ReplicaServer(folder, copy, await freePort(), { primary_conninfo: from })
  await primary.start()
  await standby.start()
  const caughtUp = async () => {
    const [[wal] = []] = await primary.query('postgres', 'select pg_current_wal_lsn()::text')
    for (let attempt = 0; attempt < 400; attempt++) {
      const behind = `select pg_last_wal_replay_lsn() >= '${String(wal)}'::pg_lsn`
      if ((await standby.query('postgres', behind))[0]?.[0] === true) return
      await sleep(50)
    }
    throw new Error('the standby does not catch up')
  }
  const stop = async () => {
    await Promise.all([primary.stop('SIGQUIT'), standby.stop('SIGQUIT')])
    rmSync(home, { recursive: true, force: true })
  }
  await caughtUp()
  return { primary, standby, caughtUp, stop }
}

const run = (program: string, args: readonly string[]): void => {
  const { status, stderr } = spawnSync(program, args, { ...serverOwner(), cwd: '/', encoding: 'utf8' })
  if (status !== 0) throw new Error(`${program} failed: ${stderr}`)
}
