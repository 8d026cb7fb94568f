import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { describe, expect, it } from 'vitest'
import { identityOf, isAlive } from './process-identity.ts'

describe('the identity of a process', () => {
  it('stays the same for one process and differs between two', async () => {
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'])
    const pid = child.pid!
    const identity = identityOf(pid)
    expect(identity).toBeDefined()
    expect(identityOf(pid)).toBe(identity)
    expect(identityOf(process.pid)).not.toBe(identity)
    child.kill('SIGKILL')
    await once(child, 'exit')
    expect(identityOf(pid)).toBeUndefined()
    expect(isAlive(pid)).toBe(false)
  })

  it('does not take a process that has ended but was not collected for one that runs', async () => {
    // The shell starts a child that ends soon, and becomes a program that never collects it.
    const parent = spawn('/bin/sh', ['-c', 'sleep 0.2 & echo $!; exec sleep 30'])
    const [line] = (await once(parent.stdout, 'data')) as [Buffer]
    const pid = Number(line.toString())
    await expect.poll(() => isAlive(pid)).toBe(false)
    parent.kill('SIGKILL')
  })
})
