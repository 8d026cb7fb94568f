import type { Command } from './command.ts'
import { countQueries } from './count-queries.ts'
import type { Dialect } from './dialect.ts'
import { displayText } from './display-text.ts'
import { judge, type AnalysisFailure } from './judge.ts'
import { loadParser } from './parser.ts'
import type { Analysis } from './server/analyse.ts'
import type { Catalogue } from './server/catalogue.ts'
import { shapeOf } from './shape.ts'
import { understand } from './understand.ts'

/** What a judgement rests on, beside the text. */
export interface PostgresqlKnowledge {
  readonly analysis: Analysis | AnalysisFailure | undefined
  readonly catalogue: Catalogue
  readonly session?: Parameters<typeof judge>[3]
}

export const postgresql: Dialect<Command, PostgresqlKnowledge> = {
  load: loadParser,
  understand,
  judge: (command, { analysis, catalogue, session }) => judge(command, analysis, catalogue, session),
  countQueries,
  shapeOf,
  displayText,
}
