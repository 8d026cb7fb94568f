import { connect } from 'node:net'
import { Digest } from '@countersign/contracts'
import type { NestExpressApplication } from '@nestjs/platform-express'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ControlModule } from '../control.module.ts'
import { createHttp } from '../http.ts'
import { MemoryLog } from '../testing/memory-log.ts'
import {
  configFolder,
  handClock,
  held,
  newRequestId,
  newSession,
  nodeOn,
  opened,
  runControl,
  silent,
  tokenOf,
  until,
  type ConfigFolder,
} from '../testing/running-control.ts'
import * as token from '../tokens.ts'
import { openapi } from './openapi.ts'
import { ROUTES } from './routes.ts'

/*
 * The API from outside: who gets in, what is refused and how it is said, what each may see.
 */

let log: MemoryLog
let folder: ConfigFolder
let time: ReturnType<typeof handClock>
let control: Awaited<ReturnType<typeof runControl>>
let node: ReturnType<typeof nodeOn>
const DIGEST = Digest.parse('d'.repeat(64))

beforeAll(async () => {
  log = new MemoryLog()
  folder = configFolder()
  time = handClock()
  node = nodeOn(log, time.clock)
  control = await runControl(log, folder, time)
})

afterAll(async () => {
  await control.close()
  folder.remove()
})

describe('signing in', () => {
  it.each([
    ['no header', new Headers()],
    ['a token of nobody', { authorization: 'Bearer cs_nobody' }],
    ['the digest in place of the token', { authorization: `Bearer ${'a'.repeat(64)}` }],
    ['another scheme', { authorization: `Basic ${tokenOf('ana')}` }],
    ['a token in two pieces', { authorization: `Bearer ${tokenOf('ana')} more` }],
    ['an endless token', { authorization: `Bearer ${'x'.repeat(5_000)}` }],
  ])('is refused with %s', async (_, headers) => {
    for (const { method, path, open } of ROUTES) {
      if (open) continue
      const response = await fetch(control.url + path.replace('{id}', newRequestId()), {
        method,
        headers,
      })
      expect([path, response.status]).toEqual([path, 401])
      expect(response.headers.get('www-authenticate')).toBe('Bearer')
      const { error } = (await response.json()) as { error: { code: string; message: string } }
      expect(error.code).toBe('unauthenticated')
      expect(JSON.stringify(error)).not.toContain('cs_')
    }
  })

  it('tells who one is', async () => {
    expect((await control.get('copilot', '/api/v1/me')).body).toEqual({
      principal: { id: 'copilot', kind: 'agent', person: 'ana', onBehalfOf: 'ana', groups: ['agents'] },
      readsAll: false,
    })
    expect((await control.get('eve', '/api/v1/me')).body.readsAll).toBe(true)
  })

  it('ends with the credential', async () => {
    const past = handClock('2099-01-01T00:00:00.000Z')
    const late = await runControl(new MemoryLog(), folder, past)
    expect(await late.get('ana', '/api/v1/me')).toMatchObject({
      status: 401,
      body: { error: { code: 'token-expired' } },
    })
    await late.close()
  })
})

