export {
  catalogueQueriesOfMysql,
  readMysqlCatalogue,
  type MysqlCatalogue,
  type MysqlCatalogueAnswers,
} from './catalogue.ts'
export type { MysqlCommand, MysqlUnderstanding } from './command.ts'
export { countQueriesOfMysql } from './count-queries.ts'
export { displayTextOfMysql } from './display-text.ts'
export { judgeMysql } from './judge.ts'
export { mysql, type MysqlKnowledge } from './mysql.ts'
export { loadParsers } from './parsers.ts'
export type { MysqlSession } from './session.ts'
export { SESSION_SETTINGS } from './session-settings.ts'
export { shapeOfMysql } from './shape.ts'
export { DEPTH_MAX, TEXT_BYTES_MAX } from './text-limits.ts'
export { understandMysql } from './understand.ts'
