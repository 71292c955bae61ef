// Event streams: an answer that is one passes as it comes; an input that is one is named and refused,
// at once, since it has no end to wait for.
import http from 'node:http'
import net from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type FakeUpstream, startFakeUpstream } from '../fakes/upstream.ts'
import { Harness, type Keys } from './harness.ts'
import { type RawCall, rawCall, signed } from './wire.ts'

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

const SELECT: RawCall = {
  method: 'POST',
  target: '/bucket-b/key?select&select-type=2',
  service: 's3',
  body:
    '<SelectObjectContentRequest xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Expression>select * from s3object' +
    '</Expression><ExpressionType>SQL</ExpressionType><InputSerialization><JSON><Type>LINES</Type></JSON>' +
    '</InputSerialization><OutputSerialization><JSON/></OutputSerialization></SelectObjectContentRequest>',
}

test('an answer that is an event stream passes event by event', async () => {
  // Each event is sent when the one before it has arrived: a gate that waited for the end would hang.
  const events = [Buffer.from([0, 0, 0, 20]), Buffer.from('second'), Buffer.from([255, 0, 128])]
  let next: () => void = () => undefined
  upstream.script = () => ({
    status: 200,
    headers: { 'content-type': 'application/vnd.amazon.eventstream' },
    body: (async function* () {
      for (const [index, event] of events.entries()) {
        if (index > 0) await new Promise<void>((resolve) => (next = resolve))
        yield event
      }
    })(),
  })
  const request = signed(keys, SELECT)
  const answer = await new Promise<http.IncomingMessage>((resolve, reject) => {
    const { hostname, port } = new URL(keys.endpoint)
    const headers = request.headers.flat() as unknown as http.OutgoingHttpHeaders
    const options = { host: hostname, port, method: 'POST', path: request.target, headers }
    http.request(options, resolve).on('error', reject).end(request.body)
  })
  expect(answer.headers['content-type']).toBe('application/vnd.amazon.eventstream')
  const came: Buffer[] = []
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    came.push(chunk)
    next()
  }
  expect(came).toEqual(events)
  expect((await gate.entries()).at(-1)).toMatchObject({
    type: 'read',
    operation: 's3:SelectObjectContent',
  })
})

test('an input that is an event stream is refused by name before any of it is read', async () => {
  const EVENTS = 'STREAMING-AWS4-HMAC-SHA256-EVENTS'
  const type = ['content-type', 'application/vnd.amazon.eventstream'] as const
  const calls: readonly (readonly [RawCall, string])[] = [
    [
      { service: 'transcribe', target: '/stream-transcription', headers: [type] },
      'transcribe:StartStreamTranscription',
    ],
    [
      {
        service: 'bedrock',
        target: '/model/amazon.nova-sonic-v1%3A0/invoke-with-bidirectional-stream',
        headers: [type],
      },
      'bedrock:InvokeModelWithBidirectionalStream',
    ],
    [{ service: 'dynamodb', target: '/', headers: [type] }, 'this operation'],
  ]
  for (const [call, words] of calls) {
    const answer = await endless({ ...call, payloadSha256: EVENTS })
    expect(answer).toContain(`${words} takes an event stream`)
    expect(answer.toLowerCase()).toContain('connection: close')
  }
  const plain = await rawCall(keys, { service: 'polly', target: '/v1/synthesisStream', body: '{}' })
  expect(plain.body).toContain('polly:StartSpeechSynthesisStream takes an event stream')
  const refused = (await gate.entries()).filter(({ type: each }) => each === 'refused')
  expect(refused).toHaveLength(calls.length + 1)
  expect(refused[0]).toMatchObject({ code: 'not_supported', session: keys.sessionId })
  expect(upstream.seen).toEqual([])
})

test('an event stream whose head is signed by nobody is told so, and nothing more', async () => {
  const other = { ...keys, secretAccessKey: 'another/secret' }
  const call = {
    service: 'transcribe',
    target: '/stream-transcription',
    headers: [['content-type', 'application/vnd.amazon.eventstream']],
    payloadSha256: 'STREAMING-AWS4-HMAC-SHA256-EVENTS',
  } as const
  expect(await endless(call, other)).toContain('the signature does not match')
})

test('a WebSocket is refused by name', async () => {
  const answer = await rawCall(keys, {
    service: 'transcribe',
    method: 'GET',
    target: '/stream-transcription-websocket?language-code=en-US',
    unsigned: [
      ['connection', 'Upgrade'],
      ['upgrade', 'websocket'],
    ],
  })
  expect(answer.body).toContain('transcribe:StartStreamTranscription takes an event stream')
})

/** Sends the head and a first event of a body that never ends; returns what came until the far end closed. */
function endless(call: RawCall, by: Keys = keys): Promise<string> {
  const request = signed(by, call)
  const { hostname, port } = new URL(keys.endpoint)
  const lines = request.headers
    .filter(([name]) => name !== 'content-length')
    .map(([name, value]) => `${name}: ${value}\r\n`)
  return new Promise((resolve) => {
    let came = ''
    const socket = net.connect(Number(port), hostname, () => {
      socket.write(
        `POST ${request.target} HTTP/1.1\r\n${lines.join('')}transfer-encoding: chunked\r\n\r\n4\r\nhell\r\n`,
      )
    })
    socket.on('data', (chunk: Buffer) => (came += chunk.toString('latin1')))
    socket.on('error', () => undefined)
    socket.on('close', () => resolve(came))
  })
}
