/**
 * INVARIANT read-alike: the server reads statements as they are read here, or the session ends. `unless` is met by the
 * values under which it does.
 */
const READ_ALIKE: Readonly<Record<string, { readonly unless: RegExp }>> = {
  standard_conforming_strings: { unless: /^on$/ },
  client_encoding: { unless: /^(utf-?8|unicode)$/i },
  // Otherwise `x = NULL` is true where it is not for whoever counts the rows.
  transform_null_equals: { unless: /^off$/ },
}

export const READING: readonly string[] = Object.keys(READ_ALIKE)

/** Why statements would be read in another way when this setting has this value. */
export const misread = (name: string, value: string): string | undefined => {
  const setting = READ_ALIKE[name]
  if (!setting || setting.unless.test(value)) return undefined
  return `${name} is ${value}: statements would be read in another way`
}

export const misreadIn = (settings: Iterable<readonly [name: string, value: string]>): string | undefined => {
  for (const [name, value] of settings) {
    const why = misread(name, value)
    if (why !== undefined) return why
  }
  return undefined
}