describe('what comes in', () => {
  const votes = () => `/api/v1/requests/${newRequestId()}/votes`

  it.each<[string, () => [string, unknown], string]>([
    ['an id that is none', () => ['/api/v1/requests/rq_1/votes', { vote: 'grant', digest: DIGEST }], 'id'],
    ['no vote', () => [votes(), { digest: DIGEST }], 'vote'],
    ['another vote', () => [votes(), { vote: 'maybe', digest: DIGEST }], 'vote'],
    ['a vote on nothing', () => [votes(), { vote: 'grant' }], 'digest'],
    ['a denial without a reason', () => [votes(), { vote: 'deny', digest: DIGEST }], 'reason'],
    ['a denial with an empty reason', () => [votes(), { vote: 'deny', digest: DIGEST, reason: '  ' }], 'reason'],
    ['a field that is not known', () => [votes(), { vote: 'grant', digest: DIGEST, force: true }], 'force'],
    ['a list', () => [votes(), []], 'input'],
    ['a reason without end', () => [votes(), { vote: 'deny', digest: DIGEST, reason: 'x'.repeat(3_000) }], 'reason'],
  ])('is refused when it is %s', async (_, request, names) => {
    const { status, body } = await control.post('bo', ...request())
    expect([status, body.error.code]).toEqual([400, 'invalid-input'])
    expect(body.error.message).toContain(names)
  })

  it('is refused when it is not JSON, or too large', async () => {
    const send = (body: string) =>
      fetch(control.url + votes(), {
        method: 'POST',
        headers: { authorization: `Bearer ${tokenOf('bo')}`, 'content-type': 'application/json' },
        body,
      })
    const broken = await send('{"vote":')
    expect([broken.status, await codeOf(broken)]).toEqual([400, 'invalid-input'])
    const large = await send(JSON.stringify({ vote: 'grant', digest: DIGEST, reason: 'x'.repeat(100_000) }))
    expect([large.status, await codeOf(large)]).toEqual([413, 'too-large'])
  })

  it.each(['limit=0', 'limit=501', 'limit=x', 'phase=open', 'cursor=x', 'colour=red'])(
    'is refused as query %s',
    async (query) =>
      expect(await control.get('bo', `/api/v1/requests?${query}`)).toMatchObject({
        status: 400,
        body: { error: { code: 'invalid-input' } },
      }),
  )

  it('is answered in the same form where there is nothing', async () => {
    for (const path of [
      '/',
      '/api/v1',
      '/api/v2/me',
      '/api/v1/requests/x/y',
      '/console/../package.json',
      '/console/%2e%2e/x',
    ]) {
      expect(await control.get('bo', path)).toMatchObject({ status: 404, body: { error: { code: 'not-found' } } })
    }
  })

  it('gets an answer as garbage, too', async () => {
    const answer = await raw('GARBAGE\r\n\r\n')
    expect(answer).toContain('400')
    expect((await control.get(undefined, '/healthz')).status).toBe(200)
  })
})

describe('requests', () => {
  it('are shown to who asked, to who may sign, to who oversees, and to nobody else', async () => {
    const requestId = await hold('copilot')
    const path = `/api/v1/requests/${requestId}`
    for (const name of ['copilot', 'ana', 'bo', 'cy', 'dee', 'eve']) {
      expect([name, (await control.get(name, path)).status]).toEqual([name, 200])
    }
    for (const name of ['fay', 'etl', 'bot']) {
      expect([name, (await control.get(name, path)).status]).toEqual([name, 404])
      expect((await control.get(name, '/api/v1/requests')).body.requests).toEqual([])
    }
  })

  it('say everything that an approver must see, and what the reader can do', async () => {
    const requestId = await hold('copilot')
    const { body } = await control.get('bo', `/api/v1/requests/${requestId}`)
    expect(body).toMatchObject({
      id: requestId,
      phase: 'pending',
      requester: { id: 'copilot', kind: 'agent', person: 'ana', onBehalfOf: 'ana' },
      target: { environment: 'demo', database: 'shop' },
      role: 'shop_app',
      text: 'drop table orders',
      digest: DIGEST,
      because: 'it drops a table',
      groups: [{ name: 'shop-owners', people: ['bo', 'cy'] }],
      quorum: 1,
      you: { canSign: true, canCancel: false },
    })
    const ana = await control.get('ana', `/api/v1/requests/${requestId}`)
    expect(ana.body.you).toMatchObject({ canSign: false, because: 'own-request', canCancel: true })
  })

  it('fit the description of the API', async () => {
    const requestId = await hold('copilot')
    const { RequestView, RequestPage, SessionList, CatalogueView, OwnersView, PolicyView } =
      await import('./schemas.ts')
    const fits: [string, { safeParse: (value: unknown) => { success: boolean } }][] = [
      [`/api/v1/requests/${requestId}`, RequestView],
      ['/api/v1/requests', RequestPage],
      ['/api/v1/sessions', SessionList],
      ['/api/v1/catalogue', CatalogueView],
      ['/api/v1/owners', OwnersView],
      ['/api/v1/policies', PolicyView],
    ]
    for (const [path, schema] of fits) {
      const { body } = await control.get('eve', path)
      expect([path, schema.safeParse(body)]).toMatchObject([path, { success: true }])
    }
  })

  it('come in pages, the newest first, each once', async () => {
    const ids = []
    for (let i = 0; i < 7; i++) {
      time.move(1)
      ids.unshift(await hold('ana', 'inline'))
    }
    const seen: string[] = []
    let cursor: string | undefined
    do {
      const { body } = await control.get(
        'eve',
        `/api/v1/requests?phase=pending&limit=3${cursor ? `&cursor=${cursor}` : ''}`,
      )
      expect(body.requests.length).toBeLessThanOrEqual(3)
      seen.push(...body.requests.map(({ id }: { id: string }) => id))
      cursor = body.next
    } while (cursor)
    expect(seen.slice(0, 7)).toEqual(ids)
    expect(new Set(seen).size).toBe(seen.length)
  })
})

