import { apiOf, Refusal } from './api.js'
import { byId, element, time } from './elements.js'

const TOKEN = 'countersign-token'
const ACTIVITY_MAX = 300
const RELOAD_MS = 250
const POLL_MS = 15_000
const RECONNECT_MS = 2_000

/** The signed-in part of the page: what runs while it is shown, and how to end it. */
let session

const start = () => {
  const fromLink = tokenInLink()
  if (fromLink) sessionStorage.setItem(TOKEN, fromLink)
  byId('sign-in').addEventListener('submit', (event) => {
    event.preventDefault()
    sessionStorage.setItem(TOKEN, byId('token').value.trim())
    byId('token').value = ''
    void signIn()
  })
  byId('sign-out').addEventListener('click', () => signOut())
  globalThis.addEventListener('hashchange', () => {
    const token = tokenInLink()
    if (!token) return
    signOut()
    sessionStorage.setItem(TOKEN, token)
    void signIn()
  })
  void signIn()
}

/** Out of the address bar at once, so that it is in no history and in no screenshot. */
const tokenInLink = () => {
  const token = new URLSearchParams(location.hash.slice(1)).get('token')
  if (token) history.replaceState(null, '', location.pathname + location.search)
  return token
}

const signIn = async () => {
  const token = sessionStorage.getItem(TOKEN)
  if (!token) return showSignIn()
  const api = apiOf(token)
  try {
    const { principal } = await api.me()
    byId('who').textContent = `${principal.id} · ${principal.groups.join(', ') || principal.kind}`
  } catch (error) {
    if (error instanceof Refusal && error.status < 500) sessionStorage.removeItem(TOKEN)
    showSignIn()
    return complain(error)
  }
  clearComplaint()
  show({ signedIn: true })
  session = open(api)
}

const signOut = () => {
  session?.close()
  session = undefined
  sessionStorage.removeItem(TOKEN)
  showSignIn()
}

const showSignIn = () => {
  show({ signedIn: false })
  byId('who').textContent = ''
  byId('connection').textContent = ''
  for (const id of ['open', 'recent', 'activity']) byId(id).replaceChildren()
  byId('token').focus()
}

const show = ({ signedIn }) => {
  byId('sign-in').hidden = signedIn
  byId('signed-in').hidden = !signedIn
  byId('sign-out').hidden = !signedIn
}

const complain = (error) => {
  const close = element('button', { type: 'button', onclick: clearComplaint }, 'Dismiss')
  byId('alert').replaceChildren(element('span', {}, error.message), close)
}

const clearComplaint = () => byId('alert').replaceChildren()

const open = (api) => {
  const ending = new AbortController()
  const { signal } = ending
  const cards = new Map()
  let reloading

  const reload = async () => {
    try {
      const [pending, latest] = await Promise.all([
        api.requests({ phase: 'pending', limit: 100 }),
        api.requests({ limit: 50 }),
      ])
      if (signal.aborted) return
      showOpen(pending.requests, cards, { api, reload })
      showRecent(latest.requests.filter(({ phase }) => phase !== 'pending'))
    } catch (error) {
      if (!signal.aborted) complain(error)
    }
  }

  /** Many events may come at once; one look is enough for all of them. */
  const reloadSoon = () => {
    reloading ??= setTimeout(() => {
      reloading = undefined
      void reload()
    }, RELOAD_MS)
  }

  const activity = activityList()
  const handle = (event) => {
    activity.add(event)
    if (event.type.startsWith('approval.') || event.type.startsWith('grant.')) reloadSoon()
  }
  void follow(api, { signal, handle, reload })
  const poll = setInterval(reload, POLL_MS)
  const clock = setInterval(() => showTimeLeft(cards), 1_000)

  return {
    close: () => {
      ending.abort()
      clearTimeout(reloading)
      clearInterval(poll)
      clearInterval(clock)
      activity.close()
    },
  }
}

/** Whatever ends the stream, it is taken up again, and what was missed meanwhile is looked up. */
const follow = async (api, { signal, handle, reload }) => {
  const say = (text) => {
    byId('connection').textContent = text
  }
  while (!signal.aborted) {
    say('connecting…')
    const opened = () => {
      say('live')
      void reload()
    }
    try {
      await api.tail({ signal, opened, handle })
    } catch (error) {
      if (signal.aborted) return
      if (error instanceof Refusal && error.status === 401) {
        signOut()
        return complain(error)
      }
    }
    say('not connected, trying again')
    await new Promise((resolve) => setTimeout(resolve, RECONNECT_MS))
  }
}

