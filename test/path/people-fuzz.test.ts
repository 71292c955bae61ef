// Nonsense at every door of the people's API: a refusal in words each time, never an error of the gate's own, and
// nothing of it changes anything.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Authenticator } from '../fakes/authenticator.ts'
import { type FakeUpstream, startFakeUpstream } from '../fakes/upstream.ts'
import { Harness } from './harness.ts'

let upstream: FakeUpstream
let gate: Harness
const bob = new Authenticator()

beforeAll(async () => {
  upstream = await startFakeUpstream()
  gate = await Harness.start({ upstream: upstream.url, passkeys: { bob } })
})

afterAll(async () => {
  await gate.stop()
  await upstream.close()
})

const POSTS = [
  '/api/reviews',
  '/api/sessions',
  '/api/sessions/close',
  '/api/epochs',
  '/api/withdrawals',
  '/api/people/changes',
  '/api/people/changes/cancel',
  '/api/people/first',
  '/api/passkeys',
  '/api/sign-ins',
]

async function refusal(answer: Response): Promise<{ status: number; code: string; help: string }> {
  const { error } = (await answer.json()) as { error: { code: string; help: string } }
  return { status: answer.status, ...error }
}

test('bodies of any shape are refused in words at every door', async () => {
  const assertion = bob.get('{}', { rpId: 'localhost', origin: 'http://localhost:1' })
  const act = await gate.act('bob', { type: 'nothing' }, 'nothing@v1')
  const bodies: unknown[] = [
    ...[null, 7, 'x', [], {}, { statement: 1 }, { ...act, more: 1 }, { ...act, publicKey: '' }],
    ...[
      { ...act, publicKey: bob.line() },
      { ...act, signature: '' },
      { ...act, statement: '[]' },
    ],
    act,
    ...['{}', 'null', '{"type":"x","type":"y"}', '{"a":1e400}', '{"__proto__":{}}', '\ud800'].map(
      (statement) => ({ statement, assertion }),
    ),
    { statement: '{}', assertion: { id: 'AAAA', response: {} } },
    { statement: '{}', assertion: { ...assertion, id: 'A'.repeat(9_000) } },
    { id: 'AAAA', response: { clientDataJSON: 'AAAA', attestationObject: 'AAAA' } },
    { id: 'AAAA', response: { clientDataJSON: 'e30', attestationObject: 'oA' } },
    { name: 'x'.repeat(65) },
  ]
  const before = (await gate.entries()).length
  for (const path of POSTS) {
    for (const body of bodies) {
      const answer = await fetch(`${gate.running.consoleUrl}${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      })
      const { status, code, help } = await refusal(answer)
      expect([
        path,
        body,
        status >= 400 && status < 500,
        code !== 'internal' && help !== '',
      ]).toEqual([path, body, true, true])
    }
  }
  expect(await gate.entries()).toHaveLength(before)
})

test('spellings of a path, methods and headers of any kind open nothing', async () => {
  const targets = [
    '/%61pi/requests',
    '/api/requests/',
    '/api//requests',
    '/API/requests',
    '/api/./requests',
  ]
  for (const target of [
    ...targets,
    '/api/requests?x',
    '/api/requests/..%2frequests',
    '/api/%72equests',
  ]) {
    for (const method of ['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE', 'PATCH']) {
      const answer = await fetch(`${gate.running.consoleUrl}${target}`, { method })
      expect([target, method, [401, 404].includes(answer.status)]).toEqual([target, method, true])
    }
  }
  for (const authorization of [
    'Bearer',
    'Bearer ',
    'Bearer null',
    `Bearer ${'a'.repeat(10_000)}`,
    'Basic YWxpY2U6',
    'AWS4-HMAC-SHA256 Credential=x',
    'bearer undefined',
  ]) {
    for (const path of ['/api/requests', '/api/requests/r-1/status', '/api/me']) {
      const answer = await fetch(`${gate.running.consoleUrl}${path}`, {
        headers: { authorization },
      })
      expect([authorization.slice(0, 20), path, answer.status]).toEqual([
        authorization.slice(0, 20),
        path,
        401,
      ])
    }
  }
})
