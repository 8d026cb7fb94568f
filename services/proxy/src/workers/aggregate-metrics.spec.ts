import { describe, expect, it } from 'vitest'
import type { Metric } from '../admin.ts'
import { aggregateMetrics } from './aggregate-metrics.ts'

const metric = (name: string, values: Metric['values'], across?: 'worker'): Metric => ({
  name,
  help: name,
  type: 'counter',
  values,
  ...(across && { across }),
})

describe('the metrics of several workers', () => {
  it('are added up under the same labels, whatever their order', () =>
    expect(
      aggregateMetrics(
        new Map([
          [
            'w0',
            [
              metric('done', [
                { value: 1, labels: { how: 'a', who: 'x' } },
                { value: 2, labels: { how: 'b' } },
              ]),
            ],
          ],
          ['w1', [metric('done', [{ value: 4, labels: { who: 'x', how: 'a' } }])]],
        ]),
      ),
    ).toMatchObject([
      {
        values: [
          { labels: { how: 'a', who: 'x' }, value: 5 },
          { labels: { how: 'b' }, value: 2 },
        ],
      },
    ]))

  it('say whose they are where a sum means nothing', () =>
    expect(
      aggregateMetrics(
        new Map([
          ['w0', [metric('bytes', [{ value: 1 }], 'worker')]],
          ['w1', [metric('bytes', [{ value: 2, labels: { kind: 'heap' } }], 'worker')]],
        ]),
      ),
    ).toMatchObject([
      {
        values: [
          { labels: { worker: 'w0' }, value: 1 },
          { labels: { worker: 'w1', kind: 'heap' }, value: 2 },
        ],
      },
    ]))

  it('are there also when only one of them has any', () =>
    expect(
      aggregateMetrics(
        new Map([
          ['w0', []],
          ['w1', [metric('done', [{ value: 3 }])]],
        ]),
      ),
    ).toMatchObject([{ name: 'done', values: [{ value: 3 }] }]))
})