/** A card stays as it is while its request does, so that nothing is lost of a reason that someone is writing. */
const showOpen = (requests, cards, actions) => {
  const ids = new Set(requests.map(({ id }) => id))
  for (const [id, card] of cards) {
    if (ids.has(id)) continue
    card.element.remove()
    cards.delete(id)
  }
  for (const request of requests) {
    const known = cards.get(request.id)
    if (known?.request.changedAt === request.changedAt) continue
    const card = { request, element: cardOf(request, actions) }
    if (known) known.element.replaceWith(card.element)
    else byId('open').append(card.element)
    cards.set(request.id, card)
  }
  byId('open-count').textContent = String(requests.length)
  byId('open-empty').hidden = requests.length > 0
  showTimeLeft(cards)
}

const cardOf = (request, actions) => {
  const { id, requester, target, text, because, proposal } = request
  const who = `${requester.id}${requester.onBehalfOf ? ` for ${requester.onBehalfOf}` : ''}`
  const heading = `${id}: ${who} ${target ? `on ${target.environment}/${target.database}` : 'changes policies'}`
  return element(
    'article',
    { class: 'card', 'aria-label': heading, 'data-request': id },
    element('h3', {}, heading),
    element('p', { class: 'because' }, because),
    element(
      'pre',
      { tabindex: '0', 'aria-label': proposal ? 'Policies' : 'Statement' },
      proposal ? textOf(proposal) : text,
    ),
    factsOf(request),
    sampleOf(request),
    actionsOf(request, actions),
  )
}

/** Each policy that differs, before and after, and each rule of owners. */
const textOf = ({ changes, owners }) => {
  const marked = (mark, text) => (text ? text.split('\n').map((line) => `  ${mark} ${line}`) : [])
  const marks = { added: '+', removed: '-', changed: '~' }
  return [
    ...changes.flatMap(({ id, file, change, before, after }) => [
      `${marks[change]} ${id}  (${file})`,
      ...marked('-', before),
      ...marked('+', after),
    ]),
    ...owners.removed.map((rule) => `- DATAOWNERS  ${rule}`),
    ...owners.added.map((rule) => `+ DATAOWNERS  ${rule}`),
  ].join('\n')
}

const replayedOf = ({ stricter, looser, unchanged, untold, since, until, complete }) =>
  `${stricter} stricter, ${looser} looser, ${unchanged} unchanged, ${untold} cannot be told, from ${since} to ${until}` +
  (complete ? '' : ' (there were more)')

const factsOf = (request) => {
  const { relations, rows, mode, reason, ticket, groups, quorum, signatures, digest, role, policies, policyVersion } =
    request
  const { blast, proposal } = request
  const signed = signatures.map(({ person, vote }) => `${person} (${vote})`).join(', ')
  const needed = groups.map(({ name, people }) => `${name}: ${people.join(', ')}`).join('; ')
  const facts = [
    ['Touches', relations.map((one) => `${one.name} (${one.actions.join(', ')})`).join(', ')],
    ['Rows', rows && `${rows.exact ? '' : 'about '}${rows.rows}`],
    ['Reaches', blast?.summary],
    ['Drops with it', blast?.dependents.map(({ kind, name }) => `${kind} ${name}`).join(', ')],
    ['Runs as', role],
    ['Would have been', proposal?.replayed && replayedOf(proposal.replayed)],
    ['In the place of', proposal && `policy ${proposal.base}, as ${proposal.version}`],
    ['Reason given', reason],
    ['Ticket', ticket],
    ['Must sign', `${needed} (${quorum} in all)`],
    ['Signed', signed],
    ['Client', mode && (mode === 'inline' ? 'waits for the answer' : 'will run it again once granted')],
    ['Rule', !proposal && `${policies.join(', ')}, policy ${policyVersion}`],
    ['Digest', digest],
  ]
  const shown = facts.filter(([, value]) => value)
  return element('dl', {}, ...shown.flatMap(([name, value]) => [element('dt', {}, name), element('dd', {}, value)]))
}

/** The first rows that it would change, masked. Who asks for it is not shown any. */
const sampleOf = ({ blast }) => {
  const { relation, columns, rows } = blast?.sample ?? { rows: [] }
  if (rows.length === 0) return undefined
  const line = (kind, cells) => element('tr', {}, ...cells.map((cell) => element(kind, {}, cell ?? 'NULL')))
  return element(
    'div',
    { class: 'sample' },
    element(
      'table',
      {},
      element('caption', {}, `First rows of ${relation}, masked`),
      element('thead', {}, line('th', columns)),
      element('tbody', {}, ...rows.map((row) => line('td', row))),
    ),
  )
}

