// Who may read over this API: a person who signed in (a cookie of a browser, a token of the CLI), and an agent's
// session, which may ask how its own request stands. What may change anything is not decided here: that takes
// a signature.
import type { Socket } from 'node:net'
import type { HttpBindings } from '@hono/node-server'
import { verifyAsking } from '@seconder/aws/sigv4/verify'
import type { Context, MiddlewareHandler } from 'hono'
import { getCookie } from 'hono/cookie'
import { GatewayError } from '../errors.ts'
import type { Gate } from '../gate.ts'
import { AGENT_SCOPE } from '../identify/agent-act.ts'
import { requireSessionToken } from '../identify/child-opening.ts'
import { requireOpen } from '../identify/open-session.ts'
import { requirePeer } from '../identify/session-peer.ts'
import type { Clock } from '../lib/clock.ts'
import { Rate } from '../lib/rate.ts'
import type { Reader } from '../people/sign-in.ts'
import { peerOf } from '../receive/peer.ts'
import type { RequestRow, SessionRow } from '../state/store.ts'

/** What anybody who reaches the gate may know: who it is, how to sign in, and whether it stands. */
const OPEN = new Set([
  '/api/gate',
  '/api/keys',
  '/api/epochs/candidate',
  '/api/sign-ins/provider',
  '/api/sign-ins/provider/return',
])

/** Agents may ask for this of their own requests. */
const STATUS = /^\/api\/requests\/([^/]+)\/status$/
/** And for the part of this that tells a session where it must not reach (`seconder doctor --session`). */
const STANDING = '/api/standing'

export interface ReadingEnv {
  Variables: {
    /** Still true only while whoever reads may go on reading: a stream asks again. */
    stillReads: () => Promise<boolean>
    reader: Reader | null
  }
}

/** Lets through what is open, and what somebody may read. Errors: `sign_in_needed`, `wrong_origin`. */
export function requireReader(gate: Gate, clock: Clock): MiddlewareHandler<ReadingEnv> {
  return async (context, next) => {
    const { path, method } = context.req
    context.set('reader', null)
    if (!path.startsWith('/api/') || OPEN.has(path) || !['GET', 'HEAD'].includes(method)) {
      return next()
    }
    const asked = STATUS.exec(path)?.[1]
    const isAgents = asked !== undefined || path === STANDING
    if (isAgents && context.req.header('authorization')?.startsWith('AWS4-HMAC-SHA256 ')) {
      const session = await sessionOf(gate, clock, context)
      await requirePeer(gate, session, () => peerOf(socketOf(context.env)))
      if (asked !== undefined) requireOwn(await gate.store.request(asked), session)
      return next()
    }
    const reads = await readerOf(gate, context)
    const reader = await reads()
    if (reader === null) throw signInNeeded()
    context.set('reader', reader)
    context.set('stillReads', async () => (await reads()) !== null)
    return next()
  }
}

/** Looks up who reads, each time it is called. */
export async function readerOf(
  gate: Gate,
  context: Context,
): Promise<() => Promise<Reader | null>> {
  const peer = await peerOf(socketOf(context.env))
  const bearer = /^Bearer ([\w-]+)$/.exec(context.req.header('authorization') ?? '')?.[1]
  if (bearer !== undefined) return () => gate.people.signIns.reader(bearer, 'cli', peer)
  const cookie = getCookie(context, cookieName(gate))
  if (cookie === undefined) return async () => null
  // Every browser says from where a page asks; whoever does not say is no browser of this page's.
  // Source: https://www.w3.org/TR/fetch-metadata/#sec-fetch-site-header
  if (context.req.header('sec-fetch-site') !== 'same-origin') {
    throw new GatewayError(
      'wrong_origin',
      'the cookie of this console came with a request of another page, or of a program',
      'use the console itself; a program signs in with: seconder request ls --ssh-key KEY',
    )
  }
  return () => gate.people.signIns.reader(cookie, 'browser', peer)
}

/**
 * Its name holds the port, since cookies know none. `__Host-` and Secure where the console is opened by https;
 * by http on this host not, because not every browser takes them there.
 * Source: https://www.rfc-editor.org/rfc/rfc6265#section-8.5 and RFC 6265bis section 4.1.3.2
 */
