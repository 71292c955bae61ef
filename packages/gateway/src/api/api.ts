// The gate's JSON API for people and for waiting agents. Reading shows what the gate knows; every
// change is a signed act that is verified here again: no cookie, token or flag changes anything.
import { type Context, Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { GatewayError } from '../errors.ts'
import type { Gate } from '../gate.ts'
import { ACT_CHARS_MAX } from '../lib/signed-act.ts'
import { unknownRequest } from '../review/checks.ts'
import type { RequestRow, SessionRow } from '../state/store.ts'
import { asSessionSees } from '../wall/standing.ts'
import { addAgentActs } from './agent-acts.ts'
import { addAway } from './away.ts'
import { addBreakGlass } from './break-glass.ts'
import { addConsole, ConsoleFiles } from './console-files.ts'
import { addEpochs } from './epochs.ts'
import { addEvents } from './events.ts'
import { givenAct } from './given-act.ts'
import { Headlines } from './headlines.ts'
import { addLedgerPages } from './ledger-pages.ts'
import { paged } from './paging.ts'
import { addPayloads, shownPayload } from './payloads.ts'
import { addPeople } from './people.ts'
import { addPlans } from './plans.ts'
import { addPolicyInquiry } from './policy-inquiry.ts'
import { addPolicyPage } from './policy-page.ts'
import { limitPosts, type ReadingEnv, requireOrigin, requireReader, socketOf } from './reading.ts'
import { shownRequest } from './shown-request.ts'
import { addSignIns } from './sign-ins.ts'
import { statusOf } from './status.ts'

/** Largest body of one call: an act with everything that belongs to it. */
export const BODY_BYTES_MAX = 4 * ACT_CHARS_MAX
/** Longest wait of one status call, in milliseconds. */
export const WAIT_MS_MAX = 25_000

const STATES = [
  'pending',
  'approved',
  'denied',
  'changes_requested',
  'expired',
  'cancelled',
] as const

/** Returns the API as a fetch-style app; `hosts` are the Host values it answers to (DNS rebinding). */
export function createApi(gate: Gate, hosts: () => readonly string[]): Hono<ReadingEnv> {
  const app = new Hono<ReadingEnv>()
  app.use(async (context, next) => {
    const host = context.req.header('host')?.toLowerCase() ?? ''
    if (!hosts().includes(host)) {
      throw new GatewayError(
        'wrong_host',
        'the Host header is not this gate',
        'use the address that `seconder serve` printed',
      )
    }
    await next()
    if (context.res.headers.get('cache-control') === null)
      context.header('cache-control', 'no-store')
    context.header('x-content-type-options', 'nosniff')
  })
  app.use(requireOrigin(hosts, gate))
  app.use(limitPosts(gate.clock))
  app.use(requireReader(gate, gate.clock))
  app.use(bodyLimit({ maxSize: BODY_BYTES_MAX, onError: () => refusedBody() }))
  app.onError((error, context) => {
    const { status, body } = statusOf(error)
    if (body.error.code === 'internal') gate.telemetry.log.write('api_failed', { error })
    // What was not read is still on the connection, which is good for nothing more.
    if (status === 413) context.header('connection', 'close')
    return context.json(body, status)
  })

  addSessions(app, gate)
  addRequests(app, gate)
  addAgentActs(app, gate)
  addPlans(app, gate)
  addPayloads(app, gate)
  addBreakGlass(app, gate)
  addEpochs(app, gate)
  addEvents(app, gate)
  gate.reading.timeline.follow(gate.recorder)
  addLedgerPages(app, gate.reading)
  addPolicyPage(app, gate)
  addPolicyInquiry(app, gate)
  addConsole(app, new ConsoleFiles(), (context) => wordsInstead(context))
  addPeople(app, gate)
  addSignIns(app, gate)
  addAway(app, gate)
  addFacts(app, gate)
  app.post('/api/reviews', async (context) => {
    return context.json(
      await shownRequest(gate.store, await gate.desk.submit(await givenAct(context.req))),
    )
  })
  app.post('/api/withdrawals', async (context) => {
    const request = await gate.desk.withdraw(await givenAct(context.req))
    return context.json(await shownRequest(gate.store, request))
  })
  app.notFound((context) => {
    const error = new GatewayError(
      'not_supported',
      'there is nothing at this path',
      'see docs/api.md',
    )
    const { body } = statusOf(error)
    return context.json(body, 404)
  })
  return app
}

/** What the gate is, and how it stands. */
function addFacts(app: Hono<ReadingEnv>, gate: Gate): void {
  app.get('/healthz', (context) => context.json({ ok: true }))
  app.get('/readyz', async (context) => {
    const readiness = await gate.readiness.now()
    const observing = gate.observing()
    // Whoever watches a gate sees that it is a camera there, and no wall (red team H4).
    const answer = observing.length > 0 ? { ...readiness, observing } : readiness
    return context.json(answer, readiness.ready ? 200 : 503)
  })
  app.get('/api/metrics', async (context) => {
    const { type, text } = await gate.telemetry.page(context.req.header('accept'))
    return context.body(text, 200, { 'content-type': type })
  })
  app.get('/api/gate', async (context) => context.json(await gate.facts()))
  app.get('/api/standing', async (context) => {
    const standing = await gate.standing.now()
    return context.json(context.get('reader') === null ? asSessionSees(standing) : standing)
  })
  app.get('/api/keys', async (context) => {
    const known = await gate.store.personByKey(context.req.query('fingerprint') ?? '')
    return context.json({ person: known?.person.name ?? null })
  })
}

/** What a program gets at the address of a page, or a person where no console is built. */
function wordsInstead(context: Context): Response {
  const { origin } = new URL(context.req.url)
  const asked = context.req.param('id')
  if (!context.req.path.startsWith('/requests/') || asked === undefined) {
    return context.text(`Seconder. In a terminal: SECONDER_GATE=${origin} seconder request ls\n`)
  }
  // What is asked for is told to whoever signed in, and an id is no right.
  const id = /^r-[0-9a-z]{1,26}$/.test(asked) ? asked : 'ID'
  const lines = [
    `Request ${id} waits, or waited, for a second person.`,
    `Read it:     SECONDER_GATE=${origin} seconder request show ${id}`,
    `Answer it:   seconder approve | deny | request-changes ${id} --ssh-key YOUR_KEY`,
    '',
  ]
  return context.text(lines.join('\n'))
}

function addSessions(app: Hono<ReadingEnv>, gate: Gate): void {
  app.get('/api/sessions', async (context) => {
    const { page, next } = await paged(context, (of) => gate.store.sessions(of))
    return context.json({ sessions: page.map(shownSession), next })
  })
  app.post('/api/sessions', async (context) => {
    await gate.requireShutTo(socketOf(context.env))
    return context.json(await gate.sessions.open(await givenAct(context.req)))
  })
  app.post('/api/sessions/resume', async (context) => {
    await gate.requireShutTo(socketOf(context.env))
    return context.json(await gate.sessions.resume(await givenAct(context.req)))
  })
  app.post('/api/sessions/close', async (context) => {
    return context.json({
      cancelledRequests: await gate.sessions.close(await givenAct(context.req)),
    })
  })
}

function addRequests(app: Hono<ReadingEnv>, gate: Gate): void {
  const headlines = new Headlines((sha256) => shownPayload(gate, sha256))
  gate.payloads.onDropped(() => headlines.forget())
  app.get('/api/requests', async (context) => {
    const asked = context.req.query('state')
    const state = STATES.find((name) => name === asked)
    const begins = context.req.query('begins')
    const filter = { ...(state && { state }), ...(begins !== undefined && { begins }) }
    const { page, next } = await paged(context, (of) => gate.store.requests({ ...filter, ...of }))
    const requests = page.map(async (row) => ({
      ...(await shownRequest(gate.store, row)),
      ...(await headlines.of(row)),
    }))
    return context.json({ requests: await Promise.all(requests), next })
  })
  app.get('/api/requests/:id', async (context) => {
    const id = context.req.param('id')
    const found = await gate.store.reviewed(id)
    if (!found) throw unknownRequest(id)
    const shown = await shownPayload(gate, found.request.documentSha256)
    const request = await shownRequest(gate.store, found.request)
    return context.json({ request, ...shown, reviews: found.reviews })
  })
  app.get('/api/requests/:id/status', async (context) => {
    const row = await known(gate, context.req.param('id'))
    const waitMs = Math.min(Number(context.req.query('waitMs') ?? 0) || 0, WAIT_MS_MAX)
    if (row.state === 'pending') await gate.desk.hold(row, waitMs, context.req.raw.signal)
    const now = (await gate.store.request(row.id)) ?? row
    return context.json(await shownRequest(gate.store, now))
  })
}

function refusedBody(): never {
  throw new GatewayError(
    'body_too_large',
    `the body is over ${BODY_BYTES_MAX} bytes`,
    'a comment has at most 1,000 characters; use the seconder command or the console',
  )
}

async function known(gate: Gate, id: string): Promise<RequestRow> {
  const row = await gate.store.request(id)
  if (!row) throw unknownRequest(id)
  return row
}

function shownSession({
  id,
  parent,
  agent,
  operator,
  task,
  instigators,
  roleName,
  roleArn,
  openedAtMs,
  expiresAtMs,
  closedAtMs,
  suspendedAtMs,
}: SessionRow) {
  const iso = (ms: number) => new Date(ms).toISOString()
  return {
    sessionId: id,
    parent,
    agent,
    operator,
    task,
    instigators,
    role: roleName,
    roleArn,
    openedAt: iso(openedAtMs),
    expiresAt: iso(expiresAtMs),
    closedAt: closedAtMs === null ? null : iso(closedAtMs),
    suspendedAt: suspendedAtMs === null ? null : iso(suspendedAtMs),
  }
}