const actionsOf = (request, { api, reload }) => {
  const { id, digest, you } = request
  const box = element('div', { class: 'actions' })
  const left = element('p', { 'data-left': 'true' })

  /** One click, one call: the buttons wait for the answer. */
  const act = async (call) => {
    const buttons = [...box.parentElement.querySelectorAll('button')]
    for (const button of buttons) button.disabled = true
    try {
      await call()
      clearComplaint()
    } catch (error) {
      complain(error)
    }
    for (const button of buttons) button.disabled = false
    await reload()
  }

  const button = (label, kind, onclick) => element('button', { type: 'button', class: kind, onclick }, label)
  const deny = denyForm(id, (reason) => act(() => api.vote(id, { vote: 'deny', digest, reason })))
  const toggleDeny = () => {
    deny.hidden = !deny.hidden
    if (!deny.hidden) deny.querySelector('textarea').focus()
  }
  if (you.canSign) {
    const approve = () => act(() => api.vote(id, { vote: 'grant', digest }))
    box.append(button('Approve', 'main', approve), button('Deny…', 'danger', toggleDeny))
  }
  if (you.canCancel) box.append(button('Take back', 'danger', () => act(() => api.cancel(id))))
  if (you.message) box.append(element('p', {}, `You cannot sign: ${you.message}.`))
  box.append(left)
  return element('div', {}, box, deny)
}

const denyForm = (id, send) => {
  const field = `reason-${id}`
  const onsubmit = (event) => {
    event.preventDefault()
    const reason = event.target.elements.namedItem('reason').value.trim()
    if (reason) send(reason)
  }
  return element(
    'form',
    { class: 'deny', hidden: true, onsubmit },
    element('label', { for: field }, 'Why not? The requester is told.'),
    element('textarea', { id: field, name: 'reason', rows: '2', maxlength: '2000', required: true }),
    element('button', { type: 'submit', class: 'danger' }, 'Deny'),
  )
}

const showTimeLeft = (cards) => {
  for (const { request, element: card } of cards.values()) {
    const seconds = Math.max(0, Math.round((Date.parse(request.expiresAt) - Date.now()) / 1_000))
    card.querySelector('[data-left]').textContent = `${amountOf(seconds)} left`
  }
}

const amountOf = (seconds) => {
  if (seconds > 7_200) return `${Math.round(seconds / 3_600)} hours`
  return seconds > 120 ? `${Math.round(seconds / 60)} minutes` : `${seconds} seconds`
}

const showRecent = (requests) =>
  byId('recent').replaceChildren(
    ...requests.map(({ id, phase, requester, text, signatures, changedAt, endedBecause }) =>
      element(
        'tr',
        { 'data-request': id },
        element('td', {}, id),
        element('td', {}, endedBecause ? `${phase} (${endedBecause})` : phase),
        element('td', {}, requester.id),
        element('td', {}, element('code', { title: text }, text)),
        element('td', {}, signatures.map(({ person, vote }) => `${person} (${vote})`).join(', ')),
        element('td', {}, time(changedAt)),
      ),
    ),
  )

const activityList = () => {
  const ending = new AbortController()
  let paused = false
  byId('pause').setAttribute('aria-pressed', 'false')
  byId('pause').addEventListener(
    'click',
    () => {
      paused = !paused
      byId('pause').setAttribute('aria-pressed', String(paused))
    },
    { signal: ending.signal },
  )
  return {
    close: () => ending.abort(),
    add: (event) => {
      const kind = byId('kinds').querySelector(`[value="${kindOf(event.type)}"]`)
      if (paused || !kind.checked) return
      byId('activity').prepend(
        element(
          'li',
          {},
          event.at ? time(event.at) : element('span'),
          element('span', { class: 'type' }, event.type),
          element('span', { class: 'summary' }, event.summary),
        ),
      )
      while (byId('activity').childElementCount > ACTIVITY_MAX) byId('activity').lastElementChild.remove()
    },
  }
}

const KINDS = { session: 'session', auth: 'session', statement: 'statement', approval: 'approval', grant: 'approval' }

const kindOf = (type) => KINDS[type.split('.')[0]] ?? 'other'

start()
