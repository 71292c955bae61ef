// Bodies at the people's API, byte by byte: announced, in chunks, none, too large. Each ends in words, and nothing of it
// changes anything. (Never finished: packages/gateway/src/api/people-server.test.ts.)
import net from 'node:net'
import { BODY_BYTES_MAX } from '@seconder/gateway/api/api'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type FakeUpstream, startFakeUpstream } from '../fakes/upstream.ts'
import { Harness } from './harness.ts'

let upstream: FakeUpstream
let gate: Harness

beforeAll(async () => {
  upstream = await startFakeUpstream()
  gate = await Harness.start({ upstream: upstream.url })
})

afterAll(async () => {
  await gate.stop()
  await upstream.close()
})

/** Sends these bytes, and nothing more; resolves with what came back when the gate closed, or answered whole. */
function sent(head: readonly string[], body: string | Uint8Array = ''): Promise<string> {
  const { host, hostname, port } = new URL(gate.running.consoleUrl)
  const lines = ['POST /api/reviews HTTP/1.1', `host: ${host}`, ...head, '', '']
  return new Promise((resolve, reject) => {
    const socket = net.connect(Number(port), hostname)
    let answer = ''
    socket.on('data', (chunk: Buffer) => {
      answer += chunk.toString()
      const length = /\r\ncontent-length: (\d+)\r\n/i.exec(answer)?.[1]
      const [, said] = answer.split('\r\n\r\n')
      if (length !== undefined && said !== undefined && said.length >= Number(length)) {
        socket.destroy()
        resolve(answer)
      }
    })
    socket.on('close', () => resolve(answer))
    // The rest of a body that was refused is not read.
    socket.on('error', (cause: NodeJS.ErrnoException) =>
      ['EPIPE', 'ECONNRESET'].includes(cause.code ?? '') ? resolve(answer) : reject(cause),
    )
    socket.write(lines.join('\r\n'))
    if (body !== '') socket.write(body)
  })
}

const JSON_TYPE = 'content-type: application/json'
const CHUNKED = 'transfer-encoding: chunked'
const chunk = (text: string) => `${text.length.toString(16)}\r\n${text}\r\n`

test('a POST without a length has no body, and one in chunks is read like the rest', async () => {
  const none = await sent([JSON_TYPE])
  expect(none).toMatch(/^HTTP\/1.1 400 /)
  expect(none).toContain('"code":"statement_invalid"')
  const pieces = await sent([JSON_TYPE, CHUNKED], `${chunk('{"a"')}${chunk(':1}')}0\r\n\r\n`)
  expect(pieces).toMatch(/^HTTP\/1.1 400 /)
  expect(pieces).toContain('is neither {statement')
})

test('a body past the limit is refused in words as soon as it is past it, announced or not', async () => {
  const size = BODY_BYTES_MAX + 1
  for (const [head, body] of [
    [[JSON_TYPE, `content-length: ${size}`], ''],
    [[JSON_TYPE, CHUNKED], chunk('x'.repeat(size))],
  ] as const) {
    const answer = await sent(head, body)
    expect(answer).toMatch(/^HTTP\/1.1 413 /)
    expect(answer).toContain('"code":"body_too_large"')
    expect(answer.toLowerCase()).toContain('connection: close')
  }
})

test('two lengths, a length beside chunks and a length that is none reach nothing', async () => {
  for (const head of [
    [JSON_TYPE, 'content-length: 2', 'content-length: 3'],
    [JSON_TYPE, 'content-length: 2', CHUNKED],
    [JSON_TYPE, 'content-length: -1'],
    [JSON_TYPE, 'content-length: 0x2'],
  ]) {
    expect([head, await sent(head, '{}')]).toEqual([head, expect.stringMatching(/^HTTP\/1.1 400 /)])
  }
})
