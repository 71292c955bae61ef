// Passkeys at the public doors, under the policies that Seconder ships: what a browser sends counts where a
// person was present and verified on a page of this gate, once, and is verified again from the ledger alone.
import { SESSION_NAMESPACE } from '@seconder/gateway/identify/session-opening'
import { Secret } from '@seconder/gateway/lib/secret'
import { verifySsh } from '@seconder/gateway/lib/signed-act'
import { startCloud } from '@seconder/lab/cloud/cloud'
import { SignedActs } from '@seconder/ledger/signed-acts'
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest'
import { Authenticator } from '../fakes/authenticator.ts'
import { type FakeUpstream, startFakeUpstream } from '../fakes/upstream.ts'
import { idIn, nonce, reviewStatement } from './acts.ts'
import { Harness, type Keys } from './harness.ts'
import { dynamodbCall, rawCall } from './wire.ts'

let upstream: FakeUpstream
let gate: Harness
let keys: Keys
const passkeys = {
  alice: new Authenticator('ES256', 1),
  bob: new Authenticator('ES256', 7),
  carol: new Authenticator('Ed25519'),
}

beforeEach(async () => {
  upstream = await startFakeUpstream()
  // The shipped policies refuse an agent that stands where the gate stands, as this test's does.
  const isolation = () => 'user' as const
  gate = await Harness.start({ upstream: upstream.url, policies: 'policies', isolation, passkeys })
  keys = await gate.open('alice')
})

afterEach(async () => {
  await gate.stop()
  await upstream.close()
})

const call = (operation: string) => rawCall(keys, dynamodbCall(operation, { TableName: 'orders' }))
const deletions = () => upstream.seen.filter(({ operation }) => operation === 'DeleteTable').length
const post = (act: object) => gate.client.post<{ state: string }>('/api/reviews', act)

/** bob's approval by passkey, as his browser makes it. */
async function approval(id: string, twist = {}, authenticator = passkeys.bob, signer = 'bob') {
  return gate.assert(authenticator, await reviewStatement(gate, id, {}, signer), twist)
}

test('C3 a passkey opens production where a key file does not, and the call then runs once', async () => {
  const id = idIn(await call('DeleteTable'))
  await expect(gate.review('bob', id)).rejects.toMatchObject({
    code: 'not_a_reviewer',
    help: expect.stringContaining('passkey'),
  })
  expect(await post(await approval(id))).toMatchObject({ state: 'approved' })
  expect((await call('DeleteTable')).status).toBe(200)
  expect(deletions()).toBe(1)
  const review = (await gate.entries()).find(({ type }) => type === 'review')
  expect(review).toMatchObject({ reviewer: 'bob', strength: 'hardware' })
})

test('an Ed25519 passkey that is synced and never counts is as good', async () => {
  const id = idIn(await call('DeleteTable'))
  // carol is of no team; policy wants one of sre, so hers is counted and not yet enough.
  const act = await approval(id, {}, passkeys.carol, 'carol')
  expect(await post(act)).toMatchObject({ state: 'pending' })
  await expect(post(act)).rejects.toMatchObject({ code: 'not_a_reviewer' })
  expect(await post(await approval(id))).toMatchObject({ state: 'approved' })
})

test('a session is opened and closed by a passkey, and its operator is proved by it', async () => {
  const { gate: gateId } = await gate.client.facts()
  const statement = {
    type: SESSION_NAMESPACE,
    gate: gateId,
    operator: 'bob',
    agent: 'agent',
    role: 'deploy',
    sessionPublicKey: Buffer.alloc(32, 9).toString('base64'),
    signedAt: new Date().toISOString(),
    expiresAt: new Date(Date.now() + 60_000).toISOString(),
    nonce: nonce(),
  }
  const asAlice = await gate.assert(passkeys.alice, statement)
  await expect(gate.client.post('/api/sessions', asAlice)).rejects.toMatchObject({
    code: 'statement_invalid',
  })
  const act = await gate.assert(passkeys.bob, statement)
  const { sessionId } = await gate.client.post<{ sessionId: string }>('/api/sessions', act)
  const closing = {
    type: 'seconder-session-close@v1',
    gate: gateId,
    session: sessionId,
    signer: 'carol',
    nonce: nonce(),
    signedAt: new Date().toISOString(),
  }
  await gate.client.post('/api/sessions/close', await gate.assert(passkeys.carol, closing))
  await expect(gate.client.post('/api/sessions', act)).rejects.toMatchObject({
    code: 'signature_invalid',
  })
})

