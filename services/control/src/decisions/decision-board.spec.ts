import { randomUUID } from 'node:crypto'
import { Instant, PrincipalId, TOPICS, type DecisionEvent } from '@countersign/contracts'
import { describe, expect, it } from 'vitest'
import { MemoryLog } from '../testing/memory-log.ts'
import { decisionsIn, newestDecisionsIn, recordOf } from '../testing/running-control.ts'
import { BoardContentionError, DecisionBoard } from './decision-board.ts'

describe('the board of decisions', () => {
  it('writes what does not stand, and nothing twice', async () => {
    const log = new MemoryLog()
    const board = await boardOn(log)
    expect(await put(board, restriction('eve', true))).toBe(true)
    expect(await put(board, restriction('eve', true))).toBe(false)
    expect(
      await put(board, { ...restriction('eve', true), data: { ...restriction('eve', true).data, at: later } }),
    ).toBe(false)
    expect(await put(board, restriction('eve', false))).toBe(true)
    expect(log.all(TOPICS.decisions)).toHaveLength(2)
    expect(board.decision('restriction/eve')).toEqual(restriction('eve', false))
    await board.close()
  })

  it('makes it stand for both ways of reading, whoever writes at the same time', async () => {
    const log = new MemoryLog()
    const boards = await Promise.all([boardOn(log), boardOn(log), boardOn(log)])
    await Promise.all(boards.flatMap((board) => ['a', 'b', 'c'].map((name) => put(board, restriction(name, true)))))
    for (const all of [await decisionsIn(log), await newestDecisionsIn(log)]) {
      expect([...all.values()].map(({ data }) => data)).toMatchObject(
        ['a', 'b', 'c'].map((name) => ({ principalId: name, restricted: true })),
      )
    }
    for (const board of boards) {
      await board.caughtUp()
      expect(board.stands(restriction('a', true))).toBe(true)
      await board.close()
    }
  })

  it('writes again when a void record is the newest that says something else', async () => {
    const log = new MemoryLog()
    const board = await boardOn(log)
    await put(board, restriction('eve', true))
    await log.append(
      TOPICS.decisions,
      recordOf('restriction/eve', 1, [
        { type: 'restriction.in-force', version: 1, data: restriction('eve', false).data },
      ]),
    )
    await board.caughtUp()
    expect(board.decision('restriction/eve')).toEqual(restriction('eve', true))
    expect(await put(board, restriction('eve', true))).toBe(true)
    expect((await newestDecisionsIn(log)).get('restriction/eve')).toEqual(restriction('eve', true))
    await board.close()
  })

  it('writes again when a void record alone says it', async () => {
    const log = new MemoryLog()
    for (const restricted of [true, false]) {
      const { type, data } = restriction('eve', restricted)
      await log.append(TOPICS.decisions, recordOf('restriction/eve', 1, [{ type, version: 1, data }]))
    }
    const board = await boardOn(log)
    expect(await put(board, restriction('eve', false))).toBe(true)
    expect((await decisionsIn(log)).get('restriction/eve')).toEqual(restriction('eve', false))
    await board.close()
  })

  it('reads on where older records were compacted away', async () => {
    const log = new MemoryLog()
    await log.append(
      TOPICS.decisions,
      recordOf('restriction/eve', 41, [
        { type: 'restriction.in-force', version: 1, data: restriction('eve', true).data },
      ]),
    )
    const board = await boardOn(log)
    expect(board.stands(restriction('eve', true))).toBe(true)
    await put(board, restriction('eve', false))
    expect(board.decision('restriction/eve')).toEqual(restriction('eve', false))
    await board.close()
  })

  it('gives up when somebody keeps writing something else', async () => {
    const log = new MemoryLog()
    const board = await boardOn(log)
    const answers = [true, false]
    let turn = 0
    const contrary = board.put('restriction/eve', () => restriction('eve', answers[turn++ % 2]!))
    await expect(contrary).rejects.toBeInstanceOf(BoardContentionError)
    await board.close()
  })

  it('asks anew at each attempt, and writes nothing when there is nothing to say', async () => {
    const log = new MemoryLog()
    const board = await boardOn(log)
    expect(await board.put('approval/rq_0123456789', () => undefined)).toBe(false)
    expect(log.all(TOPICS.decisions)).toHaveLength(0)
    await board.close()
  })
})

const now = Instant.parse('2026-11-22T12:00:00.000Z')
const later = Instant.parse('2026-11-22T12:00:01.000Z')

const restriction = (name: string, restricted: boolean) =>
  ({
    type: 'restriction.in-force',
    data: { principalId: PrincipalId.parse(name), restricted, because: 'a test', at: now },
  }) satisfies DecisionEvent

const put = (board: DecisionBoard, event: ReturnType<typeof restriction>) =>
  board.put(`restriction/${event.data.principalId}`, () => event)

const boardOn = async (log: MemoryLog) => {
  const board = new DecisionBoard({
    log,
    source: '/spec',
    now: () => now,
    newId: randomUUID,
    quarantine: () => {},
    failed: (error) => {
      throw error
    },
  })
  await board.caughtUp()
  return board
}
