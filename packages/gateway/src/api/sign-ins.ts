// The part of the API that signs people in for reading: a nonce, a signature over it, and what it gives; the
// one-time link of `seconder console open`; who is signed in; and its end.
import type { Context, Hono } from 'hono'
import { getCookie } from 'hono/cookie'
import { GatewayError } from '../errors.ts'
import type { Gate } from '../gate.ts'
import { Rate } from '../lib/rate.ts'
import { shownPerson } from '../people/desk.ts'
import { RETURN_PATH } from '../people/people-side.ts'
import { SIGN_IN_MS, type SignedIn } from '../people/sign-in.ts'
import { peerOf } from '../receive/peer.ts'
import { givenAct } from './given-act.ts'
import { cookieName, type ReadingEnv, setCookie, socketOf } from './reading.ts'

export function addSignIns(app: Hono<ReadingEnv>, gate: Gate): void {
  const { store } = gate
  const { signIns } = gate.people
  const peerFor = (context: Context) => peerOf(socketOf(context.env))
  app.post('/api/sign-ins/nonce', async (context) =>
    context.json({ nonce: signIns.nonce(await peerFor(context)) }),
  )
  app.post('/api/sign-ins', async (context) => {
    const act = await givenAct(context.req)
    return context.json(
      await given(context, gate, await signIns.bySignature(act, await peerFor(context))),
    )
  })
  app.get('/sign-in/by-link/:code', async (context) => {
    requireNavigation(context)
    const signedIn = await signIns.byLink(context.req.param('code'), await peerFor(context))
    setCookie(context, gate, signedIn.token, SIGN_IN_MS.browser)
    context.header('referrer-policy', 'no-referrer')
    return context.redirect('/', 303)
  })
  addProvider(app, gate)
  app.get('/api/me', async (context) => {
    const reader = context.get('reader')
    const person = (await store.people()).find(({ name }) => name === reader?.person)
    if (!reader || !person) throw new GatewayError('sign_in_needed', 'nobody is signed in', '')
    const expiresAt = new Date(reader.expiresAtMs).toISOString()
    return context.json({ ...(await shownPerson(store, person)), kind: reader.kind, expiresAt })
  })
  app.post('/api/sign-ins/end', async (context) => {
    const bearer = /^Bearer ([\w-]+)$/.exec(context.req.header('authorization') ?? '')?.[1]
    const token = bearer ?? getCookie(context, cookieName(gate))
    if (token !== undefined) await signIns.end(token)
    if (bearer === undefined) setCookie(context, gate, '', 0)
    return context.json({ ended: token !== undefined })
  })
}

/** Ways to the provider that one address may begin: there are few at once, and they push out those of others. */
const BEGUN = { burst: 60, perMinute: 60 }

/** The way through an identity provider and back; a cookie of its own ties both ends to one browser. */
function addProvider(app: Hono<ReadingEnv>, gate: Gate): void {
  const cookie = () => `${cookieName(gate)}-provider`.replace('__Host-', '__Secure-')
  const begun = new Rate(gate.clock, BEGUN)
  const provider = () => {
    if (gate.people.provider) return gate.people.provider
    throw new GatewayError(
      'not_supported',
      'no identity provider is configured',
      'see docs/people.md',
    )
  }
  app.get('/api/sign-ins/provider', async (context) => {
    const site = context.req.header('sec-fetch-site') ?? ''
    if (!['same-origin', 'none'].includes(site)) {
      throw new GatewayError(
        'wrong_origin',
        'a page of another origin began this',
        'use the console',
      )
    }
    const peer = await peerOf(socketOf(context.env))
    begun.take(peer ?? '')
    const { url, flow } = await provider().begin(peer)
    const secure = cookie().startsWith('__Secure-') ? '; Secure' : ''
    // Lax: it must come along when the provider sends the browser back.
    const value = `${cookie()}=${flow}; Path=${RETURN_PATH}; HttpOnly; SameSite=Lax; Max-Age=600${secure}`
    context.header('set-cookie', value)
    context.header('referrer-policy', 'no-referrer')
    return context.redirect(url, 303)
  })
  app.get(RETURN_PATH, async (context) => {
    const peer = await peerOf(socketOf(context.env))
    const { search } = new URL(context.req.url)
    const signedIn = await provider().end(getCookie(context, cookie()) ?? '', search, peer)
    setCookie(context, gate, signedIn.token, SIGN_IN_MS.browser)
    context.header('referrer-policy', 'no-referrer')
    return context.redirect('/', 303)
  })
}

/** What each kind of client is given: a browser never sees its token, which is in a cookie alone. */
async function given(context: Context, gate: Gate, { use, person, token, expiresAtMs }: SignedIn) {
  const expiresAt = new Date(expiresAtMs).toISOString()
  if (use === 'cli') return { person, expiresAt, token }
  if (use === 'link') {
    const origin = gate.people.relyingParty().origins[0] ?? new URL(context.req.url).origin
    return { person, expiresAt, link: `${origin}/sign-in/by-link/${token}` }
  }
  setCookie(context, gate, token, SIGN_IN_MS.browser)
  return { person, expiresAt }
}

/**
 * Opened by a person from outside of any page: else a page could sign somebody in as somebody else.
 * Source: https://www.w3.org/TR/fetch-metadata/#sec-fetch-site-header (`none`)
 */
function requireNavigation(context: Context): void {
  const header = (name: string) => context.req.header(`sec-fetch-${name}`)
  if (header('site') === 'none' && header('mode') === 'navigate' && header('dest') === 'document') {
    return
  }
  throw new GatewayError(
    'wrong_origin',
    'a sign-in link is opened by its address, not from a page or a program; it was not used',
    'paste it into the address bar of a browser',
  )
}
