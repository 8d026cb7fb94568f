import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isAlive } from '@countersign/platform'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ChildrenFile, endLeftovers } from './children-file.ts'

let folder: string
let file: string
const children: ChildProcess[] = []

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'countersign-children-'))
  file = join(folder, 'children.json')
})

afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
  rmSync(folder, { recursive: true })
})

describe('what a killed start left running', () => {
  it('is ended, even when it does not want to be asked', async () => {
    const willing = await child('setInterval(() => {}, 1000)')
    const deaf = await child(`process.on('SIGTERM', () => {}); setInterval(() => {}, 1000)`)
    const recorded = new ChildrenFile(file)
    recorded.record('willing', willing.pid!)
    recorded.record('deaf', deaf.pid!)
    expect(await endLeftovers(file)).toEqual(['willing', 'deaf'])
    expect([willing, deaf].filter(({ pid }) => isAlive(pid!))).toEqual([])
    expect(existsSync(file)).toBe(false)
  })

  it('is left alone when its number belongs to another process by now', async () => {
    const stranger = await child('setInterval(() => {}, 1000)')
    new ChildrenFile(file).record('once', stranger.pid!)
    writeFileSync(file, readFileSync(file, 'utf8').replace('"identity":"', '"identity":"0'))
    expect(await endLeftovers(file)).toEqual([])
    expect(isAlive(stranger.pid!)).toBe(true)
  })

  it('is nothing when there is no file, or one that makes no sense', async () => {
    expect(await endLeftovers(file)).toEqual([])
    writeFileSync(file, '[{"name":')
    expect(await endLeftovers(file)).toEqual([])
  })
})

const child = async (code: string): Promise<ChildProcess> => {
  const started = spawn(process.execPath, ['-e', `${code}; console.log('ready')`], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  children.push(started)
  await once(started.stdout!, 'data')
  return started
}
