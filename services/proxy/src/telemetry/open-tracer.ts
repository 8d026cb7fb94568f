import type { TelemetryConfig } from '@countersign/platform'
import type { OtlpTracerOptions } from './otlp-tracer.ts'
import type { StatementTracer } from './statement-tracer.ts'

const SAMPLE_RATIO = 0.01

/** The tracer that the configuration or OpenTelemetry's own variables ask for. Without one, nothing of it is loaded. */
export const openTracer = async (
  { otlp }: TelemetryConfig,
  about: Pick<OtlpTracerOptions, 'node' | 'version' | 'system' | 'logger'>,
  env: NodeJS.ProcessEnv = process.env,
): Promise<StatementTracer | undefined> => {
  const wanted = otlp ?? env['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'] ?? env['OTEL_EXPORTER_OTLP_ENDPOINT']
  if (wanted === undefined || wanted === '') return undefined
  const { OtlpTracer } = await import('./otlp-tracer.ts')
  return new OtlpTracer({ url: otlp?.url, sampleRatio: otlp?.sampleRatio ?? SAMPLE_RATIO, ...about })
}
