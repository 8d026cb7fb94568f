/** Columns side by side, as wide as their widest cell; the last one is not padded. Nothing is cut off. */
export const table = (header: readonly string[], rows: readonly (readonly string[])[]): readonly string[] => {
  const lines = [header, ...rows].map((row) => row.map(visible))
  const widths = header.map((_, column) => Math.max(...lines.map((line) => widthOf(line[column] ?? ''))))
  return lines.map((line) =>
    line
      .map((cell, column) => pad(cell, widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  )
}

const pad = (cell: string, width: number): string => cell + ' '.repeat(Math.max(0, width - widthOf(cell)))

const widthOf = (cell: string): number => [...cell].length

/**
 * What others wrote, such as a statement's text, must not steer the terminal of whoever reads it: control characters
 * and the marks that turn the direction of text are shown, not obeyed. Line breaks become spaces.
 */
export const visible = (text: string): string =>
  text.replace(/\s+/g, ' ').replace(STEERING, (character) => `\\u${hex(character)}`)

/** At most so many characters; what is left out is marked. */
export const shortened = (text: string, max: number): string => {
  const characters = [...visible(text)]
  return characters.length <= max ? characters.join('') : `${characters.slice(0, max - 1).join('')}…`
}

/** As `visible`, but lines stay lines. */
export const visibleLines = (text: string): string => text.split(/\r?\n/).map(visibleKeepingSpaces).join('\n')

const visibleKeepingSpaces = (line: string): string =>
  line.replaceAll('\t', '    ').replace(STEERING, (character) => `\\u${hex(character)}`)

// Categories Cc (controls) and Cf (formats: direction marks, zero width).
const STEERING = /[\p{Cc}\p{Cf}]/gu

const hex = (character: string): string => (character.codePointAt(0) ?? 0).toString(16).padStart(4, '0')
