import type {
  AlterFunctionStmt,
  CallStmt,
  CreateFunctionStmt,
  DoStmt,
  Node,
  RuleStmt,
  CreateTrigStmt,
} from 'libpg-query'
import { effect, nameText } from '../action.ts'
import type { Command, Created, RoutineBody } from '../command.ts'
import { danger, type Danger } from '../danger.ts'
import { queryParts } from '../query-parts.ts'
import { isOn, lastOption, nameOfList, nameOfRelation, optionsOf, stringOf, type Option } from '../syntax-tree.ts'
import { mentions } from './query.ts'
import { atomicBody, readBody } from './routine-body.ts'
import type { Context, Reader } from './reader.ts'

/*
 * Code that the database stores, and code that runs at once.
 */

/** Trusted ones cannot reach beyond the database; by custom the name of an untrusted one ends in u. */
const isUntrusted = (language: string) => /^(c|internal)$/.test(language) || language.endsWith('u')

export const readCreateFunction: Reader<CreateFunctionStmt> = (statement, context) => {
  const options = optionsOf(statement.options)
  const body = bodyOf(statement, options, context)
  const name = nameOfList(statement.funcname)
  const temporary = name.schema === 'pg_temp'
  const created: Created = { kind: 'routine', object: name, temporary }
  return {
    tag: statement.is_procedure ? 'CREATE PROCEDURE' : 'CREATE FUNCTION',
    effects: [effect('create', 'routine', name)],
    creates: [created],
    body,
    dangers: [...dangersOfOptions(options, body.language), ...dangersOfBody(body)],
    secrets: body.statements.some(({ command }) => command.secrets),
  }
}

const bodyOf = (statement: CreateFunctionStmt, options: readonly Option[], { read, source }: Context): RoutineBody => {
  const readNode = (node: Node) => read(node, undefined)
  if (statement.sql_body) return atomicBody(statement.sql_body, readNode)
  const language = (lastOption(options, 'language')?.value ?? 'sql').toLowerCase()
  return readBody(language, codeOf(lastOption(options, 'as')), source?.text, readNode)
}

/** AS is a list: the code; or for C the library and the symbol in it. */
const codeOf = (as: Option | undefined): string => {
  const [first] = as?.arg && 'List' in as.arg ? (as.arg.List.items ?? []) : []
  return stringOf(first) ?? as?.value ?? ''
}

const dangersOfOptions = (options: readonly Option[], language: string): readonly Danger[] => [
  ...(isOn(lastOption(options, 'security')) ? [danger('security-definer', 'the function')] : []),
  ...(isUntrusted(language) ? [danger('untrusted-language', `the function (${language})`)] : []),
]

const dangersOfBody = (body: RoutineBody): readonly Danger[] => [
  ...(body.statements.some(({ command }) => changesData(command)) ? [danger('writes-in-code', 'the function')] : []),
  ...(body.dynamic ? [danger('dynamic-code', 'the function')] : []),
  ...(body.unreadable ? [danger('unreadable-code', 'the function')] : []),
  ...body.statements.flatMap(({ command }) => command.dangers),
]

export const changesData = ({ effects }: Command): boolean => effects.some(({ action }) => !HARMLESS.has(action))

const HARMLESS = new Set(['read', 'execute', 'transact', 'configure'])

export const readAlterFunction: Reader<AlterFunctionStmt> = ({ func, actions }) => {
  const name = nameOfList(func?.objname)
  const isDefiner = isOn(lastOption(optionsOf(actions), 'security'))
  return {
    tag: 'ALTER FUNCTION',
    effects: [effect('alter', 'routine', name)],
    dangers: isDefiner ? [danger('security-definer', `${nameText(name)}()`)] : [],
  }
}

/** A DO block runs at once, so what it does is what the statement does. */
export const readDo: Reader<DoStmt> = ({ args }, { read, source }) => {
  const options = optionsOf(args)
  const language = (lastOption(options, 'language')?.value ?? 'plpgsql').toLowerCase()
  const body = readBody(language, codeOf(lastOption(options, 'as')), source?.text, (node) => read(node, undefined))
  const commands = body.statements.map(({ command }) => command)
  return {
    tag: 'DO',
    body,
    effects: [
      effect('execute', 'routine', { name: 'DO' }),
      ...commands.flatMap(({ effects }) => effects),
      ...(body.dynamic || body.unreadable ? [effect('unknown', 'statement', { name: 'DO' })] : []),
    ],
    dangers: [
      ...(body.dynamic ? [danger('dynamic-code', 'the DO block')] : []),
      ...(body.unreadable ? [danger('unreadable-code', 'the DO block')] : []),
      ...(isUntrusted(language) ? [danger('untrusted-language', `the DO block (${language})`)] : []),
      ...commands.flatMap(({ dangers }) => dangers),
    ],
    functions: commands.flatMap(({ functions }) => functions),
    operators: commands.flatMap(({ operators }) => operators),
    types: commands.flatMap(({ types }) => types),
    attributes: commands.flatMap(({ attributes }) => attributes),
    changes: body.statements.flatMap(({ command, repeated }) =>
      command.changes.map((change) => uncounted(change, repeated)),
    ),
    settings: commands.flatMap(({ settings }) => settings),
    creates: commands.flatMap(({ creates }) => creates),
    secrets: commands.some(({ secrets }) => secrets),
  }
}

/** Variables stand in its conditions, and it may run many times: nothing can be counted beforehand. */
const uncounted = (change: Command['changes'][number], repeated: boolean): Command['changes'][number] => {
  const { count: _, rowsAtMost, ...rest } = change
  return rowsAtMost === undefined || repeated ? rest : { ...rest, rowsAtMost }
}

export const readCall: Reader<CallStmt> = ({ funccall }) => ({
  tag: 'CALL',
  ...mentions(queryParts({ funccall })),
  effects: [effect('execute', 'routine', nameOfList(funccall?.funcname))],
})

/** A trigger or a rule is a delayed statement: what it will do counts as stored, not as done. */
export const readCreateTrigger: Reader<CreateTrigStmt> = ({ trigname, relation, funcname, whenClause }) => ({
  tag: 'CREATE TRIGGER',
  ...mentions(queryParts(whenClause)),
  effects: [
    effect('create', 'trigger', { name: `${trigname} on ${nameText(nameOfRelation(relation))}` }),
    effect('alter', 'relation', nameOfRelation(relation)),
  ],
  functions: [{ ...nameOfList(funcname), args: [] }],
})

export const readRule: Reader<RuleStmt> = ({ rulename, relation, actions }, { read }) => {
  const commands = (actions ?? []).map((node) => read(node, undefined))
  return {
    tag: 'CREATE RULE',
    effects: [
      effect('create', 'rule', { name: `${rulename} on ${nameText(nameOfRelation(relation))}` }),
      effect('alter', 'relation', nameOfRelation(relation)),
    ],
    dangers: [
      ...(commands.some(changesData) ? [danger('writes-in-code', 'the rule')] : []),
      ...commands.flatMap(({ dangers }) => dangers),
    ],
    functions: commands.flatMap(({ functions }) => functions),
  }
}
