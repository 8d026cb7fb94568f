import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdir, mkdtemp, readFile, rename, rm, stat, unlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import { TOPICS } from '@countersign/contracts'
import { collect, eventually, inventory, runWriter } from '@countersign/testing'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { LogUnavailableError, type EventLog, type NewRecord } from '../event-log.ts'
import { openEmbeddedLog } from './embedded-log.ts'

const topic = TOPICS.access

describe('the embedded log', () => {
  let home: string
  let directory: string
  let file: string
  let log: EventLog

  const reopened = () => openEmbeddedLog({ kind: 'embedded', directory })

  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), 'countersign-gone-'))
    directory = join(home, 'log')
    file = join(directory, `${topic}.sqlite`)
    log = await reopened()
    await log.append(topic, record('first'))
  })

  afterEach(async () => {
    await log.close()
    await rm(home, { recursive: true })
  })

  it('does not begin anew in a directory that was made in the place of its own', async () => {
    await rename(directory, join(home, 'kept'))
    await mkdir(directory)
    await refused(log, /is gone/)
    await rm(directory, { recursive: true })
    const another = await reopened()
    await another.append(topic, record('of another log'))
    await refused(log, /different log/)
    await another.close()
    await rm(directory, { recursive: true })
    await rename(join(home, 'kept'), directory)
    expect(await log.append(topic, record('second'))).toEqual({ partition: 0, offset: 1 })
    await log.check()
    expect(await ids(log)).toEqual(['first', 'second'])
  })

  it('is made once by processes that open it at the same time', async () => {
    const options = { kind: 'embedded', directory: join(home, 'new', 'log') } as const
    const writers = ['a', 'b', 'c', 'd'].map((prefix) => runWriter(options, prefix))
    await Promise.all(writers.map(({ begun }) => begun))
    for (const writer of writers) writer.kill()
    await Promise.all(writers.map(({ ended }) => ended))
    const fresh = await openEmbeddedLog(options)
    const { acked, ...faults } = await inventory(fresh, {}, writers)
    expect(acked).toBeGreaterThanOrEqual(4)
    expect(faults).toEqual({ lost: [], torn: [], doubled: [] })
    await fresh.close()
  })

  it('says why it cannot be opened where nothing can be made', async () => {
    await expect(openEmbeddedLog({ kind: 'embedded', directory: join(file, 'log') })).rejects.toThrow(/ENOTDIR/)
  })

  it('goes on in a complete copy of its directory, readers included', async () => {
    const collected = collect(log, topic, {})
    await collected.until((records) => records.length === 1)
    copy(directory, join(home, 'copy'))
    await rename(directory, join(home, 'old'))
    await rename(join(home, 'copy'), directory)
    expect(await log.append(topic, record('second'))).toEqual({ partition: 0, offset: 1 })
    await log.check()
    await collected.until((records) => records.length === 2)
    await collected.close()
    const fresh = await reopened()
    expect(await ids(fresh)).toEqual(['first', 'second'])
    await fresh.close()
  })

  it('refuses a copy that lacks what it has acknowledged', async () => {
    copy(directory, join(home, 'copy'))
    await log.append(topic, record('second'))
    const collected = collect(log, topic, {})
    await collected.until((records) => records.length === 2)
    await rename(directory, join(home, 'full'))
    await rename(join(home, 'copy'), directory)
    await refused(log, /ends at 1, and ended at 2/)
    await rm(directory, { recursive: true })
    await rename(join(home, 'full'), directory)
    await log.append(topic, record('third'))
    expect(await ids(log)).toEqual(['first', 'second', 'third'])
    await collected.until((records) => records.length === 3)
    await collected.close()
  })

  it('acknowledges nothing that goes into a write-ahead log that was removed', async () => {
    await unlink(`${file}-wal`)
    await expect(log.append(topic, record('lost?'))).rejects.toBeInstanceOf(LogUnavailableError)
    await eventually(() => log.append(topic, record('second')))
    const fresh = await reopened()
    expect((await ids(fresh)).at(-1)).toBe('second')
    await fresh.close()
  })

  it('says when another process keeps its lock, and goes on when it is let go', async () => {
    const other = new DatabaseSync(file)
    other.exec('BEGIN IMMEDIATE')
    await expect(log.append(topic, record('refused'))).rejects.toThrow(/locked by another process/)
    other.exec('ROLLBACK')
    other.close()
    await eventually(() => log.append(topic, record('second')))
  })

  it('is not held up by a reader that takes its time', async () => {
    const reader = new DatabaseSync(file, { readOnly: true })
    const reading = reader.prepare('SELECT "offset" FROM records').iterate()
    reading.next()
    for (let i = 0; i < 300; i++) await log.append(topic, record(`${i}`, 20_000))
    reading.return?.()
    reader.close()
    expect(await log.end(topic)).toEqual({ 0: 301 })
  })

  it('keeps its write-ahead log short while two processes write without a pause', async () => {
    const writers = ['a', 'b'].map((prefix) => runWriter({ kind: 'embedded', directory }, prefix))
    await eventually(async () => expect((await log.end(topic))[0]).toBeGreaterThan(4_000))
    const { size } = await stat(`${file}-wal`)
    for (const writer of writers) writer.kill()
    await Promise.all(writers.map(({ ended }) => ended))
    expect((await stat(file)).size).toBeGreaterThan(20_000_000)
    expect(size).toBeLessThan(64 * 1024 * 1024)
  })

  it('refuses a file that is damaged, and takes it back when it is whole', async () => {
    await log.close()
    const whole = await readFile(file)
    await writeFile(file, Buffer.concat([randomBytes(4_096), whole.subarray(4_096)]))
    await expect(reopened()).rejects.toThrow(/not a log file; restore it/)
    await writeFile(file, whole)
    log = await reopened()
    await log.append(topic, record('second'))
    expect(await ids(log)).toEqual(['first', 'second'])
  })

  it('refuses a file of a later format, and says which one it reads', async () => {
    await log.close()
    const later = new DatabaseSync(file)
    later.exec('PRAGMA user_version = 99')
    later.close()
    await expect(reopened()).rejects.toThrow(/has format 99, this version reads 1/)
  })

  it('refuses while the disk takes nothing, and goes on when it does', async () => {
    const from = await log.end(topic)
    const writer = runWriter({ kind: 'embedded', directory }, 'full')
    const said = (what: string) => writer.said.filter((one) => one.said === what).length
    await eventually(async () => expect(said('acked')).toBeGreaterThan(20))
    // The kernel then refuses the process every byte beyond the first hundred thousand of any file.
    limitFileSize(writer.pid, '100000:unlimited')
    await eventually(async () => expect(said('refused')).toBeGreaterThan(20))
    const before = said('acked')
    limitFileSize(writer.pid, 'unlimited')
    await eventually(async () => expect(said('acked')).toBeGreaterThan(before + 20))
    writer.kill()
    await writer.ended
    expect(await inventory(log, from, [writer])).toMatchObject({ lost: [], torn: [], doubled: [] })
  })
})

const record = (id: string, bytes = 10): NewRecord => ({ key: 'k', headers: { id }, value: randomBytes(bytes) })

const ids = async (log: EventLog) => (await log.read(topic, {}, 1_000)).map(({ headers }) => headers['id'])

/** A look at the place holds for a millisecond, so that an append right after another may be written and refused. */
const LOOK_HOLDS_MS = 5

const refused = async (log: EventLog, reason: RegExp): Promise<void> => {
  await sleep(LOOK_HOLDS_MS)
  await expect(log.append(topic, record('refused'))).rejects.toThrow(reason)
  await expect(log.check()).rejects.toBeInstanceOf(LogUnavailableError)
}

const limitFileSize = (pid: number, limit: string) => execFileSync('prlimit', [`--pid=${pid}`, `--fsize=${limit}`])

/** By another process: to close a handle on a file lets go of every lock that this process holds on it. */
const copy = (from: string, to: string) => execFileSync('cp', ['-r', from, to])
