import { readFileSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { fileURLToPath } from 'node:url'

/** Of the console only these files are served, whatever else lies beside them. */
const FILES: Readonly<Record<string, { readonly file: string; readonly type: string }>> = {
  '/console': { file: 'index.html', type: 'text/html; charset=utf-8' },
  '/console/': { file: 'index.html', type: 'text/html; charset=utf-8' },
  '/console/console.js': { file: 'console.js', type: 'text/javascript; charset=utf-8' },
  '/console/api.js': { file: 'api.js', type: 'text/javascript; charset=utf-8' },
  '/console/elements.js': { file: 'elements.js', type: 'text/javascript; charset=utf-8' },
  '/console/console.css': { file: 'console.css', type: 'text/css; charset=utf-8' },
  '/console/icon.svg': { file: 'icon.svg', type: 'image/svg+xml' },
}

/** The page may use what came with it and talk to where it came from; nothing else, and nobody may frame it. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

const FOLDER = fileURLToPath(new URL('../../console/public/', import.meta.url))

/** Serves the console's page. Everything else is passed on. */
export const consolePage = (folder = FOLDER) => {
  const pages = new Map(
    Object.entries(FILES).map(([path, { file, type }]) => [path, { type, body: readFileSync(folder + file) }]),
  )
  return (request: IncomingMessage, response: ServerResponse, next: () => void): void => {
    const page = pages.get((request.url ?? '').split('?')[0] ?? '')
    if (!page || (request.method !== 'GET' && request.method !== 'HEAD')) return next()
    response.writeHead(200, {
      'content-type': page.type,
      'content-length': page.body.length,
      'content-security-policy': POLICY,
      'cache-control': 'no-cache',
    })
    response.end(request.method === 'HEAD' ? undefined : page.body)
  }
}

/** For every answer: nothing is guessed, framed, kept or told to where a link leads. */
export const guardHeaders = (_: IncomingMessage, response: ServerResponse, next: () => void): void => {
  response.setHeader('x-content-type-options', 'nosniff')
  response.setHeader('x-frame-options', 'DENY')
  response.setHeader('referrer-policy', 'no-referrer')
  response.setHeader('cross-origin-resource-policy', 'same-origin')
  response.setHeader('cache-control', 'no-store')
  next()
}
