// Who may read over the people's API (red team M12): somebody who signed for it, from where they signed, while
// they belong to the gate; and an agent's session, of its own requests. Nothing of it changes anything.
import { execFile } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import http from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { signChange } from '@seconder/cli/changing-people'
import { GateClient } from '@seconder/cli/gate-client'
import { statusForSession } from '@seconder/cli/reading'
import { type ReadToken, signIn } from '@seconder/cli/sign-in'
import { signerFor } from '@seconder/cli/signing'
import { SIGN_IN_NAMESPACE } from '@seconder/gateway/people/sign-in'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { COMPILED } from '../compiled.ts'
import { Authenticator } from '../fakes/authenticator.ts'
import { type FakeUpstream, startFakeUpstream } from '../fakes/upstream.ts'
import { closeSession, FrozenClock, idIn, reviewStatement, underClock } from './acts.ts'
import { Harness, type Keys } from './harness.ts'
import { dynamodbCall, rawCall, send, signed } from './wire.ts'

const MAIN = join(import.meta.dirname, '..', '..', 'packages', 'cli', 'src', 'main.ts')
const bob = new Authenticator('Ed25519')

let upstream: FakeUpstream
let gate: Harness
let keys: Keys

beforeEach(async () => {
  upstream = await startFakeUpstream()
  gate = await Harness.start({ upstream: upstream.url, passkeys: { bob } })
  keys = await gate.open('alice')
})

afterEach(async () => {
  await gate.stop()
  await upstream.close()
})

const at = (path: string) => `${gate.running.consoleUrl}${path}`
const deletion = () => rawCall(keys, dynamodbCall('DeleteTable', { TableName: 'orders' }))
const codeOf = async (answer: Response) =>
  ((await answer.json()) as { error: { code: string } }).error.code
const signer = (name: string) =>
  signerFor(new GateClient(gate.running.consoleUrl), gate.keys.get(name))

async function tokenOf(name: string): Promise<string> {
  return (await signIn<ReadToken>(gate.client, await signer(name), 'cli')).token
}

const linkOf = async (name: string) =>
  (await signIn<{ link: string }>(gate.client, await signer(name), 'link')).link

/** As a browser opens an address that its person typed or pasted. */
const TYPED = {
  'sec-fetch-site': 'none',
  'sec-fetch-mode': 'navigate',
  'sec-fetch-dest': 'document',
}

/** Node's fetch says itself how it asks; a browser that opens an address says it otherwise. */
function opened(url: string, headers: Record<string, string>): Promise<Response> {
  return new Promise((resolve, reject) => {
    const asked = http.get(url, { headers }, (incoming) => {
      const chunks: Buffer[] = []
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
      incoming.on('end', () => {
        const { 'set-cookie': cookies = [], location = '' } = incoming.headers
        const shown = new Headers({ location })
        for (const cookie of cookies) shown.append('set-cookie', cookie)
        const body = Buffer.concat(chunks)
        resolve(new Response(body, { status: incoming.statusCode ?? 500, headers: shown }))
      })
    })
    asked.on('error', reject)
  })
}

/** bob's sign-in in a browser: a nonce of the gate's, and his passkey over it. */
async function browserSignIn(headers: Record<string, string> = {}): Promise<Response> {
  const { gate: gateId } = await gate.client.facts()
  const { nonce } = await gate.client.post<{ nonce: string }>('/api/sign-ins/nonce', {})
  const statement = { type: SIGN_IN_NAMESPACE, gate: gateId, use: 'browser', nonce }
  return fetch(at('/api/sign-ins'), {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(await gate.assert(bob, statement)),
  })
}

const cookieIn = (answer: Response) => answer.headers.get('set-cookie')?.split(';')[0] ?? ''

test('M12 without a sign-in nothing can be read but what the gate is; an id is no right', async () => {
  const id = idIn(await deletion())
  for (const path of [
    '/api/requests',
    `/api/requests/${id}`,
    `/api/requests/${id}/status`,
    '/api/requests/r-0/status',
    '/api/sessions',
    `/api/sessions/${keys.sessionId}/entries`,
    '/api/people',
    '/api/policies',
    '/api/ledger/entries',
    '/api/ledger/files',
    '/api/ledger/files/checkpoint',
    '/api/events',
    '/api/me',
    '/api/standing',
    '/api/nothing',
  ]) {
    const answer = await fetch(at(path))
    expect([path, answer.status, await codeOf(answer)]).toEqual([path, 401, 'sign_in_needed'])
  }
  for (const path of [
    '/healthz',
    '/api/gate',
    '/api/keys?fingerprint=x',
    '/api/epochs/candidate',
  ]) {
    expect((await fetch(at(path))).status).toBe(200)
  }
  const made_up = { authorization: `Bearer ${'a'.repeat(43)}` }
  expect((await fetch(at('/api/requests'), { headers: made_up })).status).toBe(401)
  const { requests } = await gate.client.get<{ requests: unknown[] }>('/api/requests')
  expect(requests).toHaveLength(1)
})

