import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { traceParentIn } from './traceparent.ts'

const SAMPLED = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
const TRACE = '0af7651916cd43dd8448eb211c80319c'

const found = (sql: string) => traceParentIn(Buffer.from(sql))?.text

describe('the traceparent of a statement', () => {
  it.each([
    `select 1 /*traceparent='${SAMPLED}'*/`,
    `select 1 /* traceparent='${SAMPLED}' */ ; \n`,
    `select 1 /*action='%2Fparam*d',db_driver='django',traceparent='${SAMPLED}',tracestate='a%3D1'*/`,
    `/*traceparent='${SAMPLED}'*/ select 1`,
    ` \n/* a='b', traceparent='${SAMPLED}'*/ select 1`,
    `/*traceparent='${SAMPLED}'*/ select 1 /* plain */`,
    `select '/*' /*traceparent='${SAMPLED.replaceAll('-', '%2D')}'*/`,
    `/* é */ select 1 /*a='é',traceparent='${SAMPLED}'*/`,
    `select 1 /*traceparent='${SAMPLED.replace('00-', 'cc-')}-more'*/`,
  ])('is found in %s', (sql) => expect(found(sql)).toBe(SAMPLED))

  it('says whether its trace is sampled', () => {
    const parent = traceParentIn(Buffer.from(`/*traceparent='${SAMPLED.replace(/01$/, '02')}'*/ select 1`))
    expect(parent).toEqual({
      text: `00-${TRACE}-b7ad6b7169203331-00`,
      traceId: TRACE,
      spanId: 'b7ad6b7169203331',
      sampled: false,
    })
  })

  it.each([
    'select 1',
    '',
    '*/',
    '/*',
    '/*/',
    `select '/*traceparent=${SAMPLED}*/'`,
    `select 1 /*traceparent=${SAMPLED}*/`,
    `select 1 /*xtraceparent='${SAMPLED}'*/`,
    `select 1 /*traceparent='${SAMPLED.toUpperCase()}'*/`,
    `select 1 /*traceparent='${SAMPLED}-more'*/`,
    `select 1 /*traceparent='ff${SAMPLED.slice(2)}'*/`,
    `select 1 /*traceparent='00-${'0'.repeat(32)}-b7ad6b7169203331-01'*/`,
    `select 1 /*traceparent='00-${TRACE}-${'0'.repeat(16)}-01'*/`,
    `select 1 /*traceparent='${SAMPLED.slice(0, -1)}'*/`,
    `select 1 /*traceparent='%zz${SAMPLED}'*/`,
    `select 1 /*traceparent='${SAMPLED}"'*/`,
    `/*traceparent='${SAMPLED}'*/ ${'x'.repeat(10)} /*${'y'.repeat(10)}`.replace('/*t', '/* t').slice(3),
    `select 1 /*${' '.repeat(5_000)}traceparent='${SAMPLED}'*/`,
  ])('is not found in %s', (sql) => expect(found(sql)).toBeUndefined())

  it('is of one form only, whatever a client sends', () =>
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (before, inside) => {
        const text = found(`${before}/*traceparent='${inside}'*/`)
        if (text !== undefined) expect(text).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]$/)
      }),
    ))
})