describe('what is in force', () => {
  it('is shown: sessions to those whom they concern', async () => {
    await hold('ana')
    const of = async (name: string) =>
      new Set(
        (await control.get(name, '/api/v1/sessions')).body.sessions.map(
          ({ principal }: { principal: { id: string } }) => principal.id,
        ),
      )
    expect(await of('fay')).toEqual(new Set())
    expect(await of('ana')).toEqual(new Set(['ana', 'copilot']))
    expect(await of('dee')).toEqual(new Set(['ana', 'copilot']))
  })

  it('is shown: policies only to those who see everything', async () => {
    expect((await control.get('ana', '/api/v1/policies')).status).toBe(403)
    expect((await control.get('dee', '/api/v1/policies')).body.version).toMatch(/^[0-9a-f]{16}$/)
  })

  it('is shown: owners, with the people behind them', async () => {
    const { body } = await control.get('ana', '/api/v1/owners')
    expect(body.groups).toEqual([
      { name: 'security', people: ['cy'] },
      { name: 'shop-owners', people: ['bo', 'cy'] },
    ])
  })
})

describe('the tail of events', () => {
  it('tells what happens, without secrets, to whom it concerns', async () => {
    const [eve, ana, fay] = await Promise.all([tail('eve'), tail('ana'), tail('fay')])
    const requestId = await hold('copilot')
    await control.vote('bo', requestId, { vote: 'grant', digest: DIGEST })
    await eve.saw('approval.in-force', (event) => event.summary === `${requestId} is granted`)
    await ana.saw('approval.granted')
    expect(ana.events().map(({ type }) => type)).toEqual(
      expect.arrayContaining(['session.opened', 'statement.held', 'approval.requested', 'approval.voted']),
    )
    expect(ana.events().some(({ type }) => type === 'approval.in-force')).toBe(false)
    expect(fay.events()).toEqual([])
    for (const one of [eve, ana, fay]) await one.close()
  })

  it('tells of the kinds that were asked for', async () => {
    const some = await tail('eve', '?types=approval.*,session.opened')
    const requestId = await hold('ana')
    await control.vote('cy', requestId, { vote: 'grant', digest: DIGEST })
    await some.saw('approval.granted')
    expect(new Set(some.events().map(({ type }) => type))).toEqual(
      new Set(['session.opened', 'approval.requested', 'approval.voted', 'approval.granted', 'approval.in-force']),
    )
    await some.close()
  })

  it('shows no digest of a token', async () => {
    const eve = await tail('eve')
    const { readFileSync, writeFileSync } = await import('node:fs')
    const file = readFileSync(folder.identities, 'utf8')
    writeFileSync(folder.identities, file.replaceAll('"security"', '"security","more"'))
    await eve.saw('credential.in-force')
    expect(eve.text()).not.toMatch(/[0-9a-f]{64}/)
    await eve.close()
    writeFileSync(folder.identities, file)
    await until(async () => (await control.get('cy', '/api/v1/me')).body.principal.groups.length === 2)
  })

  it('is let go when its reader is gone, and the log is then read no more', async () => {
    const hub = await tail('eve')
    await hub.close()
    const again = await tail('eve')
    await hold('ana')
    await again.saw('statement.held')
    expect(again.events().filter(({ type }) => type === 'statement.held')).toHaveLength(1)
    await again.close()
  })
})