test('M12 an agent is told of its own request, by its own keys, while its session is open', async () => {
  const id = idIn(await deletion())
  const status = (session: Keys, request = id) =>
    statusForSession(gate.running.consoleUrl, session, request)
  expect(await status(keys)).toMatchObject({ requestId: id, state: 'pending' })
  const other = await gate.open('carol')
  await expect(status(other)).rejects.toMatchObject({ code: 'request_unknown' })
  await expect(status(other, 'r-none')).rejects.toMatchObject({ code: 'request_unknown' })
  const forged = { ...keys, secretAccessKey: other.secretAccessKey }
  await expect(status(forged)).rejects.toMatchObject({ code: 'sign_in_needed' })
  await closeSession(gate, keys)
  await expect(status(keys)).rejects.toMatchObject({ code: 'sign_in_needed' })
})

test("an agent's keys open nothing on the people's endpoints", async () => {
  const id = idIn(await deletion())
  const { host } = new URL(gate.running.consoleUrl)
  for (const target of [
    '/api/people',
    '/api/requests',
    `/api/requests/${id}`,
    '/api/ledger/entries',
  ]) {
    const call = { method: 'GET', target, service: 'seconder', region: 'eu-west-1', host }
    const answer = await send({ ...keys, endpoint: gate.running.consoleUrl }, signed(keys, call))
    expect([target, answer.status]).toEqual([target, 401])
  }
  const people = { method: 'POST', target: '/api/people/changes', service: 'seconder', host }
  const headers = [['content-type', 'application/json']] as const
  const body = JSON.stringify({ statement: '{}', signature: 'x', publicKey: 'x' })
  const answer = await send(
    { ...keys, endpoint: gate.running.consoleUrl },
    signed(keys, { ...people, headers, body }),
  )
  expect(answer.status).toBe(400)
})

test('M12 a browser signs in by passkey; its cookie reads for its own pages alone, and changes nothing', async () => {
  const id = idIn(await deletion())
  const signedIn = await browserSignIn()
  expect(await signedIn.json()).toMatchObject({ person: 'bob' })
  const attributes = signedIn.headers.get('set-cookie') ?? ''
  for (const words of ['HttpOnly', 'SameSite=Strict', 'Path=/']) expect(attributes).toContain(words)
  expect(attributes).not.toContain('Domain')
  const cookie = cookieIn(signedIn)
  const reads = (site: string | undefined, path = '/api/requests') =>
    fetch(at(path), { headers: { cookie, ...(site && { 'sec-fetch-site': site }) } })
  expect((await reads('same-origin')).status).toBe(200)
  expect(await (await reads('same-origin', '/api/me')).json()).toMatchObject({
    name: 'bob',
    kind: 'browser',
    teams: ['sre'],
  })
  // Another port on localhost is the same site, and is given the cookie; another site is not.
  for (const site of ['same-site', 'cross-site', 'none', undefined]) {
    const answer = await reads(site)
    expect([site, answer.status, await codeOf(answer)]).toEqual([site, 403, 'wrong_origin'])
  }
  const { statement } = await gate.assert(bob, await reviewStatement(gate, id))
  const unsigned = await fetch(at('/api/reviews'), {
    method: 'POST',
    headers: { cookie, 'content-type': 'application/json', 'sec-fetch-site': 'same-origin' },
    body: JSON.stringify({ statement }),
  })
  expect([unsigned.status, await codeOf(unsigned)]).toEqual([400, 'statement_invalid'])
  const end = { cookie, 'sec-fetch-site': 'same-origin' }
  await fetch(at('/api/sign-ins/end'), { method: 'POST', headers: end })
  expect((await reads('same-origin')).status).toBe(401)
})

test('M12 even a signed act is refused from a page of another origin', async () => {
  const id = idIn(await deletion())
  const act = JSON.stringify(await gate.assert(bob, await reviewStatement(gate, id)))
  const post = (headers: Record<string, string>) =>
    fetch(at('/api/reviews'), {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: act,
    })
  for (const headers of [
    { origin: 'http://localhost:3000' },
    { origin: 'null' },
    { origin: 'https://evil.example' },
    { 'sec-fetch-site': 'same-site' },
    { 'sec-fetch-site': 'cross-site' },
  ]) {
    const answer = await post(headers)
    expect([headers, answer.status, await codeOf(answer)]).toEqual([headers, 403, 'wrong_origin'])
  }
  const { relyingParty } = await gate.client.facts()
  const own = { origin: relyingParty.origins[0] ?? '', 'sec-fetch-site': 'same-origin' }
  expect((await post(own)).status).toBe(200)
})

