// The part of the API that signs people in for reading: a nonce, a signature over it, and what it gives; the
// one-time link of `seconder console open`; who is signed in; and its end.
import type { Context, Hono } from 'hono'
import { getCookie } from 'hono/cookie'
import { GatewayError } from '../errors.ts'
import type { Gate } from '../gate.ts'
import { shownPerson } from '../people/desk.ts'
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
      given(context, gate, await signIns.bySignature(act, await peerFor(context))),
    )
  })
  app.get('/sign-in/by-link/:code', async (context) => {
    requireNavigation(context)
    const signedIn = signIns.byLink(context.req.param('code'), await peerFor(context))
    setCookie(context, gate, signedIn.token, SIGN_IN_MS.browser)
    context.header('referrer-policy', 'no-referrer')
    return context.redirect('/', 303)
  })
  app.get('/api/me', (context) => {
    const reader = context.get('reader')
    const person = store.people().find(({ name }) => name === reader?.person)
    if (!reader || !person) throw new GatewayError('sign_in_needed', 'nobody is signed in', '')
    const expiresAt = new Date(reader.expiresAtMs).toISOString()
    return context.json({ ...shownPerson(store, person), kind: reader.kind, expiresAt })
  })
  app.post('/api/sign-ins/end', (context) => {
    const bearer = /^Bearer ([\w-]+)$/.exec(context.req.header('authorization') ?? '')?.[1]
    const token = bearer ?? getCookie(context, cookieName(gate))
    if (token !== undefined) signIns.end(token)
    if (bearer === undefined) setCookie(context, gate, '', 0)
    return context.json({ ended: token !== undefined })
  })
}

/** What each kind of client is given: a browser never sees its token, which is in a cookie alone. */
function given(context: Context, gate: Gate, { use, person, token, expiresAtMs }: SignedIn) {
  const expiresAt = new Date(expiresAtMs).toISOString()
  if (use === 'cli') return { person, expiresAt, token }
  if (use === 'link') {
    const origin = gate.facts().relyingParty.origins[0] ?? new URL(context.req.url).origin
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
