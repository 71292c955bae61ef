// Limits at and past them, what HTTP itself can be made to say, upstreams that fail, and everything
// that two people or two hundred calls can do at the same moment: never a second effect.
import http from 'node:http'
import net from 'node:net'
import type { WireRequest } from '@seconder/aws/wire-request'
import { BODY_BYTES_MAX } from '@seconder/gateway/receive/body'
import { OPEN_REQUESTS_PER_SESSION_MAX } from '@seconder/gateway/review/caps'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { defaultScript, type FakeUpstream, startFakeUpstream } from '../fakes/upstream.ts'
import { closeSession, expectNothingLeaked, idIn, reviewAct } from './acts.ts'
import { Harness, type Keys } from './harness.ts'
import { dynamodbCall, type RawCall, rawCall, send, signed } from './wire.ts'

let upstream: FakeUpstream
let gate: Harness
let keys: Keys

beforeEach(async () => {
  upstream = await startFakeUpstream()
  gate = await Harness.start({ upstream: upstream.url })
  keys = await gate.open('alice')
})

afterEach(async () => {
  await gate.stop()
  await upstream.close()
})

const deletions = () => upstream.seen.filter(({ operation }) => operation === 'DeleteTable').length
const deleteOrders = dynamodbCall('DeleteTable', { TableName: 'orders' })
const lastEntry = async () => (await gate.entries()).at(-1)

test('a body that the gate reads is read at the limit, and refused one byte past it, announced or not', async () => {
  const put = (bytes: number, headers: [string, string][] = []): RawCall => ({
    method: 'PUT',
    target: '/bucket-b?policy',
    service: 's3',
    body: `{"Id":"${'x'.repeat(bytes - 9)}"}`,
    headers,
  })
  expect((await rawCall(keys, put(BODY_BYTES_MAX))).body).toContain('needs review')
  const past = BODY_BYTES_MAX + 1
  for (const headers of [
    [['content-length', String(past)]],
    [['transfer-encoding', 'chunked']],
  ] as [string, string][][]) {
    const answer = await rawCall(keys, put(past, headers))
    expect(answer.status).toBe(400)
    expect(answer.body).toContain('EntityTooLarge')
  }
  expect(upstream.seen.filter(({ request }) => request.method === 'PUT')).toEqual([])
  expect((await rawCall(keys, dynamodbCall('ListTables', {}))).status).toBe(200)
})

test('a session has at most twenty open requests; the next is told so, and reads still pass', async () => {
  const remove = (name: string) => rawCall(keys, dynamodbCall('DeleteTable', { TableName: name }))
  for (let count = 0; count < OPEN_REQUESTS_PER_SESSION_MAX; count++) {
    expect((await remove(`table-${count}`)).body).toContain('needs review')
  }
  const past = await remove('table-past')
  expect(past.body).toContain('already has 20 open requests')
  expect(await lastEntry()).toMatchObject({ type: 'refused', code: 'limit_reached' })
  expect((await remove('table-0')).body).toContain('needs review')
  expect((await rawCall(keys, dynamodbCall('ListTables', {}))).status).toBe(200)
  expect(deletions()).toBe(0)
})

test('another Host, HEAD, and a method that HTTP knows and AWS does not', async () => {
  const own = signed(keys, deleteOrders)
  const headers = own.headers.map(([name, value]) =>
    name === 'host' ? ([name, 'evil.example'] as const) : ([name, value] as const),
  )
  const rebound = { ...own, headers }
  const answer = await send(keys, rebound)
  expect(answer.status).toBe(400)
  expect(answer.body).toContain('the Host header is not this gate')
  await expectNothingLeaked(gate, keys, answer, rebound)
  const head = await rawCall(keys, { method: 'HEAD', target: '/bucket-b/../key', service: 's3' })
  expect([head.status, head.body]).toEqual([400, ''])
  expect(head.headers['x-amz-error-code']).toBe('InvalidRequest')
  const options = await rawCall(keys, { method: 'OPTIONS', target: '/bucket-b', service: 's3' })
  expect(options.status).toBe(405)
  expect(upstream.seen).toEqual([])
})

test('CONNECT, two lengths, length beside chunks, folded headers and a flood of headers reach nothing', async () => {
  const { host } = new URL(keys.endpoint)
  const lines = (extra: string) => `POST / HTTP/1.1\r\nhost: ${host}\r\n${extra}\r\n`
  for (const text of [
    `CONNECT evil.example:443 HTTP/1.1\r\nhost: ${host}\r\n\r\n`,
    `${lines('content-length: 2\r\ncontent-length: 30\r\n')}{}`,
    `${lines('content-length: 2\r\ntransfer-encoding: chunked\r\n')}0\r\n\r\n`,
    `${lines('transfer-encoding: chunked, identity\r\n')}0\r\n\r\n`,
    `${lines('x-amz-target: DynamoDB_20120810.ListTables\r\n  ,DynamoDB_20120810.DeleteTable\r\ncontent-length: 0\r\n')}`,
    `${lines('x-a: b\r\n'.repeat(5_000))}`,
    `${lines('expect: something-else\r\ncontent-length: 0\r\n')}`,
    `POST http://evil.example/ HTTP/1.1\r\nhost: ${host}\r\ncontent-length: 0\r\n\r\n`,
    'POST / HTTP/1.1\r\ncontent-length: 0\r\n\r\n',
  ]) {
    expect(await rawText(text)).toMatch(/^(HTTP\/1\.1 4\d\d |$)/)
  }
  expect(upstream.seen).toEqual([])
  expect((await rawCall(keys, dynamodbCall('ListTables', {}))).status).toBe(200)
})