test('M12 the link of the command line signs one browser in, once, and never from a page', async () => {
  const link = (await linkOf('carol')).replace(/^http:\/\/localhost:\d+/, gate.running.consoleUrl)
  const open = (headers: Record<string, string>) => opened(link, headers)
  for (const headers of [
    {},
    { ...TYPED, 'sec-fetch-site': 'cross-site' },
    { ...TYPED, 'sec-fetch-dest': 'iframe' },
  ]) {
    expect(await codeOf(await open(headers))).toBe('wrong_origin')
  }
  const answer = await open(TYPED)
  expect([answer.status, answer.headers.get('location')]).toEqual([303, '/'])
  const headers = { cookie: cookieIn(answer), 'sec-fetch-site': 'same-origin' }
  expect(await (await fetch(at('/api/me'), { headers })).json()).toMatchObject({ name: 'carol' })
  expect(await codeOf(await open(TYPED))).toBe('sign_in_needed')
  expect(await codeOf(await opened(at(`/sign-in/by-link/${'a'.repeat(43)}`), TYPED))).toBe(
    'sign_in_needed',
  )
})

test('tokens and links end by the clock', async () => {
  const clock = new FrozenClock()
  await underClock(gate, clock)
  const token = await tokenOf('carol')
  const link = (await linkOf('carol')).replace(/^http:\/\/localhost:\d+/, gate.running.consoleUrl)
  const read = () => fetch(at('/api/requests'), { headers: { authorization: `Bearer ${token}` } })
  clock.advance(3 * 60_000)
  expect((await read()).status).toBe(200)
  expect(await codeOf(await opened(link, TYPED))).toBe('sign_in_needed')
  clock.advance(30 * 60_000)
  expect((await read()).status).toBe(401)
})

test('M12 a removed member reads no more, and their open stream ends', async () => {
  const cookie = cookieIn(await browserSignIn())
  const headers = { cookie, 'sec-fetch-site': 'same-origin' }
  const stream = await fetch(at('/api/events'), { headers })
  expect(stream.status).toBe(200)
  const ended = stream.text()
  const token = await tokenOf('carol')
  const change = { kind: 'remove-person', person: 'bob' } as const
  await signChange(gate.client, await signer('alice'), change)
  await signChange(gate.client, await signer('carol'), change)
  expect((await fetch(at('/api/requests'), { headers })).status).toBe(401)
  // The next thing that happens is told to others alone.
  await gate.open('alice')
  await ended
  expect(
    (await fetch(at('/api/requests'), { headers: { authorization: `Bearer ${token}` } })).status,
  ).toBe(200)
})

test('a sign-in is signed over a nonce of this gate, once, and by a key that belongs to somebody', async () => {
  const { gate: gateId } = await gate.client.facts()
  const post = async (statement: object) =>
    gate.client.post(
      '/api/sign-ins',
      await gate.act('carol', statement as never, SIGN_IN_NAMESPACE),
    )
  const fresh = async () =>
    (await gate.client.post<{ nonce: string }>('/api/sign-ins/nonce', {})).nonce
  const base = { type: SIGN_IN_NAMESPACE, gate: gateId, use: 'cli' }
  await expect(post({ ...base, nonce: 'made-up' })).rejects.toMatchObject({
    code: 'statement_invalid',
  })
  await expect(
    post({ ...base, gate: 'ab'.repeat(32), nonce: await fresh() }),
  ).rejects.toMatchObject({
    code: 'statement_invalid',
  })
  await expect(post({ ...base, use: 'browser', nonce: await fresh() })).rejects.toMatchObject({
    code: 'statement_invalid',
  })
  const act = await gate.act('carol', { ...base, nonce: await fresh() }, SIGN_IN_NAMESPACE)
  await gate.client.post('/api/sign-ins', act)
  await expect(gate.client.post('/api/sign-ins', act)).rejects.toMatchObject({
    code: 'statement_invalid',
  })
  const entry = (await gate.entries()).at(-1)
  expect(entry).toMatchObject({ type: 'signed-in', person: 'carol', use: 'cli' })
})

test('asking too often is refused, per person and per address', async () => {
  await underClock(gate, new FrozenClock())
  let refusal: unknown
  for (let asked = 0; asked < 60 && refusal === undefined; asked += 1) {
    refusal = await tokenOf('carol').then(
      () => undefined,
      (error: unknown) => error,
    )
  }
  expect(refusal).toMatchObject({ code: 'rate_limited' })
  for (let asked = 0; asked < 130; asked += 1) {
    refusal = await gate.client.post('/api/sign-ins/nonce', {}).then(
      () => undefined,
      (error: unknown) => error,
    )
  }
  expect(refusal).toMatchObject({ code: 'rate_limited' })
})

