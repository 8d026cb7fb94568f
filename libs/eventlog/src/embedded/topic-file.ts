import { randomUUID } from 'node:crypto'
import { closeSync, existsSync, fsyncSync, mkdirSync, openSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Topic } from '@countersign/contracts'
import { LogUnavailableError } from '../event-log.ts'
import { openBell } from './bell.ts'
import { faultIn, isBusy } from './sqlite-fault.ts'

/*
 * FORMAT embedded-log/1 (FORMAT.md): one SQLite file a topic, in one folder, with a bell beside each.
 */

/** One topic's file, and the identity by which it is recognised when it comes back from somewhere else. */
export interface TopicFile {
  readonly topic: Topic
  readonly directory: string
  readonly path: string
  readonly bell: string
  readonly id: string
}

const FORMAT = 1
const CREATE_TIMEOUT_MS = 10_000
const RETRY_MS = 20

/**
 * Opens the file of a topic, and creates it when it is absent. This is the one place that creates anything: a file
 * that vanishes afterwards is missed, and never silently begun anew.
 */
export const openTopicFile = async (directory: string, topic: Topic): Promise<TopicFile> => {
  const path = join(directory, `${topic}.sqlite`)
  const bell = join(directory, `${topic}.bell`)
  const giveUpAt = performance.now() + CREATE_TIMEOUT_MS
  for (;;) {
    try {
      makePrivate(path)
      const id = identify(path, topic)
      openBell(bell).close()
      return { topic, directory, path, bell, id }
    } catch (error) {
      // Several processes may create the file at once; one of them does it, and the others are turned away.
      if (!(isBusy(error) || isThere(error)) || performance.now() > giveUpAt) throw faultIn(path, error)
    }
    await sleep(RETRY_MS)
  }
}

/** Makes the folder durable too: a file is only as safe as the entry that leads to it. */
export const makeDirectory = (directory: string): void => {
  try {
    const first = mkdirSync(directory, { recursive: true, mode: 0o700 })
    if (first === undefined) return
    for (let made = directory; made.length >= first.length; made = dirname(made)) syncDirectory(dirname(made))
  } catch (error) {
    throw faultIn(directory, error)
  }
}

const syncDirectory = (directory: string): void => {
  const handle = openSync(directory, 'r')
  try {
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
}

/**
 * Made before SQLite opens it, so that nobody but its owner may read it; its companions take after it. One that is
 * there is left alone: closing any handle on it would let go of the locks that this process holds through SQLite.
 */
const makePrivate = (path: string): void => {
  if (!existsSync(path)) closeSync(openSync(path, 'wx', 0o600))
}

const isThere = (error: unknown) => error instanceof Error && 'code' in error && error.code === 'EEXIST'

const identify = (path: string, topic: Topic): string => {
  const database = new DatabaseSync(path)
  try {
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; BEGIN IMMEDIATE')
    if (formatOf(database) === 0) create(database, topic)
    const id = identityOf(database, { path, topic })
    database.exec('COMMIT')
    return id
  } finally {
    database.close()
  }
}

const create = (database: DatabaseSync, topic: Topic): void => {
  database.exec(`
    CREATE TABLE identity (id TEXT NOT NULL, topic TEXT NOT NULL) STRICT;
    CREATE TABLE records (
      "offset" INTEGER PRIMARY KEY,
      key TEXT NOT NULL,
      headers TEXT NOT NULL,
      value BLOB NOT NULL
    ) STRICT;
    PRAGMA user_version = ${FORMAT};
  `)
  database.prepare('INSERT INTO identity (id, topic) VALUES (?, ?)').run(randomUUID(), topic)
}

const formatOf = (database: DatabaseSync) => Number(database.prepare('PRAGMA user_version').get()?.['user_version'])

/** The identity that a file carries; refuses a file that this code cannot have written. */
export const identityOf = (database: DatabaseSync, { path, topic }: Pick<TopicFile, 'path' | 'topic'>): string => {
  const format = formatOf(database)
  if (format !== FORMAT) throw new LogUnavailableError(`${path} has format ${format}, this version reads ${FORMAT}`)
  const identity = database.prepare('SELECT id, topic FROM identity').get()
  if (identity?.['topic'] !== topic) throw new LogUnavailableError(`${path} is not the file of ${topic}`)
  return String(identity['id'])
}

/** The offset that the next record will have. */
export const endOf = (database: DatabaseSync): number =>
  Number(database.prepare('SELECT coalesce(max("offset") + 1, 0) AS next FROM records').get()?.['next'])