test('a second request pipelined behind a read is decided by itself', async () => {
  const text = (request: WireRequest) =>
    `${request.method} ${request.target} HTTP/1.1\r\n${request.headers.map(([name, value]) => `${name}: ${value}\r\n`).join('')}` +
    `\r\n${Buffer.from(request.body).toString()}`
  const read = signed(keys, dynamodbCall('ListTables', {}, { headers: [['content-length', '2']] }))
  const length = [['content-length', '22']] as const
  const write = signed(
    keys,
    dynamodbCall('DeleteTable', { TableName: 'orders' }, { headers: length }),
  )
  const answers = await rawText(text(read) + text(write), 2)
  expect(answers).toContain('"TableNames"')
  expect(answers).toContain('needs review')
  expect(deletions()).toBe(0)
})

test('a client that sends half a body and leaves does nothing, and the gate goes on', async () => {
  const id = idIn(await rawCall(keys, deleteOrders))
  await gate.review('bob', id)
  const request = signed(keys, deleteOrders)
  const { hostname, port } = new URL(keys.endpoint)
  const socket = net.connect(Number(port), hostname)
  await new Promise((resolve) => socket.once('connect', resolve))
  const head = request.headers.map(([name, value]) => `${name}: ${value}\r\n`).join('')
  socket.write(`POST / HTTP/1.1\r\n${head}content-length: 22\r\n\r\n{"Table`)
  await new Promise((resolve) => socket.end(() => resolve(null)))
  expect((await rawCall(keys, dynamodbCall('ListTables', {}))).status).toBe(200)
  expect(deletions()).toBe(0)
  expect((await rawCall(keys, deleteOrders)).status).toBe(200)
  expect(deletions()).toBe(1)
})

test('silence before the request was sent is told as not done, silence after it as unknown', async () => {
  await gate.review('bob', idIn(await rawCall(keys, deleteOrders)))
  upstream.script = (seen) => (seen.operation === 'DeleteTable' ? 'silence' : defaultScript(seen))
  const answer = await rawCall(keys, { ...deleteOrders, signedAtMs: Date.now() - 5_000 })
  expect(answer.body).toContain('OutcomeUnknownException')
  expect(answer.body).toContain('it may have happened')
  expect(await lastEntry()).toMatchObject({ type: 'outcome', outcome: { result: 'unknown' } })
  expect((await rawCall(keys, deleteOrders)).body).toContain('needs review')
  expect(deletions()).toBe(1)

  await upstream.close()
  const read = await rawCall(keys, dynamodbCall('ListTables', {}))
  expect(read.body).toContain('GateUnavailableException')
  expect(await lastEntry()).toMatchObject({ type: 'refused', code: 'upstream_silence' })
})

test('an upstream that fails is passed on as it answered, and its outcome is failed', async () => {
  await gate.review('bob', idIn(await rawCall(keys, deleteOrders)))
  const body = JSON.stringify({ __type: 'com.amazonaws.dynamodb#InternalServerError' })
  upstream.script = (seen) =>
    seen.operation === 'DeleteTable' ? { status: 500, body } : defaultScript(seen)
  expect(await rawCall(keys, deleteOrders)).toMatchObject({ status: 500, body })
  expect(await lastEntry()).toMatchObject({
    type: 'outcome',
    outcome: { result: 'failed', status: 500, errorCode: 'InternalServerError' },
  })
})

test('fifty copies of one approved call race, each signed anew, and one effect happens', async () => {
  const id = idIn(await rawCall(keys, deleteOrders))
  await gate.review('bob', id)
  const started = Date.now()
  const answers = await Promise.all(
    Array.from({ length: 50 }, (_, count) =>
      // Signatures of equal calls differ by their second, so each copy is a call of its own.
      rawCall(keys, { ...deleteOrders, signedAtMs: started - count * 1_000 }),
    ),
  )
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
  expect(deletions()).toBe(1)
  const intents = (await gate.entries()).filter(({ type }) => type === 'intent')
  expect(intents).toHaveLength(1)
})

test('a grant is used once: the same call later asks for a new review', async () => {
  const id = idIn(await rawCall(keys, deleteOrders))
  await gate.review('bob', id)
  const first = signed(keys, { ...deleteOrders, signedAtMs: Date.now() - 5_000 })
  expect((await send(keys, first)).status).toBe(200)
  expect(idIn(await rawCall(keys, deleteOrders))).not.toBe(id)
  expect(deletions()).toBe(1)
})

