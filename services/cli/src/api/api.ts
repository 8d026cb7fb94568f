import { z } from 'zod'
import { CliError } from '../cli-error.ts'
import { EXIT, type ExitCode } from '../exit-code.ts'
import { jsonOf } from '../json.ts'

/** Control's HTTP API, as one principal. */
export interface Api {
  get<T>(path: string, answer: z.ZodType<T>): Promise<T>
  post<T>(path: string, body: object, answer: z.ZodType<T>): Promise<T>
  /** An answer that goes on for as long as both sides want. Rejects when the connection ends before the signal. */
  stream(
    path: string,
    headers: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<AsyncIterable<Uint8Array>>
  /** The same, asked for with a body. */
  postStream(path: string, body: object, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>>
}

const TIMEOUT_MS = 30_000

export const openApi = (origin: string, token: string): Api => {
  const call = (path: string, init: RequestInit) => callApi(origin, path, token, init)
  const read = async <T>(path: string, init: RequestInit, answer: z.ZodType<T>): Promise<T> =>
    understood(await bodyOf(await call(path, { ...init, signal: AbortSignal.timeout(TIMEOUT_MS) })), answer, path)
  const stream = async (path: string, init: RequestInit) => {
    const response = await call(path, init)
    if (!response.body) throw new CliError('CLI_API_UNEXPECTED', `${origin} sent an empty stream`)
    return response.body
  }
  return {
    get: (path, answer) => read(path, {}, answer),
    post: (path, body, answer) => read(path, posted(body), answer),
    stream: (path, headers, signal) => stream(path, { headers, signal }),
    postStream: (path, body, signal) => stream(path, { ...posted(body), signal }),
  }
}

const posted = (body: object): RequestInit => ({
  method: 'POST',
  body: JSON.stringify(body),
  headers: { 'content-type': 'application/json' },
})

const callApi = async (origin: string, path: string, token: string, init: RequestInit): Promise<Response> => {
  const headers = new Headers(init.headers)
  headers.set('authorization', `Bearer ${token}`)
  const response = await fetch(new URL(`/api/v1${path}`, origin), { ...init, headers }).catch((cause: unknown) => {
    throw unreachable(origin, cause)
  })
  if (response.ok) return response
  throw refused(response.status, await response.text().catch(() => ''))
}

const unreachable = (origin: string, cause: unknown): CliError =>
  new CliError('CLI_API_UNREACHABLE', `${origin} does not answer: is the system running? (countersign doctor tells)`, {
    cause,
  })

const Fault = z.object({ error: z.object({ code: z.string(), message: z.string(), remedy: z.string().optional() }) })

const refused = (status: number, text: string): CliError => {
  const fault = Fault.safeParse(jsonOf(text)).data?.error
  if (!fault) return new CliError('CLI_API_UNEXPECTED', `the API answered ${status} and no reason`)
  const remedy = fault.remedy === undefined ? '' : `: ${fault.remedy}`
  // From 500 on it is the service that cannot, for now; below, it will say the same again.
  const code = status >= 500 ? 'CLI_API_UNAVAILABLE' : 'CLI_API_REFUSED'
  return new CliError(code, `${fault.message}${remedy}`, { exitCode: exitCodeFor(fault.code) })
}

/** Why the API refused, as far as scripts tell the cases apart. */
const exitCodeFor = (code: string): ExitCode => {
  if (DENIED.includes(code)) return EXIT.denied
  return code === 'expired' ? EXIT.expired : EXIT.failed
}

const DENIED = ['forbidden', 'restricted', 'own-request', 'not-an-owner', 'not-a-person']

const bodyOf = async (response: Response): Promise<unknown> => {
  const text = await response.text().catch((cause: unknown) => {
    throw new CliError('CLI_API_UNREACHABLE', 'the connection to the API ended in the middle of its answer', { cause })
  })
  return jsonOf(text)
}

const understood = <T>(body: unknown, answer: z.ZodType<T>, path: string): T => {
  const parsed = answer.safeParse(body)
  if (parsed.success) return parsed.data
  const where = parsed.error.issues[0]?.path.join('.') ?? ''
  throw new CliError('CLI_API_UNEXPECTED', `the API's answer to ${path} is of another version (at \`${where}\`)`)
}
