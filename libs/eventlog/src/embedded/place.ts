import { statSync, type Stats } from 'node:fs'
import { LogUnavailableError } from '../event-log.ts'
import type { TopicFile } from './topic-file.ts'

/*
 * A path may come to mean another file, or nothing. An open file goes on to work all the same, and what is written
 * into it is lost. So the log is asked for by path before and after every commit.
 */

/** A file itself, whatever path leads to it. */
export interface Inode {
  readonly dev: number
  readonly ino: number
}

/** What the topic's paths led to when they were followed. */
export interface Place {
  readonly directory: Inode
  readonly file: Inode
}

const OWNER_MAY_WRITE = 0o200

/** Where the topic's file lies now. Throws `LogUnavailableError` when it is gone or may not be written. */
export const placeOf = ({ directory, path }: TopicFile): Place => ({
  directory: writable(directory),
  file: writable(path),
})

export const samePlace = (one: Place, other: Place): boolean =>
  sameInode(one.directory, other.directory) && sameInode(one.file, other.file)

export const sameInode = (one: Inode | undefined, other: Inode | undefined): boolean =>
  one !== undefined && other !== undefined && one.ino === other.ino && one.dev === other.dev

/** What a path leads to. Throws `LogUnavailableError` unless it is there and its owner may write. */
export const writable = (path: string): Stats => {
  const stats = statOf(path)
  if (!stats) throw new LogUnavailableError(`${path} is gone; put it back`)
  // Asked of the mode and not of the kernel: root may write anywhere, and yet the mode is how an owner says stop.
  if ((stats.mode & OWNER_MAY_WRITE) === 0) throw new LogUnavailableError(`${path} is not writable; chmod u+w helps`)
  return stats
}

/** What a path leads to, or undefined when it leads nowhere. */
export const statOf = (path: string): Stats | undefined => {
  try {
    return statSync(path, { throwIfNoEntry: false })
  } catch (cause) {
    throw new LogUnavailableError(`${path} cannot be looked at; check the disk and its permissions`, { cause })
  }
}