test.each([
  ['another origin on the same name', { origin: 'http://localhost:3000' }],
  ['another site', { origin: 'https://evil.example', rpId: 'evil.example' }],
  ['the address, which is no name', { origin: 'http://127.0.0.1:8788' }],
  ['nobody verified', { flags: 0x01 }],
  ['nobody present', { flags: 0x04 }],
  ['a registration', { type: 'webauthn.create' }],
  ['a frame', { clientData: { crossOrigin: true } }],
  ['a challenge of its own', { clientData: { challenge: Buffer.alloc(32).toString('base64url') } }],
])('M4 an assertion with %s is refused in words', async (_, twist) => {
  const id = idIn(await call('DeleteTable'))
  await expect(post(await approval(id, twist))).rejects.toMatchObject({
    code: 'signature_invalid',
    message: expect.stringMatching(/passkey|assertion/),
  })
  expect((await gate.entries()).filter(({ type }) => type === 'review')).toEqual([])
  expect((await call('DeleteTable')).status).toBe(400)
  expect(deletions()).toBe(0)
})

test('M4: real accounts take no passkey of localhost, unless everybody sits at the gate', async () => {
  const id = idIn(await call('DeleteTable'))
  const act = await approval(id)
  // A gate that lends roles, as with real AWS; the lab's STS answers for it.
  const cloud = await startCloud({ stepMs: 1 })
  onTestFinished(() => cloud.close())
  const { accessKeyId, secretAccessKey } = cloud.credentials.gate
  const credentials = {
    accessKeyId,
    secretAccessKey: new Secret(secretAccessKey),
    sessionToken: null,
  }
  const real = {
    upstream: { endpoint: cloud.endpoint, timeoutMs: 60_000, credentials, assumeRole: true },
    roles: { deploy: { arn: 'arn:aws-cn:iam::123456789012:role/agent-deploy' } },
  }
  await gate.running.close()
  await gate.restart(real)
  expect(gate.running.notices.join()).toContain('singleMachine: true')
  const refused = { code: 'local_relying_party', help: expect.stringContaining('https://HOST') }
  await expect(post(act)).rejects.toMatchObject(refused)
  await expect(gate.client.post('/api/passkeys/options', { name: 'dora' })).rejects.toMatchObject(
    refused,
  )
  // A key of another kind still counts, and nothing was used up by the refusal.
  await expect(gate.review('bob', id)).rejects.toMatchObject({ code: 'not_a_reviewer' })
  await gate.running.close()
  await gate.restart({ ...real, console: { singleMachine: true } })
  expect(gate.running.notices.join()).not.toContain('singleMachine')
  expect(await post(act)).toMatchObject({ state: 'approved' })
  await gate.running.close()
  await gate.restart()
})

test('a counter that stands still or goes back is a copy of the passkey, and is refused', async () => {
  const id = idIn(await call('DeleteTable'))
  const late = await approval(id, { counter: 100 }, passkeys.bob)
  await expect(post({ ...late, statement: `${late.statement} ` })).rejects.toMatchObject({
    code: 'statement_invalid',
  })
  const denial = await reviewStatement(gate, id, { request: 'r-0', reviewer: 'bob' })
  await expect(
    post(await gate.assert(passkeys.bob, denial, { counter: 50 })),
  ).rejects.toMatchObject({
    code: 'request_unknown',
  })
  for (const counter of [50, 49, 0]) {
    await expect(post(await approval(id, { counter }))).rejects.toMatchObject({
      code: 'signature_invalid',
    })
  }
  expect(await post(late)).toMatchObject({ state: 'approved' })
})

