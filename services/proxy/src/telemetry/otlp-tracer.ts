import {
  diag,
  DiagLogLevel,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
  TraceFlags,
  type Attributes,
  type Context,
  type Span,
  type Tracer,
} from '@opentelemetry/api'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { resourceFromAttributes } from '@opentelemetry/resources'
import { BatchSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace'
import type { Outcome, Target } from '@countersign/contracts'
import type { Logger } from '@countersign/platform'
import type { Execution } from '../statement/execution.ts'
import type { StatementTracer } from './statement-tracer.ts'
import type { TraceParent } from './traceparent.ts'

export interface OtlpTracerOptions {
  /** Where to; undefined: what the environment says (OTEL_EXPORTER_OTLP_ENDPOINT and its like). */
  readonly url: string | undefined
  readonly sampleRatio: number
  readonly node: string
  readonly version: string
  /** As OpenTelemetry calls the databases: `db.system.name`. */
  readonly system: string
  readonly logger: Logger
}

/** Spans that wait for the collector: what is beyond is dropped, so a collector that is gone costs no memory. */
const QUEUE_MAX = 2_048
const BATCH_MAX = 512
const BATCH_MS = 1_000
const EXPORT_TIMEOUT_MS = 5_000
const CLOSE_TIMEOUT_MS = 1_000
const TELL_EVERY_MS = 60_000

/**
 * A trace of each statement that is sampled: one span for the whole, one below it for each stage that took time. They
 * are made when the statement has ended, from times that were taken anyway, so a statement that is not sampled costs
 * nothing. Nothing in them is a value or a text of a statement.
 */
export class OtlpTracer implements StatementTracer {
  readonly #provider: TracerProvider
  readonly #tracer: Tracer
  readonly #ratio: number
  readonly #system: string

  constructor({ url, sampleRatio, node, version, system, logger }: OtlpTracerOptions) {
    this.#system = system
    diag.setLogger(quiet(logger), { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true })
    const exporter = new OTLPTraceExporter({
      ...(url !== undefined && { url }),
      timeoutMillis: EXPORT_TIMEOUT_MS,
    })
    const queue = {
      maxQueueSize: QUEUE_MAX,
      maxExportBatchSize: BATCH_MAX,
      scheduledDelayMillis: BATCH_MS,
      exportTimeoutMillis: EXPORT_TIMEOUT_MS,
    }
    const name = process.env['OTEL_SERVICE_NAME'] ?? 'countersign-node'
    this.#provider = new TracerProvider({
      resource: resourceFromAttributes({
        'service.name': name,
        'service.version': version,
        'service.instance.id': node,
      }),
      spanProcessors: [new BatchSpanProcessor({ exporter, ...queue })],
    })
    this.#tracer = this.#provider.getTracer('countersign', version)
    this.#ratio = sampleRatio
  }

  settled(execution: Execution, outcome: Outcome, sqlstate: string | undefined, now: number, target: Target): void {
    const { traceParent } = execution
    if (traceParent ? !traceParent.sampled : Math.random() >= this.#ratio) return
    // The wall clock may have been set since the process started.
    const at = Date.now() - performance.now()
    const { received, judgement } = execution
    const span = this.#tracer.startSpan(
      `${judgement.tag || 'statement'} ${target.database}`,
      {
        kind: SpanKind.SERVER,
        startTime: at + received,
        attributes: { 'db.system.name': this.#system, ...attributesOf(execution, outcome, sqlstate, target) },
      },
      contextOf(traceParent),
    )
    if (outcome !== 'completed') span.setStatus({ code: SpanStatusCode.ERROR, message: outcome })
    const below = trace.setSpan(ROOT_CONTEXT, span)
    for (const [name, from, to] of stagesOf(execution, now)) this.#stage(name, at + from, at + to, below)
    span.end(at + now)
  }

  async close(): Promise<void> {
    const late = new Promise<void>((resolve) => setTimeout(resolve, CLOSE_TIMEOUT_MS).unref())
    await Promise.race([this.#provider.shutdown().catch(() => {}), late])
  }

  #stage(name: string, from: number, to: number, below: Context): void {
    const span: Span = this.#tracer.startSpan(name, { startTime: from }, below)
    span.end(to)
  }
}

/** Stages may overlap: a read is on its way while its record is written. */
const stagesOf = (
  execution: Execution,
  now: number,
): readonly (readonly [name: string, from: number, to: number])[] => {
  const { received, intended, forwarded, stages } = execution
  const { understand, decide, record, hold } = stages
  const stage = (name: string, from: number, ms: number) => (ms > 0 ? [[name, from, from + ms] as const] : [])
  return [
    ...stage('understand', received, understand),
    ...stage('decide', received + understand, decide),
    ...stage('record', intended, record),
    ...stage('hold', intended, hold),
    ...(forwarded > 0 ? [['execute', forwarded, now] as const] : []),
  ]
}

const attributesOf = (
  { judgement, statementId, rowsReturned, rowsAffected }: Execution,
  outcome: Outcome,
  sqlstate: string | undefined,
  { environment, database }: Target,
): Attributes => ({
  // SPEC: OpenTelemetry semantic conventions for databases; what they have no name for is ours.
  'db.namespace': database,
  'deployment.environment.name': environment,
  'db.operation.name': judgement.tag,
  'db.response.returned_rows': rowsReturned,
  'countersign.rows_affected': rowsAffected,
  'countersign.statement.id': statementId,
  'countersign.statement.shape': judgement.shape,
  'countersign.actions': [...judgement.actions],
  'countersign.verdict': judgement.verdict,
  'countersign.outcome': outcome,
  ...(sqlstate !== undefined && { 'db.response.status_code': sqlstate }),
})

const contextOf = (parent: TraceParent | undefined): Context =>
  parent
    ? trace.setSpanContext(ROOT_CONTEXT, {
        traceId: parent.traceId,
        spanId: parent.spanId,
        traceFlags: TraceFlags.SAMPLED,
        isRemote: true,
      })
    : ROOT_CONTEXT

/** That traces are lost is said now and then, in words of our own: what the exporter says may hold addresses and headers. */
const quiet = (logger: Logger) => {
  let toldAt = Number.NEGATIVE_INFINITY
  const told = () => {
    if (performance.now() - toldAt < TELL_EVERY_MS) return
    toldAt = performance.now()
    logger.warn('traces cannot be exported: they are dropped', {})
  }
  const nothing = () => {}
  return { error: told, warn: told, info: nothing, debug: nothing, verbose: nothing }
}