describe('the description', () => {
  it('names every route that is served, and no other', async () => {
    const app = await bareApplication()
    const served = routesOf(app).sort()
    const described = ROUTES.map(({ method, path }) => `${method} ${path}`).sort()
    expect(served).toEqual(described)
    await app.close()
  })

  it('is OpenAPI 3.1 whose references lead somewhere', async () => {
    const { status, body } = await control.get(undefined, '/openapi.json')
    expect([status, body.openapi]).toEqual([200, '3.1.1'])
    expect(body).toEqual(JSON.parse(JSON.stringify(openapi())))
    const ids = new Set<string>()
    for (const operations of Object.values(body.paths) as Record<string, Operation>[]) {
      for (const operation of Object.values(operations)) {
        expect(ids.has(operation.operationId)).toBe(false)
        ids.add(operation.operationId)
        expect(operation.responses[200]!.content).toBeDefined()
        if (!operation.security) expect(Object.keys(operation.responses)).toContain('401')
      }
    }
    expect(ids.size).toBe(ROUTES.length)
    for (const [, name] of JSON.stringify(body).matchAll(/"\$ref":"#\/components\/schemas\/(\w+)"/g)) {
      expect(body.components.schemas).toHaveProperty(name!)
    }
    const path = body.paths['/api/v1/requests/{id}/votes'].post
    expect(path.parameters).toMatchObject([{ name: 'id', in: 'path', required: true }])
    expect(path.requestBody.content['application/json'].schema.required).toEqual(['vote', 'digest'])
    expect(
      body.paths['/api/v1/requests'].get.parameters.map(({ required }: { required: boolean }) => required),
    ).toEqual([false, false, false])
  })
})

