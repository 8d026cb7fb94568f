import { describe, expect, it } from 'vitest'
import { redactServerMessage, type ServerMessage } from './server-message.ts'

const name = 'Ana Ruiz'

describe('when nothing sensitive is touched', () => {
  it('only values that are known as such are removed', () => {
    const message = {
      code: '23505',
      message: `duplicate "x"`,
      detail: 'Key (email)=(x) already exists.',
      hint: `ask ${name} or ana@example.com`,
      where: 'line 1',
    }
    expect(redactServerMessage(message, { strict: false })).toEqual({
      ...message,
      detail: 'Key (email)=([email]) already exists.',
      hint: `ask ${name} or [email]`,
    })
  })
})

describe('when something sensitive is touched', () => {
  const strictly = (message: ServerMessage, known?: readonly string[]) =>
    redactServerMessage(message, { strict: true, ...(known ? { known: new Set(known) } : {}) })

  it.each<[string, ServerMessage, ServerMessage]>([
    [
      'a cast',
      { code: '22P02', message: `invalid input syntax for type integer: "${name} "x" y"` },
      { message: 'invalid input syntax for type integer: "[masked]"' },
    ],
    [
      'a unique key',
      {
        code: '23505',
        message: 'duplicate key value violates unique constraint "c_key"',
        detail: `Key (full_name, lower(email))=(${name}, (x)) already exists.`,
        constraint: 'c_key',
        table: 'c',
      },
      {
        message: 'duplicate key value violates unique constraint "c_key"',
        detail: 'Key (full_name, lower(email))=([person-name]) already exists.',
      },
    ],
    [
      'an exclusion',
      { code: '23P01', message: 'x', detail: `Key (n)=(${name}) conflicts with existing key (n)=(${name}).` },
      { detail: 'Key (n)=([masked]) conflicts with existing key (n)=([masked]).' },
    ],
    [
      'a failing row',
      {
        code: '23514',
        message: 'new row for relation "c" violates check constraint "k"',
        detail: `Failing row contains (1, ${name}, null).`,
        table: 'c',
        constraint: 'k',
      },
      { message: 'new row for relation "c" violates check constraint "k"', detail: 'Failing row contains ([masked]).' },
    ],
    [
      'RAISE',
      {
        code: 'P0001',
        message: name,
        detail: name,
        hint: name,
        where: 'PL/pgSQL function inline_code_block line 1 at RAISE',
        routine: 'exec_stmt_raise',
      },
      {
        message: '[masked]',
        detail: '[masked]',
        hint: '[masked]',
        where: 'PL/pgSQL function inline_code_block line 1 at RAISE',
      },
    ],
    [
      'RAISE with a code of another error',
      { code: '22012', message: name, routine: 'exec_stmt_raise' },
      { message: '[masked]' },
    ],
    [
      'a name that is a value',
      { code: '42P01', message: `relation "${name}" does not exist` },
      { message: 'relation "[masked]" does not exist' },
    ],
    [
      'a name that the statement holds',
      { code: '42P01', message: 'relation "custmers" does not exist', position: '15' },
      { message: 'relation "custmers" does not exist' },
    ],
    [
      'JSON',
      {
        code: '22P02',
        message: 'invalid input syntax for type json',
        detail: `Token "${name}" is invalid.`,
        where: `JSON data, line 1: ${name}`,
      },
      { detail: 'Token "[masked]" is invalid.', where: 'JSON data, line 1: [masked]' },
    ],
    [
      'XML',
      { code: '2200N', message: 'invalid XML content', detail: `line 1: Start tag expected\n${name}\n^` },
      { detail: '[masked]' },
    ],
    [
      'COPY',
      { code: '22P02', message: 'x', where: `COPY c, line 1, column n: "${name}"` },
      { where: 'COPY c, line 1, column n: "[masked]"' },
    ],
    [
      'parameters',
      { where: `unnamed portal with parameters: $1 = '${name}', $2 = 'O''B'` },
      { where: `unnamed portal with parameters: $1 = '[masked]', $2 = '[masked]'` },
    ],
    [
      'numbers',
      { message: 'value 78051120 is out of bounds for sequence "s" (1..10)' },
      { message: 'value [masked] is out of bounds for sequence "[masked]" (1..10)' },
    ],
    [
      'inner statements',
      {
        internalQuery: `select '${name}'`,
        where: `SQL statement "select '${name}'"\nPL/pgSQL function f() line 3 at EXECUTE`,
      },
      { internalQuery: '[masked]', where: 'SQL statement "[masked]"\nPL/pgSQL function f() line 3 at EXECUTE' },
    ],
    ['another server', { message: name, routine: 'dblink_res_error' }, { message: '[masked]' }],
  ])('%s', (_name, message, redacted) => {
    expect(strictly(message)).toMatchObject(redacted)
    expect(JSON.stringify(strictly(message))).not.toContain('Ana')
  })

  it('names that the statement uses may stay', () => {
    const message = { code: '55000', message: 'cannot delete from view "v"' }
    expect(strictly(message).message).toBe('cannot delete from view "[masked]"')
    expect(strictly(message, ['v']).message).toBe('cannot delete from view "v"')
  })

  it('leaves every other field as it is', () => {
    const message = {
      severity: 'ERROR',
      code: '22012',
      message: 'division by zero',
      file: 'int.c',
      line: '846',
      routine: 'int4div',
      position: '8',
    }
    expect(strictly(message)).toEqual(message)
  })
})
