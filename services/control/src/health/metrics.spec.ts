import { expect, it } from 'vitest'
import { renderFigures, Tally } from './metrics.ts'

it('writes figures as Prometheus reads them, whatever a label holds', () => {
  const tally = new Tally()
  tally.add('a"b\\c\nd')
  tally.add('a"b\\c\nd')
  expect(
    renderFigures([{ name: 'things_total', help: 'Things.', type: 'counter', samples: tally.samples('kind') }]),
  ).toBe('# HELP things_total Things.\n# TYPE things_total counter\nthings_total{kind="a\\"b\\\\c\\nd"} 2\n')
})