describe('health', () => {
  it('is ready, and says so no longer when the log is away', async () => {
    expect((await control.get(undefined, '/healthz')).body).toEqual({ status: 'ok' })
    expect(await control.get(undefined, '/readyz')).toMatchObject({ status: 200, body: { ready: true } })
    log.available = false
    expect(await control.get(undefined, '/readyz')).toMatchObject({
      status: 503,
      body: { checks: { log: { ok: false } } },
    })
    log.available = true
    expect((await control.get(undefined, '/readyz')).status).toBe(200)
  })

  it('has figures that Prometheus can read', async () => {
    const { text, headers } = await control.get(undefined, '/metrics')
    expect(headers.get('content-type')).toContain('version=0.0.4')
    expect(text).toMatch(/^countersign_control_requests\{phase="pending"\} \d+$/m)
    for (const line of text.trim().split('\n')) {
      expect(line).toMatch(/^(# (HELP|TYPE) [a-z_]+ .+|[a-z_]+(\{[a-z]+="[^"]*"(,[a-z]+="[^"]*")*\})? [\d.e+]+)$/)
    }
  })
})

describe('a log that is away', () => {
  it('is said so to who votes, and the vote can be given again when it is back', async () => {
    const requestId = await hold('ana')
    log.available = false
    expect(await control.vote('bo', requestId, { vote: 'grant', digest: DIGEST })).toMatchObject({
      status: 503,
      body: { error: { code: 'log-unavailable' } },
    })
    log.available = true
    expect((await control.vote('bo', requestId, { vote: 'grant', digest: DIGEST })).body.phase).toBe('granted')
  })
})

describe('the console', () => {
  it('is served with all that it needs, under a policy that lets nothing else in', async () => {
    for (const path of [
      '/console',
      '/console/',
      '/console/console.js',
      '/console/api.js',
      '/console/elements.js',
      '/console/console.css',
      '/console/icon.svg',
    ]) {
      const { status, headers } = await control.get(undefined, path)
      expect([path, status]).toEqual([path, 200])
      expect(headers.get('content-security-policy')).toContain("default-src 'none'")
      expect(headers.get('content-security-policy')).not.toContain('unsafe')
      expect(headers.get('x-content-type-options')).toBe('nosniff')
    }
  })

  it('needs nothing from elsewhere and nothing inline', async () => {
    const { text } = await control.get(undefined, '/console')
    expect(text).not.toMatch(/<script(?![^>]*src=)|<style|\son\w+=|style=/)
    for (const [, link] of text.matchAll(/(?:src|href)="([^"#]+)"/g)) expect(link).toMatch(/^\/console\//)
  })

  it('never writes text as markup', async () => {
    for (const path of ['/console/console.js', '/console/api.js', '/console/elements.js']) {
      expect((await control.get(undefined, path)).text).not.toMatch(
        /innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(/,
      )
    }
  })
})

// The vocabulary of the stories.

interface Operation {
  readonly operationId: string
  readonly security?: unknown
  readonly responses: Record<string, { content?: unknown }>
}

const hold = async (name: 'ana' | 'copilot', mode: 'inline' | 'rerun' = 'rerun') => {
  const session = newSession()
  const requestId = newRequestId()
  const at = time.clock()
  await node.write(
    opened(session.sessionId, node.worker, name, at),
    held(requestId, session.statement(1), name, { mode, digest: DIGEST, at }),
  )
  await until(async () => (await control.get('eve', `/api/v1/requests/${requestId}`)).status === 200)
  return requestId
}

const codeOf = async (response: Response) => ((await response.json()) as { error: { code: string } }).error.code

const raw = (text: string) =>
  new Promise<string>((resolve, reject) => {
    const socket = connect(control.port, '127.0.0.1', () => socket.write(text))
    let answer = ''
    socket.on('data', (data) => (answer += data.toString()))
    socket.on('close', () => resolve(answer))
    socket.on('error', reject)
  })

interface Seen {
  readonly type: string
  readonly summary: string
}

const tail = async (name: string, query = '') => {
  const ending = new AbortController()
  const response = await fetch(`${control.url}/api/v1/events${query}`, {
    headers: { authorization: `Bearer ${tokenOf(name)}` },
    signal: ending.signal,
  })
  expect(response.headers.get('content-type')).toContain('text/event-stream')
  let text = ''
  const reading = (async () => {
    for await (const chunk of response.body!) text += Buffer.from(chunk).toString()
  })().catch(() => undefined)
  const events = () =>
    text
      .split('\n')
      .filter((line) => line.startsWith('data: '))
      .map((line) => JSON.parse(line.slice(6)) as Seen)
  return {
    text: () => text,
    events,
    saw: (type: string, is: (event: Seen) => boolean = () => true) =>
      until(() => events().find((event) => event.type === type && is(event))),
    close: async () => {
      ending.abort()
      await reading
    },
  }
}

const bareApplication = () => {
  const parts = Object.values(token).map((provide) => ({ provide, useValue: {} }))
  expect(ControlModule).toBeDefined()
  return createHttp(parts, silent)
}

const routesOf = (app: NestExpressApplication): string[] => {
  const { stack } = app.getHttpAdapter().getInstance().router as {
    stack: { route?: { path: string; methods: Record<string, boolean> } }[]
  }
  return stack.flatMap(({ route }) =>
    route ? Object.keys(route.methods).map((method) => `${method} ${route.path.replace(/:(\w+)/g, '{$1}')}`) : [],
  )
}
