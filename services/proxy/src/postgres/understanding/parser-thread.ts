import { parentPort } from 'node:worker_threads'
import {
  advise,
  analyse,
  displayText,
  judge,
  loadParser,
  reachesOf,
  readCatalogue,
  readTree,
  shapeDigestInput,
  SqlRefusedError,
  SqlSyntaxError,
  TreeError,
  understand,
  type Analysis,
  type AnalysisFailure,
  type Catalogue,
  type Command,
  type Facts,
  type Session,
  type Understanding,
  withTemporary,
} from '@countersign/sql'
import type { CatalogueSummary, JobKind, JobReply, JobRequest, Jobs, ServerTree } from './parser-jobs.ts'
import { Words } from './words.ts'

/*
 * The thread that has the parser: a deep stack, and nothing that could not be thrown away with it.
 */

const catalogues = new Map<string, Catalogue>()

/** A text is understood first and judged then: of a long one, half of the time is spent on reading it. */
let lastRead: { readonly sql: string; readonly understanding: Understanding } | undefined

const read = (sql: string): Understanding => {
  if (lastRead?.sql !== sql) lastRead = { sql, understanding: understand(sql) }
  return lastRead.understanding
}

const answers: { readonly [Kind in JobKind]: (input: Jobs[Kind]['in']) => Jobs[Kind]['out'] } = {
  understand: ({ sql }) => {
    const understanding = read(sql)
    const hasSecrets = understanding.commands.some(({ secrets }) => secrets)
    const hidden = hasSecrets ? displayText(sql, understanding) : undefined
    return { understanding, shapeInput: shapeDigestInput(sql, understanding), hidden }
  },
  judge: ({ catalogue: name, sql, trees, types, session, prepared, cursors }) => {
    const catalogue = catalogues.get(name)
    if (!catalogue) throw new Error(`no catalogue of ${name}`)
    const words = new Words(session, prepared, cursors)
    return read(sql).commands.map((command, index) => {
      const known = { ...words.session, parameterTypes: types[index] ?? [] }
      const facts = factsOf(command, trees[index], catalogue, known)
      words.follow(command, facts, sql)
      return facts
    })
  },
  reach: ({ sql }) => reachesOf(sql),
  advise: ({ catalogue: name, sql, session, known }) => {
    const catalogue = catalogues.get(name)
    if (!catalogue) throw new Error(`no catalogue of ${name}`)
    const names = new Words(session, [], []).session
    return advise(sql, (index) => ({ catalogue, session: names, ...known[index] }))
  },
  catalogue: ({ name, answers: told }) => {
    const catalogue = readCatalogue(told)
    catalogues.set(name, catalogue)
    return summaryOf(catalogue)
  },
}

const factsOf = (command: Command, tree: ServerTree, catalogue: Catalogue, session: Session): Facts => {
  if (tree && 'sqlstate' in tree && tree.equipped)
    return judge(command, tree, catalogue, { ...session, equipped: true })
  if (!tree || !('tree' in tree) || !tree.temporary) {
    return judge(command, analysisOf(tree, catalogue), catalogue, session)
  }
  const equipped = withTemporary(catalogue, tree.temporary)
  return judge(command, analysisOf(tree, equipped), equipped, { ...session, equipped: true })
}

/** A tree that cannot be read is none: the statement is then judged by its text, and never as read-only. */
const analysisOf = (tree: ServerTree, catalogue: Catalogue): Analysis | AnalysisFailure | undefined => {
  if (!tree || 'sqlstate' in tree) return tree
  try {
    return analyse(readTree(tree.tree), catalogue)
  } catch (error) {
    if (error instanceof TreeError) return undefined
    throw error
  }
}

const summaryOf = ({ version, serverVersion, relations, columns }: Catalogue): CatalogueSummary => ({
  version,
  serverVersion,
  relations: [...relations.values()].map(({ oid, schema, name, kind }) => ({
    oid,
    schema,
    name,
    kind,
    columns: columns.get(oid) ?? [],
  })),
})

const run = <Kind extends JobKind>({ id, kind, input }: JobRequest<Kind>): JobReply => {
  try {
    return { id, output: answers[kind](input) }
  } catch (error) {
    const isOfText = error instanceof SqlSyntaxError || error instanceof SqlRefusedError
    return {
      id,
      failed: isOfText ? 'refused' : 'broken',
      sqlstate: isOfText ? error.sqlstate : 'XX000',
      message: error instanceof Error ? error.message : String(error),
      ...(error instanceof SqlSyntaxError && {
        position: error.position,
        ...(error.detail !== undefined && { detail: error.detail }),
        ...(error.hint !== undefined && { hint: error.hint }),
      }),
    }
  }
}

await loadParser()
parentPort?.on('message', (request: JobRequest) => parentPort?.postMessage(run(request)))
parentPort?.postMessage({ id: 0, output: 'ready' } satisfies JobReply)