test('a replayed assertion, and one for a statement that was changed, are refused', async () => {
  const id = idIn(await call('DeleteTable'))
  const act = await approval(id)
  const changed = { ...act, statement: act.statement.replace('"approve"', '"deny"') }
  await expect(post(changed)).rejects.toMatchObject({ code: 'signature_invalid' })
  const [one, two] = await Promise.allSettled([post(act), post(act)])
  expect([one.status, two.status].sort()).toEqual(['fulfilled', 'rejected'])
  await expect(post(act)).rejects.toMatchObject({ code: 'signature_invalid' })
})

test("the operator's own passkey does not second, and a stranger's belongs to nobody", async () => {
  const id = idIn(await call('DeleteTable'))
  await expect(post(await approval(id, {}, passkeys.alice, 'alice'))).rejects.toMatchObject({
    code: 'not_a_reviewer',
  })
  await expect(post(await approval(id, {}, new Authenticator()))).rejects.toMatchObject({
    code: 'signature_invalid',
  })
})

test('a comment of 1 MB is refused; markup in one is told as text', async () => {
  const id = idIn(await call('DeleteTable'))
  const comment = (text: string) => reviewStatement(gate, id, { verdict: 'deny', comment: text })
  const large = await gate.assert(passkeys.bob, await comment('x'.repeat(1024 * 1024)))
  await expect(post(large)).rejects.toMatchObject({ code: 'body_too_large' })
  const long = await gate.assert(passkeys.bob, await comment('x'.repeat(1_001)))
  await expect(post(long)).rejects.toMatchObject({ code: 'statement_invalid' })
  const markup = '<script>alert(1)</script> \u202e[x](javascript:1)'
  await post(await gate.assert(passkeys.bob, await comment(markup)))
  const told = (await call('DeleteTable')).body
  expect(told).toContain('script')
  expect(told).not.toContain('\u202e')
})

test('the ledger alone says who signed: every part of an assertion that is changed is found', async () => {
  const id = idIn(await call('DeleteTable'))
  await post(await approval(id))
  const entries = await gate.entries()
  const { gate: gateId } = await gate.client.facts()
  const problemsWith = async (change: (review: Record<string, unknown>) => unknown) => {
    const acts = new SignedActs(gateId, (act, namespace) =>
      verifySsh(act, namespace, act.publicKey),
    )
    const problems: string[] = []
    for (const entry of entries) {
      const copy = structuredClone(entry) as Record<string, unknown>
      if (copy['type'] === 'review') change(copy)
      const problem = await acts.take(copy)
      if (problem !== null) problems.push(problem)
    }
    return problems
  }
  const act = (review: Record<string, unknown>) =>
    review['act'] as { statement: string; passkey: string; assertion: Record<string, string> }
  expect(await problemsWith(() => undefined)).toEqual([])
  const lies: ((review: Record<string, unknown>) => unknown)[] = [
    (review) => Object.assign(review, { verdict: 'deny' }),
    (review) => Object.assign(review, { strength: 'software' }),
    (review) => Object.assign(review, { reviewer: 'carol' }),
    (review) => Object.assign(act(review), { passkey: passkeys.carol.line() }),
    (review) => Object.assign(act(review), { passkey: new Authenticator().line() }),
    (review) =>
      Object.assign(act(review), { statement: act(review).statement.replace('bob', 'bab') }),
    ...['authenticatorData', 'clientDataJSON', 'signature'].map(
      (name) => (review: Record<string, unknown>) => {
        const bytes = Buffer.from(act(review).assertion[name] ?? '', 'base64url')
        bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1
        act(review).assertion[name] = bytes.toString('base64url')
      },
    ),
  ]
  for (const lie of lies) expect(await problemsWith(lie)).toHaveLength(1)
})
