import type { Dialect } from '@countersign/sql'
import type { MysqlCatalogue } from './catalogue.ts'
import type { MysqlCommand } from './command.ts'
import { countQueriesOfMysql } from './count-queries.ts'
import { displayTextOfMysql } from './display-text.ts'
import { judgeMysql } from './judge.ts'
import { loadParsers } from './parsers.ts'
import type { MysqlSession } from './session.ts'
import { shapeOfMysql } from './shape.ts'
import { understandMysql } from './understand.ts'

/** What a judgement rests on, beside the text. */
export interface MysqlKnowledge {
  readonly catalogue: MysqlCatalogue
  readonly session: MysqlSession
}

export const mysql: Dialect<MysqlCommand, MysqlKnowledge> = {
  load: loadParsers,
  understand: understandMysql,
  judge: (command, { catalogue, session }) => judgeMysql(command, catalogue, session),
  countQueries: countQueriesOfMysql,
  shapeOf: shapeOfMysql,
  displayText: displayTextOfMysql,
}
