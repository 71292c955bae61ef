// Sign-in by a company's identity provider, against one that speaks the protocol: it lets a linked member read,
// makes nobody a member, and is believed for nothing that it does not prove.
import { readFileSync, rmSync } from 'node:fs'
import http from 'node:http'
import { join } from 'node:path'
import { joinFirst, signChange } from '@seconder/cli/changing-people'
import { signerFor } from '@seconder/cli/signing'
import type { PeopleChange } from '@seconder/gateway/lib/people-change'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type Lies, OidcProvider } from '../fakes/oidc-provider.ts'
import { type FakeUpstream, startFakeUpstream } from '../fakes/upstream.ts'
import { Harness } from './harness.ts'

let upstream: FakeUpstream
let provider: OidcProvider
let gate: Harness

beforeEach(async () => {
  upstream = await startFakeUpstream()
  provider = await OidcProvider.start()
  gate = await Harness.start({ upstream: upstream.url })
  await gate.running.close()
  await gate.restart({ oidc: { issuer: provider.issuer, clientId: 'seconder' } })
})

afterEach(async () => {
  await gate.stop()
  provider.close()
  await upstream.close()
})

interface Answer {
  readonly status: number
  readonly location: string
  readonly cookie: string
  readonly body: string
}

/** Node's fetch says itself how it asks; this says it as a browser does. */
function asked(url: string, headers: Record<string, string> = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = http.get(url.replace('localhost', '127.0.0.1'), { headers }, (incoming) => {
      const chunks: Buffer[] = []
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
      incoming.on('end', () => {
        const { location = '', 'set-cookie': [cookie = ''] = [] } = incoming.headers
        const body = Buffer.concat(chunks).toString()
        resolve({
          status: incoming.statusCode ?? 0,
          location,
          cookie: cookie.split(';')[0] ?? '',
          body,
        })
      })
    })
    request.on('error', reject)
  })
}

const begin = () =>
  asked(`${gate.running.consoleUrl}/api/sign-ins/provider`, { 'sec-fetch-site': 'same-origin' })

/** To the provider and back, in one browser. */
async function throughProvider(cookie?: string): Promise<Answer> {
  const begun = await begin()
  const back = await asked(begun.location)
  return asked(back.location, { cookie: cookie ?? begun.cookie, 'sec-fetch-site': 'cross-site' })
}

async function linked(person: string, subject: string): Promise<void> {
  const identity = { issuer: provider.issuer, subject }
  const change: PeopleChange = { kind: 'add-identity', person, identity }
  for (const name of ['alice', 'bob', 'carol'].filter((one) => one !== person)) {
    await signChange(gate.client, await signerFor(gate.client, gate.keys.get(name)), change)
  }
}

test('C10 whom the provider names reads as the member that two others linked, and as nobody before', async () => {
  expect((await throughProvider()).body).toContain('linked to no member')
  await linked('bob', 'subject-1')
  const signedIn = await throughProvider()
  expect([signedIn.status, signedIn.location]).toEqual([303, '/'])
  const headers = { cookie: signedIn.cookie, 'sec-fetch-site': 'same-origin' }
  const me = await asked(`${gate.running.consoleUrl}/api/me`, headers)
  expect(JSON.parse(me.body)).toMatchObject({ name: 'bob', teams: ['sre'], kind: 'browser' })
  provider.subject = 'subject-2'
  expect((await throughProvider()).body).toContain('linked to no member')
  expect((await gate.entries()).filter(({ use }) => use === 'provider')).toHaveLength(1)
  // Unlinked, the sign-in ends.
  const identity = { issuer: provider.issuer, subject: 'subject-1' }
  for (const name of ['alice', 'carol']) {
    const signer = await signerFor(gate.client, gate.keys.get(name))
    await signChange(gate.client, signer, { kind: 'remove-identity', person: 'bob', identity })
  }
  expect((await asked(`${gate.running.consoleUrl}/api/me`, headers)).status).toBe(401)
})

test.each<[string, Lies]>([
  ['another nonce', { nonce: 'other' }],
  ['another audience', { audience: 'other' }],
  ['another issuer', { issuer: 'https://evil.example' }],
  ['a signature of nobody', { badSignature: true }],
])('a token with %s signs nobody in', async (_, lies) => {
  await linked('bob', 'subject-1')
  provider.lies = lies
  const answer = await throughProvider()
  expect([answer.status, answer.body]).toEqual([401, expect.stringContaining('did not vouch')])
})

test('a way back that another browser began, that was used, or that a page began, is refused', async () => {
  await linked('bob', 'subject-1')
  expect((await throughProvider('seconder-1-provider=x')).body).toContain(
    'not begun in this browser',
  )
  const [mine, theirs] = [await begin(), await begin()]
  const back = await asked(theirs.location)
  expect((await asked(back.location, { cookie: mine.cookie })).body).toContain('did not vouch')
  expect((await asked(back.location, { cookie: mine.cookie })).body).toContain('not begun')
  for (const site of ['cross-site', 'same-site', '']) {
    const url = `${gate.running.consoleUrl}/api/sign-ins/provider`
    expect((await asked(url, { 'sec-fetch-site': site })).body).toContain('wrong_origin')
  }
})

test('C10 with a provider nobody is added without being linked; without one there is no such way', async () => {
  const key = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl'
  const change: PeopleChange = {
    kind: 'add-person',
    person: 'dora',
    teams: [],
    keys: [key],
    identities: [],
  }
  const signer = await signerFor(gate.client, gate.keys.get('alice'))
  await expect(signChange(gate.client, signer, change)).rejects.toMatchObject({
    code: 'change_refused',
  })
  await gate.running.close()
  rmSync(join(gate.folder, 'state'), { recursive: true })
  rmSync(join(gate.folder, 'ledger'), { recursive: true })
  const oidc = { issuer: provider.issuer, clientId: 'seconder' }
  await gate.restart({ people: [], oidc })
  const link = readFileSync(join(gate.folder, 'state', 'first-member'), 'utf8')
  const first = { name: 'alice', teams: [], link }
  expect(await joinFirst(gate.client, gate.keys.get('alice') ?? '', first)).toEqual({
    person: 'alice',
  })
  await gate.running.close()
  await gate.restart()
  expect((await begin()).body).toContain('no identity provider')
})
