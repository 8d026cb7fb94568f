import type { ClickHouseClient } from '@countersign/clickhouse'
import type { Topic } from '@countersign/contracts'
import type { Cursor } from '@countersign/eventlog'

/** For each topic, up to where everything in it has been dealt with. */
export type Positions = Readonly<Partial<Record<Topic, Cursor>>>

/** What has come that far: the rows of every table, or the rollup that is made from them. */
export type PositionName = 'rows' | 'statements_by_minute'

export const readPositions = async (client: ClickHouseClient, name: PositionName): Promise<Positions> => {
  const query = 'SELECT topic, partition, next_offset FROM _positions FINAL WHERE name = {name:String}'
  const answer = await client.query({ query, query_params: { name }, format: 'JSONEachRow' })
  const positions: Partial<Record<Topic, Record<number, number>>> = {}
  for (const row of await answer.json<PositionRow>()) {
    positions[row.topic] = { ...positions[row.topic], [row.partition]: row.next_offset }
  }
  return positions
}

interface PositionRow {
  readonly topic: Topic
  readonly partition: number
  readonly next_offset: number
}

/** INVARIANT position-last: stored only when everything before it has been stored. Of two, the further one counts. */
export const storePositions = async (client: ClickHouseClient, name: PositionName, positions: Positions) => {
  const values = entriesOf(positions).flatMap(([topic, cursor]) =>
    Object.entries(cursor).map(([partition, next_offset]) => ({
      name,
      topic,
      partition: Number(partition),
      next_offset,
    })),
  )
  if (values.length === 0) return
  await client.insert({
    table: '_positions',
    columns: ['name', 'topic', 'partition', 'next_offset'],
    format: 'JSONEachRow',
    values,
  })
}

export const entriesOf = (positions: Positions): readonly (readonly [Topic, Cursor])[] =>
  Object.entries(positions) as [Topic, Cursor][]
