import { expect, it } from 'vitest'
import { parseOptions } from './options.ts'

it.each([
  ['-c search_path=app', { search_path: 'app' }],
  ['-csearch_path=app --work-mem=4MB', { search_path: 'app', work_mem: '4MB' }],
  [String.raw`-c application_name=my\ tool -c x.y=a\\b`, { application_name: 'my tool', 'x.y': String.raw`a\b` }],
  ['  ', {}],
  ['-c DateStyle=ISO', { datestyle: 'ISO' }],
  ['-c a.b=', { 'a.b': '' }],
])('reads %s', (options, settings) => expect(Object.fromEntries(parseOptions(options) ?? [])).toEqual(settings))

it.each(['-d 5', '-c', '-c nothing', 'postgres', '-c =x', '-e'])('refuses %s', (options) =>
  expect(parseOptions(options)).toBeUndefined(),
)