test('a hundred racing approvals by one person count once', async () => {
  const id = idIn(await rawCall(keys, deleteOrders))
  const acts = await Promise.all(Array.from({ length: 100 }, () => reviewAct(gate, id)))
  const taken = await Promise.allSettled(acts.map((act) => gate.client.post('/api/reviews', act)))
  expect(taken.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
  const entries = await gate.entries()
  expect(entries.filter(({ type }) => type === 'review')).toHaveLength(1)
  expect(entries.filter(({ type }) => type === 'grant-made')).toHaveLength(1)
})

test('a review by the operator, or of another digest, is refused and stays out of the ledger', async () => {
  const id = idIn(await rawCall(keys, deleteOrders))
  const before = (await gate.entries()).length
  await expect(gate.review('alice', id)).rejects.toMatchObject({ code: 'not_a_reviewer' })
  const other = await reviewAct(gate, id, { digest: 'a'.repeat(64) })
  await expect(gate.client.post('/api/reviews', other)).rejects.toMatchObject({
    code: 'statement_invalid',
  })
  expect(await gate.entries()).toHaveLength(before)
  expect((await rawCall(keys, deleteOrders)).body).toContain('needs review')
  expect(deletions()).toBe(0)
})

test('closing a session ends its keys, grants and requests, and answers who waits', async () => {
  await gate.running.close()
  await gate.restart({ review: { holdMs: 15_000, expiresInMs: 60_000, grantExpiresInMs: 60_000 } })
  const held = rawCall(keys, deleteOrders)
  const other = rawCall(keys, dynamodbCall('DeleteTable', { TableName: 'approved-one' }))
  const open = await pending(2)
  const approved = open.find(({ operation }) => operation === 'dynamodb:DeleteTable')
  expect(approved).toBeDefined()
  const { cancelledRequests } = await closeSession(gate, keys)
  expect(cancelledRequests).toHaveLength(2)
  for (const answer of await Promise.all([held, other])) {
    expect(answer.body).toContain('was cancelled (the session was closed)')
  }
  expect((await rawCall(keys, dynamodbCall('ListTables', {}))).body).toContain(
    'UnrecognizedClientException',
  )
  for (const { requestId } of open) {
    await expect(gate.review('bob', requestId)).rejects.toMatchObject({ code: 'request_closed' })
  }
  expect(deletions()).toBe(0)
})

test('a ready grant ends with its session, and an approval that races the closing gives nothing', async () => {
  const id = idIn(await rawCall(keys, deleteOrders))
  const act = await reviewAct(gate, id)
  await Promise.allSettled([gate.client.post('/api/reviews', act), closeSession(gate, keys)])
  const grant = await gate.running.gate.store.grantForRequest(id)
  expect(grant?.state ?? 'revoked').toBe('revoked')
  expect((await rawCall(keys, deleteOrders)).status).toBe(400)
  expect(deletions()).toBe(0)
})

async function pending(count: number) {
  for (let tries = 0; tries < 3_000; tries++) {
    const { requests } = await gate.client.get<{
      requests: { requestId: string; operation: string }[]
    }>('/api/requests?state=pending')
    if (requests.length >= count) return requests
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  throw new Error(`never saw ${count} pending requests`)
}

/** Sends these bytes on a connection of their own, and returns all that came back. */
function rawText(text: string, answersWanted = 1): Promise<string> {
  const { hostname, port } = new URL(keys.endpoint)
  return new Promise((resolve) => {
    const socket = net.connect(Number(port), hostname, () => socket.write(text))
    let answer = ''
    const timer = setTimeout(() => socket.destroy(), 8_000)
    socket.on('data', (chunk: Buffer) => {
      answer += chunk.toString('latin1')
      if (answer.split('HTTP/1.1 ').length > answersWanted && /[}>]$/.test(answer)) socket.end()
    })
    socket.on('error', () => undefined)
    socket.on('close', () => {
      clearTimeout(timer)
      resolve(answer)
    })
  })
}

test('people are told in the same way: no act without a signature, a method or a JSON body', async () => {
  const { hostname, port } = new URL(gate.running.consoleUrl)
  const ask = (headers: Record<string, string>, body: string) =>
    new Promise<{ status: number; body: string }>((resolve, reject) => {
      const options = { host: hostname, port, path: '/api/reviews', method: 'POST', headers }
      const request = http.request(options, (answer) => {
        let text = ''
        answer.on('data', (chunk: Buffer) => {
          text += chunk.toString()
        })
        answer.on('end', () => resolve({ status: answer.statusCode ?? 0, body: text }))
      })
      request.on('error', reject)
      request.end(body)
    })
  const type = { 'content-type': 'application/json' }
  expect(await ask({ ...type, host: 'evil.example' }, '{}')).toMatchObject({ status: 403 })
  expect(await ask({ 'content-type': 'text/plain' }, '{}')).toMatchObject({ status: 400 })
  expect(await ask(type, '{"statement":')).toMatchObject({ status: 400 })
  expect(await ask(type, '{"statement":"{}","signature":"","publicKey":""}')).toMatchObject({
    status: 400,
  })
  expect((await ask(type, 'x'.repeat(70_000))).status).toBeGreaterThanOrEqual(400)
})
