import { beforeAll, describe, expect, it } from 'vitest'
import { displayText, loadParser, understand } from './index.ts'

beforeAll(() => loadParser())

const shown = (text: string, lengthMax?: number) => displayText(text, understand(text), lengthMax)
const SECRET = ['hunter', 2].join('')

describe('passwords and keys are never shown', () => {
  it.each([
    `ALTER ROLE ana PASSWORD '${SECRET}'`,
    `CREATE USER ana WITH ENCRYPTED PASSWORD $x$${SECRET}$x$`,
    `ALTER USER ana PASSWORD E'${SECRET}\\n'`,
    `ALTER USER ana PASSWORD U&'${SECRET}'`,
    `alter /* ${SECRET} */ role ana -- ${SECRET}\n password '${SECRET}'`,
    `CREATE USER MAPPING FOR ana SERVER s OPTIONS (user 'x', password '${SECRET}')`,
    `ALTER SERVER s OPTIONS (SET passfile '${SECRET}')`,
    `CREATE SUBSCRIPTION s CONNECTION 'host=x password=${SECRET}' PUBLICATION p`,
    `SELECT * FROM dblink('password=${SECRET}', 'select 1') AS t(a int)`,
    `SELECT pgp_sym_encrypt(a, '${SECRET}') FROM t`,
    `PREPARE p AS SELECT crypt($1, '${SECRET}')`,
    `DO $$ BEGIN ALTER ROLE ana PASSWORD '${SECRET}'; END $$`,
    `CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $$ BEGIN ALTER ROLE ana PASSWORD '${SECRET}'; END $$`,
    `SELECT 1; ALTER ROLE ana PASSWORD '${SECRET}'; SELECT 2`,
  ])('%s', (text) => {
    expect(shown(text)).not.toContain(SECRET)
    expect(shown(text)).toMatch(/\*\*\*/)
  })

  it('also when the text is not SQL', () => {
    for (const text of [
      `ALTER ROLE ana PASWORD '${SECRET}'`,
      `ALTER ROLE ana PASSWORD '${SECRET}`,
      `x $$${SECRET}$$ /* ${SECRET} */ -- ${SECRET}`,
    ]) {
      expect(displayText(text, undefined)).not.toContain(SECRET)
    }
  })
})

it('shows everything else as it is', () => {
  const text = "SELECT 'a', $$b$$ FROM t -- why\n"
  expect(shown(text)).toBe(text)
  expect(shown(`SELECT 'a'; ALTER ROLE ana PASSWORD 'x'`)).toBe("SELECT 'a'; ALTER ROLE ana PASSWORD '***'")
  expect(displayText('SELECT 1 FRM \'x\' "y"', undefined)).toBe('SELECT 1 FRM \'***\' "y"')
})

it('is shortened to whole characters, and says how long it was', () => {
  expect(shown(`SELECT '${'x'.repeat(100)}'`, 12)).toBe("SELECT 'xxxx… (109 bytes)")
  expect(shown("SELECT '😀'", 9)).toBe("SELECT '… (13 bytes)")
  expect(shown(`ALTER ROLE ana PASSWORD '${'x'.repeat(9_000)}'`)).toBe("ALTER ROLE ana PASSWORD '***'… (9026 bytes)")
})