test.skipIf(process.getuid?.() !== 0)(
  'a token is worth nothing to another user of this host',
  async () => {
    const token = await tokenOf('carol')
    const script = `fetch(${JSON.stringify(at('/api/requests'))}, { headers: { authorization: 'Bearer ${token}' } }).then((answer) => console.log(answer.status))`
    const asUser = (uid: number) =>
      new Promise<string>((resolve) => {
        const options = { uid, gid: uid, cwd: '/' }
        execFile('/usr/bin/env', ['node', '-e', script], options, (_, out) => resolve(out.trim()))
      })
    expect(await asUser(0)).toBe('200')
    expect(await asUser(65_534)).toBe('401')
  },
)

test.skipIf(process.getuid?.() !== 0)(
  'H17 the keys of a session work for the user that used them first, over restarts too, and for no other',
  async () => {
    const list = dynamodbCall('ListTables', {})
    const asUser = (uid: number) => {
      const { headers, body } = signed(keys, list)
      const pairs = JSON.stringify(
        Object.fromEntries(headers.map(([name, value]) => [name, value])),
      )
      const text = JSON.stringify(Buffer.from(body).toString())
      const script = `fetch(${JSON.stringify(keys.endpoint)}, { method: 'POST', headers: ${pairs}, body: ${text} }).then(async (answer) => console.log(answer.status, await answer.text()))`
      return new Promise<string>((resolve) => {
        const options = { uid, gid: uid, cwd: '/' }
        execFile('/usr/bin/env', ['node', '-e', script], options, (_, out) => resolve(out.trim()))
      })
    }
    expect(await asUser(65_534)).toMatch(/^200 /)
    await gate.restartSame()
    expect(await asUser(65_534)).toMatch(/^200 /)
    expect((await rawCall(keys, list)).body).toContain('another user')
    expect(await asUser(65_534)).toContain('it is suspended')
    const codes = (await gate.entries()).map(({ code }) => code)
    expect(codes.filter((code) => code === 'session_elsewhere')).toHaveLength(1)
  },
)

test('by https the cookie is bound to its host by the browser itself', async () => {
  await gate.running.close()
  await gate.restart({ console: { origins: ['https://seconder.example.com'] } })
  const { rpId, origins } = (await gate.client.facts()).relyingParty
  expect({ rpId, origins }).toEqual({
    rpId: 'seconder.example.com',
    origins: ['https://seconder.example.com'],
  })
  // bob's passkey belongs to localhost, and counts no more.
  const refused = await browserSignIn()
  expect(await codeOf(refused)).toBe('signature_invalid')
  const link = new URL(await linkOf('carol'))
  expect(link.origin).toBe('https://seconder.example.com')
  const answer = await opened(at(link.pathname), TYPED)
  expect(answer.headers.get('set-cookie')).toMatch(/^__Host-seconder=[\w-]{43};.*; Secure$/)
})

test('the command line asks for a key once, keeps a token for its owner alone, and waits as an agent does', async () => {
  const home = mkdtempSync(join(tmpdir(), 'seconder-home-'))
  const ran = (args: string[], env: Record<string, string> = {}) =>
    new Promise<{ code: number; out: string; err: string }>((resolve) => {
      const options = { env: { PATH: process.env['PATH'], ...COMPILED, HOME: home, ...env } }
      const argv = [MAIN, ...args, '--gate', gate.running.consoleUrl]
      execFile(process.execPath, argv, options, (error, out, err) =>
        resolve({ code: error ? Number(error.code) : 0, out, err }),
      )
    })
  const id = idIn(await deletion())
  const stranger = await ran(['request', 'ls'])
  expect([stranger.code, stranger.err]).toEqual([1, expect.stringContaining('--ssh-key')])
  const key = gate.keys.get('carol') ?? ''
  expect((await ran(['request', 'ls', '--ssh-key', key])).out).toContain(id)
  const before = (await gate.entries()).filter(({ type }) => type === 'signed-in').length
  expect((await ran(['request', 'show', id])).out).toContain('DeleteTable')
  expect((await ran(['people', 'ls'])).out).toContain('bob')
  expect((await gate.entries()).filter(({ type }) => type === 'signed-in')).toHaveLength(before)
  const folder = join(home, '.seconder')
  expect(statSync(folder).mode & 0o777).toBe(0o700)
  for (const file of readdirSync(folder))
    expect(statSync(join(folder, file)).mode & 0o777).toBe(0o600)
  const agent = {
    AWS_ACCESS_KEY_ID: keys.accessKeyId,
    AWS_SECRET_ACCESS_KEY: keys.secretAccessKey,
    HOME: '/nonexistent',
  }
  const waited = await ran(['wait', id, '--timeout', '0', '--json'], agent)
  expect([waited.code, JSON.parse(waited.out)]).toMatchObject([3, { requestId: id }])
  rmSync(home, { recursive: true })
})
