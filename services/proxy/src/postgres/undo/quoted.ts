export const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`

/** Read alike whatever `standard_conforming_strings` says. */
export const literal = (text: string): string => {
  const doubled = text.replaceAll("'", "''")
  return text.includes('\\') ? `E'${doubled.replaceAll('\\', '\\\\')}'` : `'${doubled}'`
}
