/**
 * INVARIANT read-alike: the server reads statements as they are read here, or the session ends. These are the values
 * under which it does, as the server tells them and as a statement may spell them.
 */
const READ_ALIKE: Readonly<Record<string, RegExp>> = {
  standard_conforming_strings: /^(on|t(r(ue?)?)?|y(es?)?|1)$/i,
  client_encoding: /^(utf-?8|unicode)$/i,
  // Otherwise `x = NULL` is true where it is not for whoever counts the rows.
  transform_null_equals: /^(off?|f(a(l(se?)?)?)?|no?|0)$/i,
}

export const READING: readonly string[] = Object.keys(READ_ALIKE)

/** Whether statements would be read in another way when this setting, written in any case, has this value. */
export const isMisread = (name: string, value: string): boolean => READ_ALIKE[name.toLowerCase()]?.test(value) === false

/** Why, of one of several settings. */
export const misreadIn = (settings: Iterable<readonly [name: string, value: string]>): string | undefined => {
  for (const [name, value] of settings) {
    if (isMisread(name, value)) return `${name} is ${value}: statements would be read in another way`
  }
  return undefined
}
