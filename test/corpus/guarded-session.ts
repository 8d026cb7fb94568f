import { requestFrom, type Count, type Request } from '@countersign/policy'
import {
  analysisPath,
  countQueries,
  judge,
  mentionsTemporary,
  temporaryQuery,
  understand,
  type Analysis,
  type AnalysisFailure,
  type Catalogue,
  type Command,
  type Facts,
  type Session,
} from '@countersign/sql'
import type { Principal, Target } from '@countersign/contracts'
import type { Client } from 'pg'
import type { SideConnection } from './side-connection.ts'

/*
 * A session as the proxy node guards it, as far as the corpus needs one: it remembers what was prepared and declared,
 * asks the server what statements mean, counts rows, and makes the request that policy decides.
 */

export interface Judged {
  readonly command: Command
  readonly facts: Facts
  readonly counts: readonly Count[]
  readonly request: Request
}

export interface Guard {
  readonly principal: Principal
  readonly target: Target
  readonly classOf: (column: string) => string
}

const COUNT_MAX = 200_000

export class GuardedSession {
  private readonly client: Client
  private readonly side: SideConnection
  private readonly counter: Client
  private catalogue: Catalogue
  private readonly guard: Guard
  private readonly prepared = new Map<string, { command: Command; facts: Facts; text: string }>()
  private readonly cursors = new Map<string, Facts>()

  constructor(client: Client, side: SideConnection, counter: Client, catalogue: Catalogue, guard: Guard) {
    this.client = client
    this.side = side
    this.counter = counter
    this.catalogue = catalogue
    this.guard = guard
  }

  /** The schema has changed. */
  learn(catalogue: Catalogue): void {
    this.catalogue = catalogue
  }

  /** Judges a text and leaves it at that. Throws what `understand` throws. */
  async judge(text: string): Promise<readonly Judged[]> {
    const before = new Map(this.prepared)
    const judged: Judged[] = []
    for (const command of understand(text).commands) {
      const one = await this.judgeCommand(command, text)
      judged.push(one)
      this.follow(one, text)
    }
    this.prepared.clear()
    for (const [name, one] of before) this.prepared.set(name, one)
    return judged
  }

  /** What one statement of a text prepares, the next one executes. */
  private follow({ command, facts }: Judged, text: string): void {
    if (command.deallocates === 'all' || command.discards === 'all') this.prepared.clear()
    else if (command.deallocates) this.prepared.delete(command.deallocates.name)
    if (command.prepares !== undefined) this.prepared.set(command.prepares, { command, facts, text })
  }

  /** Runs a text unjudged, as something that was countersigned before. */
  async run(text: string): Promise<void> {
    const commands = understand(text).commands
    for (const { command, facts } of await Promise.all(commands.map((one) => this.judgeCommand(one, text)))) {
      if (command.prepares !== undefined) this.prepared.set(command.prepares, { command, facts, text })
      if (command.declares !== undefined) this.cursors.set(command.declares, facts)
    }
    await this.client.query(text)
  }

  private async judgeCommand(command: Command, text: string): Promise<Judged> {
    const prepared = command.executes && this.prepared.get(command.executes.name)
    if (prepared) prepared.facts = (await this.judgeCommand(prepared.command, prepared.text)).facts
    const { session, path } = await this.names()
    await this.side.path(path)
    await this.counter.query(analysisPath(path))
    const analysis = await this.analysisOf(command, session)
    const facts = judge(command, analysis, this.catalogue, session)
    const counts = facts.countable ? await this.counted(command, text, session) : []
    const circumstances = { ...this.guard, transaction: 'idle', hour: 12, weekday: 3, minuteOfDay: 720 } as const
    const { principal, target, transaction, hour, weekday, minuteOfDay } = circumstances
    const asked = { principal, target, transaction, hour, weekday, minuteOfDay }
    const request = requestFrom(facts, asked, this.guard.classOf, counts)
    return { command, facts, counts, request }
  }

  private async analysisOf(command: Command, session: Session): Promise<Analysis | AnalysisFailure | undefined> {
    if (command.analysable === undefined || mentionsTemporary(command, session)) return undefined
    return this.side.analyse(command.analysable, this.catalogue)
  }

  private async counted(command: Command, text: string, session: Session): Promise<readonly Count[]> {
    const execution = command.executes && this.prepared.get(command.executes.name)
    const counted = execution ? { command: innerOf(execution.command), text: execution.text } : { command, text }
    const counts: Count[] = []
    if (mentionsTemporary(counted.command, session)) return counts
    for (const query of countQueries(counted.command, counted.text, COUNT_MAX)) {
      const values = query.parameters.map((parameter) => command.executes?.arguments[parameter - 1])
      const rows = await this.count(query.sql, values)
      if (rows !== undefined) counts.push({ index: query.index, rows, exact: query.exact && rows < COUNT_MAX })
    }
    return counts
  }

  private async count(sql: string, values: readonly unknown[]): Promise<number | undefined> {
    if (values.includes(undefined)) return undefined
    await this.counter.query("BEGIN READ ONLY; SET LOCAL statement_timeout = '2s'")
    try {
      const { rows } = await this.counter.query<{ count: string }>(sql, [...values])
      return Number(rows[0]?.count)
    } catch {
      return undefined
    } finally {
      await this.counter.query('ROLLBACK')
    }
  }

  private async names(): Promise<{ session: Session; path: readonly string[] }> {
    const { rows } = await this.client.query<{ all: string[]; path: string[] }>(
      'SELECT current_schemas(true)::text[] AS all, current_schemas(false)::text[] AS path',
    )
    const temporary = await this.client.query<[string, string]>({ text: temporaryQuery, rowMode: 'array' })
    const isPermanent = (schema: string) => !schema.startsWith('pg_temp')
    const session: Session = {
      searchPath: (rows[0]?.all ?? []).filter(isPermanent),
      temporary: new Map(temporary.rows.map(([name, what]) => [name, what === 'other' ? what : 'table'])),
      prepared: (name) => this.prepared.get(name)?.facts,
      cursor: (name) => this.cursors.get(name),
    }
    return { session, path: (rows[0]?.path ?? []).filter(isPermanent) }
  }
}

const innerOf = (command: Command): Command => command.inner?.command ?? command
