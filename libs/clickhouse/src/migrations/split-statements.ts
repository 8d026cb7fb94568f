const SKIPPED = /--[^\n]*|\/\*[\s\S]*?\*\//.source
const QUOTED = /'(?:[^'\\]|\\[\s\S])*'|`(?:[^`\\]|\\[\s\S])*`|"(?:[^"\\]|\\[\s\S])*"/.source
const PIECE = new RegExp(`(?<skipped>${SKIPPED})|(?<kept>${QUOTED}|[^;])|(?<end>;)`, 'g')

/** The statements of a file: split at semicolons, except inside quotes and comments; comments are left out. */
export const splitStatements = (sql: string): readonly string[] => {
  const statements = ['']
  for (const { groups } of sql.matchAll(PIECE)) {
    if (groups?.['end'] !== undefined) statements.push('')
    else statements.push((statements.pop() ?? '') + (groups?.['kept'] ?? ' '))
  }
  return statements.map((statement) => statement.trim()).filter((statement) => statement !== '')
}
