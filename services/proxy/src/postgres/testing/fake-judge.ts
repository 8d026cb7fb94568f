import type { Digest } from '@countersign/contracts'
import { dataRow, readDataRow } from '@countersign/pgwire'
import type { CopyPlan, RowPlan } from '../../statement/judgement.ts'
import { StatementRefusedError } from '../../statement/refusal.ts'
import type { CalledFunction } from '../statement/called-function.ts'
import { NO_EFFECTS } from '../statement/effects.ts'
import type { Circumstances, Judge } from '../statement/judge.ts'
import type { PostgresJudgement, ResultPlanner, SessionEffects } from '../statement/postgres-judgement.ts'
import { cannotBeGuarded, CALLED, GUARDED_ROWS, isReadOnly, readScript, type Command } from './script.ts'

/** Judges the language of `script.ts`, at once or when a spec lets it. Remembers under what circumstances. */
export class FakeJudge implements Judge {
  restsOnTransaction = false
  /** Whether a text is known already, so that nobody need be asked. */
  knows: (sql: string) => boolean = () => true
  policyVersion = 'v1'
  /** Every time that a text was judged: by which names, and as which statement where it only names one. */
  readonly judged: { readonly sql: string; readonly names: string; readonly meant: string }[] = []
  /** Rows that were masked by the plan of another statement. */
  readonly misattributed: string[] = []
  #held: (() => void)[] | undefined

  hold(): void {
    this.#held ??= []
  }

  release(): void {
    const held = this.#held ?? []
    this.#held = undefined
    for (const go of held) go()
  }

  known(sql: string, circumstances: Circumstances): readonly PostgresJudgement[] | undefined {
    // What only names another statement is never known before: the session has to be asked.
    const asksSession = readScript(sql).some(({ kind }) => kind === 'run' || kind === 'fetch')
    const known = this.knows(sql) && !asksSession && !sql.includes('gibberish')
    return known ? this.#judge(sql, circumstances) : undefined
  }

  async ask(sql: string, circumstances: Circumstances): Promise<readonly PostgresJudgement[]> {
    await new Promise<void>((resolve) => (this.#held ? this.#held.push(resolve) : resolve()))
    if (sql.includes('gibberish')) throw new StatementRefusedError('42601', 'no such language')
    return this.#judge(sql, circumstances)
  }

  async called(oid: number): Promise<CalledFunction> {
    const sql = CALLED[oid]
    if (sql === undefined) throw new StatementRefusedError('42883', `function with OID ${oid} does not exist`)
    return { sql, types: [], name: 'called', resultType: 25 }
  }

  notUnderstood(sql: string, { message }: StatementRefusedError): PostgresJudgement {
    const [command] = readScript(sql)
    if (!command) throw new Error('nothing to understand')
    return { ...judgementOf(command, this.policyVersion), verdict: 'deny', because: message }
  }

  #judge(sql: string, circumstances: Circumstances): readonly PostgresJudgement[] {
    const commands = readScript(sql)
    return commands.map((command) => {
      const meant = this.#meant(command, circumstances)
      const { session } = circumstances
      const names = session.changedSchema ? NOT_RELIED_ON : session.searchPath.join()
      this.judged.push({ sql, names, meant: meantText(command, circumstances) })
      const judgement = judgementOf(meant, this.policyVersion)
      const verdict = cannotBeGuarded(commands) ? ('deny' as const) : judgement.verdict
      return { ...judgement, verdict, effects: effectsOf(command), results: this.#planner(meant) }
    })
  }

  /** EXECUTE is what was prepared; what nobody has prepared here is not understood. */
  #meant(command: Command, { prepared, cursor }: Circumstances): Command {
    if (command.kind !== 'run' && command.kind !== 'fetch') return command
    const text = command.kind === 'run' ? prepared(command.name)?.text : cursor(command.name)?.text
    const [inner] = readScript(text ?? 'deny write 1')
    return inner ? { ...inner, text: command.text } : command
  }

  #planner(command: Command): ResultPlanner {
    if (command.verdict !== 'mask') return NOTHING_MASKED
    return { rows: () => this.#rowPlan(command), copy: () => this.#copyPlan() }
  }

  /** Marks each value with a star; and every row says which statement it belongs to. */
  #rowPlan({ text }: Command): RowPlan {
    let any = false
    const apply = (bytes: Buffer, start: number, end: number): Buffer => {
      any = true
      const values = readDataRow(bytes, start, end).map(String)
      for (const value of values) if (!value.startsWith(text)) this.misattributed.push(`${value} by ${text}`)
      return dataRow(values.map((value) => `*${value}`))
    }
    return {
      apply,
      applyRun: (bytes, start, end) => Buffer.concat([...rowsIn(bytes, start, end)].map((row) => apply(bytes, ...row))),
      masked: () => (any ? ['public.t.c'] : []),
    }
  }

  #copyPlan(): CopyPlan {
    return {
      push: (payload) => Buffer.concat([Buffer.from('*'), payload]),
      end: () => Buffer.alloc(0),
      masked: () => [],
    }
  }
}

function* rowsIn(bytes: Buffer, start: number, end: number): Generator<[start: number, end: number]> {
  for (let at = start; at < end;) {
    const next = at + 1 + bytes.readInt32BE(at + 1)
    yield [at, next]
    at = next
  }
}

/** In place of names: whatever they mean, nothing was decided by it. */
export const NOT_RELIED_ON = '*'

const meantText = ({ kind, name, text }: Command, { prepared }: Circumstances): string =>
  kind === 'run' ? (prepared(name)?.text ?? '') : text

const NOTHING_MASKED: ResultPlanner = { rows: () => undefined, copy: () => undefined }

const judgementOf = (command: Command, policyVersion: string): PostgresJudgement => ({
  tag: command.kind.toUpperCase(),
  hidden: undefined,
  span: undefined,
  actions: ['read'],
  relations: [{ name: 'public.t', actions: ['read'] }],
  readOnly: isReadOnly(command),
  shape: 'a'.repeat(64) as Digest,
  verdict: command.verdict,
  policies: ['rule'],
  policyVersion,
  catalogueVersion: 'c1',
  approvers: ['owners'],
  quorum: 1,
  because: 'the rule says so',
  advice: undefined,
  ...(command.verdict === 'deny' && command.kind === 'expel' && { endsSession: true as const }),
  rows: undefined,
  ...(command.guarded && { guard: { rowsMax: GUARDED_ROWS, by: 'policy' as const, unkept: undefined } }),
  counts: false,
  replacement: undefined,
  sensitive: command.verdict === 'mask',
  touches: [],
  effects: effectsOf(command),
  results: NOTHING_MASKED,
})

const effectsOf = ({ kind, name, inner }: Command): SessionEffects => {
  const some = { ...NO_EFFECTS, any: true }
  switch (kind) {
    case 'begin':
      return some
    case 'commit':
    case 'rollback':
      return { ...some, endsTransaction: true, endsPortals: true }
    case 'path':
    case 'temp':
      return { ...some, changesNames: true }
    case 'prepare':
      return { ...some, prepares: { name, text: inner, types: [] } }
    case 'deallocate':
      return { ...some, deallocates: name }
    case 'declare':
      return { ...some, declares: { name, text: inner, types: [], holds: false } }
    case 'close':
      return { ...some, closes: name }
    case 'say':
      return { ...some, says: true }
    case 'alter':
      return { ...some, changesCatalogue: true }
    default:
      return NO_EFFECTS
  }
}
