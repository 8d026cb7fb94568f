/** The parts of a JSON Schema that lead from a value to the values in it. */
interface Shape {
  readonly properties?: Readonly<Record<string, Shape>>
  readonly required?: readonly string[]
  readonly items?: Shape | false
  readonly additionalProperties?: Shape
}

/**
 * What the values do not show of their schema: fields and list items that none of them has, and optional fields that
 * none of them lacks.
 */
export const untold = (schema: Shape, values: readonly unknown[], path = ''): readonly string[] => {
  if (values.length === 0) return [`${path}: never there`]
  const { properties = {}, required = [], items, additionalProperties } = schema
  const objects = values.filter(isObject)
  return [
    ...Object.entries(properties).flatMap(([key, part]) => [
      ...untold(
        part,
        objects.filter((each) => key in each).map((each) => each[key]),
        `${path}/${key}`,
      ),
      ...(required.includes(key) || objects.some((each) => !(key in each)) ? [] : [`${path}/${key}: never missing`]),
    ]),
    ...(items ? untold(items, values.filter(Array.isArray).flat(), `${path}/[]`) : []),
    ...(additionalProperties ? untold(additionalProperties, objects.flatMap(Object.values), `${path}/*`) : []),
  ]
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
