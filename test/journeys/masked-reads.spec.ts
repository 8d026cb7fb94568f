import { describe, expect, it } from 'vitest'
import { product } from '../support/shared-product.ts'
import { plantedValues } from '../support/planted.ts'

const SENSITIVE = ['first_name', 'last_name', 'email', 'phone', 'ssn', 'date_of_birth', 'street', 'postal_code']

describe('ana reads customers with psql', () => {
  it('and sees sensitive columns masked, the others clear', async () => {
    const planted = await plantedValues(product)
    const { stdout, status } = await product.psql('ana', '--csv', '-c', 'select * from customers order by id limit 5')
    expect(status).toBe(0)
    const [header = '', ...rows] = stdout.trim().split('\n')
    expect(header.split(',')).toEqual(expect.arrayContaining(['id', ...SENSITIVE, 'city', 'country']))
    expect(rows).toHaveLength(5)
    for (const value of planted) expect(stdout).not.toContain(value)
    expect(stdout).toMatch(/\*\*\*-\*\*-\d{4}/)
    const { stdout: clear } = await product.psql(
      'ana',
      '-At',
      '-c',
      'select id, city, country from customers order by id limit 1',
    )
    expect(clear.trim()).toMatch(/^1\|[A-Z][a-z]+\|[A-Z]{2}$/)
  })

  it.each([
    ['a view', 'select * from active_customers limit 200'],
    ['aliases', 'select c.ssn as id, c.email as city from customers c'],
    ['functions of a column', "select lower(email), reverse(ssn), ssn || '', md5(ssn), left(ssn, 3) from customers"],
    ['aggregates', 'select min(ssn), max(email), string_agg(phone, chr(59)), array_agg(email) from customers'],
    ['whole rows', 'select c, row_to_json(c), to_jsonb(c), c::text from customers c'],
    ['set operations', 'select email from customers union select email from customers'],
    [
      'subqueries',
      'select (select ssn from customers where id = c.id), x.* from customers c, lateral (select c.email) x',
    ],
    ['common table expressions', 'with q as materialized (select ssn, email from customers) select * from q'],
    ['windows', 'select first_value(ssn) over (order by id), lag(email) over (order by id) from customers'],
    [
      'casts',
      "select ssn::varchar(20), email::bytea, convert_to(email, 'UTF8'), encode(email::bytea, 'base64') from customers",
    ],
    ['json inside', "select profile, profile->'contact', profile #>> '{contact,email}' from customers"],
    ['COPY', 'copy customers to stdout'],
    ['COPY of a query as CSV', 'copy (select ssn, email, notes from customers) to stdout (format csv, header)'],
    ['COPY of computed columns', 'copy (select reverse(ssn), upper(email) from customers) to stdout'],
    ['a cursor', 'begin; declare c cursor for select ssn, email from customers; fetch all c; commit'],
    ['SQL’s own PREPARE', 'prepare p as select ssn, email from customers; execute p'],
    ['EXPLAIN', "explain (analyze, verbose) select * from customers where ssn = '000'"],
    ['an error of a cast', 'select ssn::int from customers'],
  ])('and gets no raw value by %s', async (_, sql) => {
    const planted = await plantedValues(product)
    const { stdout, stderr } = await product.psql('ana', '-At', '-c', sql)
    for (const value of planted) {
      expect(stdout).not.toContain(value)
      expect(stderr).not.toContain(value)
    }
  })

  it('and counts, joins and groups as if nothing were masked', async () => {
    const { stdout } = await product.psql(
      'ana',
      '-At',
      '-c',
      'select count(*), count(distinct email), count(ssn) > 0 from customers',
      '-c',
      'select count(*) from customers a join customers b using (email)',
    )
    expect(stdout).toBe('2400|2400|t\n2400\n')
  })
})
