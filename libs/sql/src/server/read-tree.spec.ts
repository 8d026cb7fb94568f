import { describe, expect, it } from 'vitest'
import { TreeError } from '../sql-error.ts'
import { readTree } from './read-tree.ts'

const code = (text: string) => {
  try {
    return readTree(text)
  } catch (error) {
    return error instanceof TreeError ? error.code : error
  }
}

describe('a tree as the server prints it', () => {
  it('is read with its lists, sets, strings, constants and nulls', () =>
    expect(
      readTree(
        `({QUERY :commandType 1 :utilityStmt <> :rtable ({RTE :alias <> :colnames ("id" "e mail") :cols (b 8\n10)}) :value {CONST :constvalue 4 [ 1 0 0 0 ]} :flag true})`,
      ),
    ).toEqual([
      {
        tag: 'QUERY',
        fields: {
          commandType: '1',
          utilityStmt: null,
          rtable: [{ tag: 'RTE', fields: { alias: null, colnames: ['id', 'e mail'], cols: ['b', '8', '10'] } }],
          value: { tag: 'CONST', fields: { constvalue: '4' } },
          flag: 'true',
        },
      },
    ]))

  it('never takes a name that a user chose for structure', () => {
    const hostile = String.raw`({TARGETENTRY :resname :resjunk :other \{X\ :a\ \(1\)\} :last \<> :resjunk false})`
    expect(readTree(hostile)).toEqual([
      { tag: 'TARGETENTRY', fields: { resname: ':resjunk', other: '{X :a (1)}', last: '<>', resjunk: 'false' } },
    ])
    expect(readTree(String.raw`({A :x "a\"b\\ }" :y ""})`)).toEqual([
      { tag: 'A', fields: { x: String.raw`a"b\ }`, y: '' } },
    ])
  })

  it.each([
    ['TREE_MALFORMED', '({A :x 1'],
    ['TREE_MALFORMED', '({A :x 1 2})'],
    ['TREE_MALFORMED', '({A x 1})'],
    ['TREE_MALFORMED', '({A :x "1})'],
    ['TREE_MALFORMED', '({A :x })'],
    ['TREE_MALFORMED', '({A :x 1}) y'],
    ['TREE_MALFORMED', '({A :x 4 [ 1 2 })'],
    ['TREE_MALFORMED', ''],
    ['TREE_UNEXPECTED', '(1 2)'],
    ['TREE_TOO_DEEP', `${'('.repeat(5_000)}`],
    // The server may have broken such a word in two, and the second half could be anything.
    ['TREE_AMBIGUOUS', `({A :x ${'\\('.repeat(40)} :y 1})`],
    ['TREE_AMBIGUOUS', `({A :x "${'é'.repeat(40)}"})`],
  ])('is refused when it is none: %s %s', (expected, text) => expect(code(text)).toBe(expected))
})
