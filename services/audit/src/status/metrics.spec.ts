import { describe, expect, it } from 'vitest'
import { metricsText } from './metrics.ts'

describe('metricsText', () => {
  it('writes figures as Prometheus reads them', () =>
    expect(
      metricsText([
        { name: 'a_total', help: 'All of a.', type: 'counter', samples: [{ value: 3 }] },
        {
          name: 'b',
          help: 'Some b.',
          type: 'gauge',
          samples: [
            { labels: { topic: 'cs.access.v1', partition: 0 }, value: 1.5 },
            { labels: { odd: 'a"b\\c\nd' }, value: 0 },
          ],
        },
        { name: 'c', help: 'Nothing known.', type: 'gauge', samples: [] },
      ]),
    ).toBe(
      [
        '# HELP a_total All of a.',
        '# TYPE a_total counter',
        'a_total 3',
        '# HELP b Some b.',
        '# TYPE b gauge',
        'b{topic="cs.access.v1",partition="0"} 1.5',
        'b{odd="a\\"b\\\\c\\nd"} 0',
        '# HELP c Nothing known.',
        '# TYPE c gauge',
        '',
      ].join('\n'),
    ))
})
