/** A figure, as Prometheus reads it. */
export interface Figure {
  readonly name: string
  readonly help: string
  readonly type: 'counter' | 'gauge'
  readonly samples: readonly Sample[]
}

export interface Sample {
  readonly labels?: Readonly<Record<string, string | number>>
  readonly value: number
}

// SPEC: Prometheus text exposition format 0.0.4.
export const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8'

export const metricsText = (figures: readonly Figure[]): string => figures.map(textOf).join('')

const textOf = ({ name, help, type, samples }: Figure): string =>
  [
    `# HELP ${name} ${help}`,
    `# TYPE ${name} ${type}`,
    ...samples.map(({ labels = {}, value }) => `${name}${labelsOf(labels)} ${value}`),
    '',
  ].join('\n')

const labelsOf = (labels: Readonly<Record<string, string | number>>): string => {
  const pairs = Object.entries(labels).map(([key, value]) => `${key}="${escaped(String(value))}"`)
  return pairs.length > 0 ? `{${pairs.join(',')}}` : ''
}

const escaped = (value: string): string => value.replace(/[\\"]/g, '\\$&').replaceAll('\n', '\\n')