export function cookieName(gate: Gate): string {
  const { origins } = gate.people.relyingParty()
  const origin = new URL(origins[0] ?? 'http://localhost')
  return origin.protocol === 'https:' ? '__Host-seconder' : `seconder-${origin.port || '80'}`
}

export function setCookie(context: Context, gate: Gate, token: string, maxAgeMs: number): void {
  const name = cookieName(gate)
  const secure = name.startsWith('__Host-') ? '; Secure' : ''
  const age = Math.floor(maxAgeMs / 1_000)
  const value = `${name}=${token}; Path=/; HttpOnly; SameSite=Strict; Max-Age=${age}${secure}`
  context.header('set-cookie', value)
}

/**
 * A page that is not of this console changes nothing, even where what it sends is signed: acts come from the
 * console's own pages or from no page at all. Errors: `wrong_origin`.
 */
export function requireOrigin(hosts: () => readonly string[], gate: Gate): MiddlewareHandler {
  return async (context, next) => {
    if (['GET', 'HEAD'].includes(context.req.method)) return next()
    const origin = context.req.header('origin')
    const site = context.req.header('sec-fetch-site')
    const own = [...gate.people.relyingParty().origins, ...hosts().map((host) => `http://${host}`)]
    const isOwn = origin === undefined || own.includes(origin)
    const isSame = site === undefined || site === 'same-origin' || site === 'none'
    if (isOwn && isSame) return next()
    throw new GatewayError(
      'wrong_origin',
      'a page of another origin sent this; nothing was done',
      'use the console, or the seconder command',
    )
  }
}

/** How often one address may send anything that would change something. */
const POSTS = { burst: 20_000, perMinute: 20_000 }

/** Errors: `rate_limited`. */
export function limitPosts(clock: Clock): MiddlewareHandler {
  const rate = new Rate(clock, POSTS)
  return async (context, next) => {
    if (context.req.method !== 'GET') rate.take((await peerOf(socketOf(context.env))) ?? '')
    return next()
  }
}

/** The agent's session, by its signature over this very request. */
async function sessionOf(gate: Gate, clock: Clock, context: Context): Promise<SessionRow> {
  const { method, url, raw } = context.req
  const { pathname, search } = new URL(url)
  const headers = [...raw.headers].map(([name, value]) => [name, value] as const)
  let session: SessionRow | undefined
  const lookup = async (accessKeyId: string) => {
    session = await gate.store.sessionByAccessKey(accessKeyId)
    return session?.secretAccessKey ? session.secretAccessKey : undefined
  }
  const request = { method, target: `${pathname}${search}`, headers, body: new Uint8Array() }
  try {
    const verified = await verifyAsking(request, lookup, clock.nowMs())
    const { service, region } = verified
    if (service !== AGENT_SCOPE.service || region !== AGENT_SCOPE.region) throw signInNeeded()
    if (session) requireSessionToken(verified, session)
  } catch (cause) {
    if (cause instanceof GatewayError) throw cause
    throw signInNeeded(cause)
  }
  if (session === undefined) throw signInNeeded()
  return requireOpen(session, clock.nowMs())
}

/** Ids only recognise: an agent is told of what it or a child of it asked for, and of nothing else. */
function requireOwn(request: RequestRow | undefined, session: SessionRow): void {
  if (request && [session.id, session.parent].includes(request.sessionId)) return
  throw new GatewayError(
    'request_unknown',
    'this session has no such request',
    'use the id that the refusal of your own call named',
  )
}

/** The connection that a request came over; undefined where no server of Node handed it on. */
export function socketOf(env: unknown): Socket | undefined {
  return (env as Partial<HttpBindings> | undefined)?.incoming?.socket
}

function signInNeeded(cause?: unknown): GatewayError {
  return new GatewayError(
    'sign_in_needed',
    'reading needs somebody who is signed in',
    'in a terminal: --ssh-key KEY; for a browser: seconder console open --ssh-key KEY; an agent signs with its session keys',
    cause === undefined ? undefined : { cause },
  )
}
