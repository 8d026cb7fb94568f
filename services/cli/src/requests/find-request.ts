import type { Api } from '../api/api.ts'
import { RequestPage, RequestView } from '../api/views.ts'
import { CliError } from '../cli-error.ts'

const WHOLE = /^rq_[0-9a-z]{10}$/

/** By its id or the beginning of one, with or without `rq_`. A beginning is looked for among those that are open first. */
export const findRequest = async (api: Api, given: string): Promise<RequestView> => {
  const id = given.startsWith('rq_') ? given : `rq_${given}`
  if (WHOLE.test(id)) return api.get(`/requests/${id}`, RequestView)
  const found = await firstMatches(api, id)
  const [only, ...others] = found
  if (only && others.length === 0) return api.get(`/requests/${only.id}`, RequestView)
  throw new CliError('CLI_REQUEST_UNKNOWN', only ? ambiguous(given, found) : `no request begins with \`${given}\``)
}

const firstMatches = async (api: Api, prefix: string): Promise<readonly RequestView[]> => {
  const open = await matches(api, prefix, 'phase=pending&')
  return open.length > 0 ? open : matches(api, prefix, '')
}

const matches = async (api: Api, prefix: string, filter: string): Promise<readonly RequestView[]> => {
  const found: RequestView[] = []
  let cursor = ''
  do {
    const page = await api.get(`/requests?${filter}limit=500${cursor}`, RequestPage)
    found.push(...page.requests.filter(({ id }) => id.startsWith(prefix)))
    cursor = page.next === undefined ? '' : `&cursor=${encodeURIComponent(page.next)}`
  } while (cursor !== '')
  return found
}

const ambiguous = (given: string, found: readonly RequestView[]): string =>
  `several requests begin with \`${given}\`: ${found.map(({ id }) => id).join(', ')}`
